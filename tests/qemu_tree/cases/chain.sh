#!/bin/bash
# Drives of no interface, that devices name.
#: differs b\.img.*read-only libvirt opens a CD's image for reading alone; no guest writes to a CD
#: image a.qcow2 qcow2
#: image b.img raw
qemu-system-x86_64 -M q35 -m 64 -drive if=none,id=one,file=a.qcow2 -device ide-hd,drive=one,bus=ide.1,serial=ABC \
  -drive if=none,id=two,file=b.img,format=raw,cache=none -device ide-cd,drive=two,bus=ide.3
