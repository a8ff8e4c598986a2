#!/bin/bash
# A release that knows its CPU and has a driver for its card keeps both.
#: image macos-catalina/disk.qcow2 qcow2
macos_release=catalina
disk="id=disk,if=none,format=qcow2,file=macos-$macos_release/disk.qcow2"
qemu-system-x86_64 -name "macos-$macos_release" -machine q35,smm=off -m 64 -smp cores=2 \
  -cpu Penryn,vendor=GenuineIntel,+aes -device isa-applesmc,osk=none \
  -device virtio-net-pci,netdev=nic -netdev user,id=nic \
  -device ahci,id=ahci -drive "$disk" -device ide-hd,bus=ahci.0,drive=disk
