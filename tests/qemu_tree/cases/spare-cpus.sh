#!/bin/bash
# Processors that can be plugged in.
qemu-system-x86_64 -m 64 -smp 2,maxcpus=4,sockets=2,cores=2 -nic none
