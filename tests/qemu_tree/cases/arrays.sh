#!/bin/bash
# Arrays, conditions that constants decide, and a loop.
#: image disk.qcow2 qcow2
USB=yes
opts=(-m 64 -nic none)
if [[ $USB == yes ]]; then opts+=(-device qemu-xhci); fi
for n in 1 2; do opts+=(-device virtio-rng-pci); done
case $USB in no) opts+=(-vga none) ;; *) opts+=(-vga std) ;; esac
qemu-system-x86_64 "${opts[@]}" -hda "$(dirname "$0")/disk.qcow2"
