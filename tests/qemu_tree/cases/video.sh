#!/bin/bash
# A card without VGA, and one with memory of its own size.
qemu-system-x86_64 -m 64 -nic none -vga none -device virtio-gpu-pci,xres=1280,yres=800
