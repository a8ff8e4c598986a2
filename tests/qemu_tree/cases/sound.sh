#!/bin/bash
# Sound cards of several kinds.
qemu-system-x86_64 -m 64 -nic none -device intel-hda -device hda-duplex -device AC97 -device ES1370
