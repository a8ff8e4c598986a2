#!/bin/bash
# A machine of an old version keeps its default card.
qemu-system-x86_64 -M pc-q35-2.11 -m 64
