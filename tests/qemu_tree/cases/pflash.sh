#!/bin/bash
# EFI with a store.
#: copy code.fd /usr/share/OVMF/OVMF_CODE.fd
#: copy vars.fd /usr/share/OVMF/OVMF_VARS.fd
#: image a.qcow2 qcow2
qemu-system-x86_64 -M q35 -m 64 -drive if=pflash,format=raw,readonly=on,file=code.fd -drive if=pflash,format=raw,file=vars.fd -hda a.qcow2
