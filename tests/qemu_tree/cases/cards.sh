#!/bin/bash
# Cards of -nic come before those of -device, and no MAC is given.
qemu-system-x86_64 -m 64 -device pcnet,netdev=c -netdev user,id=c -nic user,model=rtl8139 -nic user,model=virtio-net-pci,mac=52:54:00:00:00:77
