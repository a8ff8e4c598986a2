#!/bin/bash
# Two floppies, and the machine starts from the first.
#: image a.img raw 1440K
#: image b.img raw 1440K
qemu-system-x86_64 -m 64 -nic none -fda a.img -drive if=floppy,index=1,file=b.img,format=raw -boot a
