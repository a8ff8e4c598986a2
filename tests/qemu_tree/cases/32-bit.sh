#!/bin/bash
# A CPU with long mode, in a program that does not show it.
qemu-system-i386 -m 64 -nic none -cpu Nehalem
