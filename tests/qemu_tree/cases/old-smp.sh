#!/bin/bash
# Before 6.2 what is not said of the processors goes to the sockets.
qemu-system-x86_64 -M pc-i440fx-6.1 -m 64 -smp 6,threads=2 -nic none
