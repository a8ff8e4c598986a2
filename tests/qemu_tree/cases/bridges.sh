#!/bin/bash
# A root port, a bridge, and what is behind them.
#: differs ^card.*(nothing|user) libvirt 9.0 has no card without a network: its link is down
qemu-system-x86_64 -M q35 -m 64 -nic none -device pcie-root-port,id=rp,chassis=3,port=5 -device pci-bridge,id=bridge,chassis_nr=2 \
  -device e1000e,bus=rp -device virtio-rng-pci,bus=bridge,addr=4
