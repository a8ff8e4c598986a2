#!/bin/bash
# The board's own USB controller.
qemu-system-x86_64 -m 64 -nic none -usb -device usb-tablet -device usb-kbd
