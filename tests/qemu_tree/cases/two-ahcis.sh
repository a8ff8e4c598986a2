#!/bin/bash
# A second AHCI beside the board's own.
#: image a.qcow2 qcow2
#: image b.qcow2 qcow2
qemu-system-x86_64 -M q35 -m 64 -device ich9-ahci,id=sata -drive if=none,id=a,file=a.qcow2 -device ide-hd,drive=a,bus=sata.2 \
  -drive if=none,id=b,file=b.qcow2 -device ide-hd,bus=sata.4,drive=b
