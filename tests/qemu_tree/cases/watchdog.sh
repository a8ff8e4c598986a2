#!/bin/bash
# A watchdog, no ports, no default devices.
qemu-system-x86_64 -nodefaults -m 64 -vga std -device i6300esb -watchdog-action poweroff -device isa-serial,chardev=c -chardev null,id=c
