#!/bin/bash
# A -device alone does not take the default card away.
#: differs ^card.*(nothing|user) libvirt 9.0 has no card without a network: its link is down
qemu-system-x86_64 -m 64 -device e1000
