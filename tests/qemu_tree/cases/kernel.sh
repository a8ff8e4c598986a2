#!/bin/bash
# A kernel without a disk.
#: kernel vmlinuz
qemu-system-x86_64 -m 64 -nic none -kernel vmlinuz -append "console=ttyS0 quiet"
