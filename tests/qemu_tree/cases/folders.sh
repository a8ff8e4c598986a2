#!/bin/bash
# A folder that is shared by 9p.
#: folder share
qemu-system-x86_64 -m 64 -nic none -virtfs local,path=share,mount_tag=here,security_model=mapped-xattr
