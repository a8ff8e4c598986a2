#!/bin/bash
# SCSI controllers of two kinds, ids as they come and as they are said.
#: image a.qcow2 qcow2
#: image b.qcow2 qcow2
#: image c.qcow2 qcow2
qemu-system-x86_64 -m 64 -device virtio-scsi-pci,id=s0 -device lsi53c895a,id=s1 \
  -drive if=none,id=a,file=a.qcow2 -device scsi-hd,drive=a,bus=s0.0,scsi-id=2,lun=1 \
  -drive if=none,id=b,file=b.qcow2 -device scsi-hd,drive=b \
  -drive if=none,id=c,file=c.qcow2 -device scsi-hd,drive=c
