#!/bin/bash
# q35 has one drive on each port.
#: image a.qcow2 qcow2
#: image b.qcow2 qcow2
#: image c.qcow2 qcow2
qemu-system-x86_64 -M q35 -m 64 -drive file=a.qcow2 -drive file=b.qcow2,index=4 -drive file=c.qcow2
