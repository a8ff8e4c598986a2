#!/bin/bash
# Drives with an index, and one that takes the first place that is left.
#: image a.qcow2 qcow2
#: image b.qcow2 qcow2
#: image cd.iso raw
qemu-system-x86_64 -m 64 -drive file=a.qcow2,format=qcow2 -cdrom cd.iso -drive file=b.qcow2,index=3,media=disk
