#!/bin/bash
# Since 6.2 it goes to the cores.
qemu-system-x86_64 -M pc-q35-6.2 -m 64 -smp 6,threads=2 -nic none
