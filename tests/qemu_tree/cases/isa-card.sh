#!/bin/bash
# A card that is no PCI device.
qemu-system-i386 -m 64 -cpu pentium -vga cirrus -device ne2k_isa,netdev=n -netdev user,id=n
