#!/bin/bash
# As Proxmox VE starts a machine: everything has an address, and an identity for copies.
#: image disk.qcow2 qcow2
kvm -name 'copy' -nodefaults -m 64 -smbios 'type=1,uuid=0dd5a9e4-6a31-4f0e-9df5-4d9a0a4b3c11' \
  -device 'pci-bridge,id=pci.1,chassis_nr=1,bus=pci.0,addr=0x1e' -device 'vmgenid,guid=5c4c9f0a-0f7e-4a48-9c6d-6e9f3ba1b0aa' \
  -device 'piix3-usb-uhci,id=uhci,bus=pci.0,addr=0x1.0x2' -device 'usb-tablet,id=tablet,bus=uhci.0,port=1' \
  -device 'VGA,id=vga,bus=pci.0,addr=0x2' -device 'ahci,id=ahci0,multifunction=on,bus=pci.0,addr=0x7' \
  -drive 'file=disk.qcow2,if=none,id=drive-sata0,cache=none,detect-zeroes=on' -device 'ide-hd,bus=ahci0.0,drive=drive-sata0,bootindex=100' \
  -machine 'type=pc-i440fx-7.1'
