#!/bin/bash
# JSON devices come last, wherever they stand.
#: image a.qcow2 qcow2
qemu-system-x86_64 -M q35 -m 64 -device '{"driver":"virtio-blk-pci","drive":"a"}' -drive if=none,id=a,file=a.qcow2 \
  -netdev user,id=n -device virtio-net-pci,netdev=n
