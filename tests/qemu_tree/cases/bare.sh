#!/bin/bash
# Nothing said but a disk: QEMU adds the rest.
#: image disk.qcow2 qcow2
qemu-system-x86_64 disk.qcow2
