#!/bin/bash
# USB 1, 2 and 3, and who is plugged in where.
#: differs device_id the disk inside of a USB stick has no properties of its own for libvirt; a finding says so
#: image stick.img raw
qemu-system-x86_64 -M q35 -m 64 -nic none -device qemu-xhci,id=xhci -device piix3-usb-uhci,id=slow -device usb-ehci,id=ehci \
  -device usb-kbd,bus=slow.0 -device usb-tablet,bus=xhci.0 -device usb-mouse,bus=ehci.0,port=3 \
  -drive if=none,id=stick,file=stick.img,format=raw -device usb-storage,bus=xhci.0,drive=stick
