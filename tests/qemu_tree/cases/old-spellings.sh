#!/bin/bash
# What QEMU still takes, in its oldest form.
#: image a.qcow2 qcow2
qemu-system-i386 -m 64 -net nic,model=ne2k_pci -net user -no-acpi -no-hpet -usbdevice tablet a.qcow2
