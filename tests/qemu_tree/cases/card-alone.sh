#!/bin/bash
# A -device alone does not take the default card away.
qemu-system-x86_64 -m 64 -device e1000
