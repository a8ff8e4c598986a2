#!/bin/bash
# Every -hdX and a CD.
#: image a.img raw
#: image b.img raw
#: image c.img raw
#: image d.img raw
qemu-system-x86_64 -m 64 -hdd d.img -hda a.img -hdc c.img -hdb b.img
