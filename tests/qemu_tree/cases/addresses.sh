#!/bin/bash
# Some devices say where they are, in hexadecimal, and the others fill the gaps.
#: differs ^card.*(nothing|user) libvirt 9.0 has no card without a network: its link is down
qemu-system-x86_64 -m 64 -net none -device virtio-rng-pci,addr=3 -device e1000 -device virtio-balloon-pci,addr=10 -device rtl8139,addr=0x1d -device ne2k_pci
