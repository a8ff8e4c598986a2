#!/bin/bash
# A CPU model with flags in all spellings.
qemu-system-x86_64 -m 64 -nic none -cpu Penryn,vendor=GenuineIntel,+ssse3,+sse4.2,aes=on,+popcnt,-lahf_lm,+xsave,+avx,check
