#!/bin/bash
# Drives of if=virtio come after all devices.
#: differs ^card.*(nothing|user) libvirt 9.0 has no card without a network: its link is down
#: image a.qcow2 qcow2
#: image b.qcow2 qcow2
qemu-system-x86_64 -m 64 -drive if=virtio,file=a.qcow2 -device virtio-rng-pci -drive file=b.qcow2,if=virtio -device e1000
