#!/bin/bash
# A switch behind a root port.
#: differs ^card.*(nothing|user) libvirt 9.0 has no card without a network: its link is down
qemu-system-x86_64 -M q35 -m 64 -nic none -device pcie-root-port,id=root,chassis=1,port=1 -device x3130-upstream,id=up,bus=root \
  -device xio3130-downstream,id=down,bus=up,chassis=2,port=1,addr=2 -device e1000e,bus=down
