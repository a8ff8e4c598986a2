#!/bin/bash
# A device that names no bus goes to the last one.
#: image a.qcow2 qcow2
#: image b.qcow2 qcow2
qemu-system-x86_64 -m 64 -drive if=none,id=one,file=a.qcow2 -device ide-hd,drive=one \
  -drive if=none,id=two,file=b.qcow2 -device ide-hd,drive=two
