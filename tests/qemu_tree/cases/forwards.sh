#!/bin/bash
# Port forwards.
qemu-system-x86_64 -m 64 -nic user,hostfwd=tcp:127.0.0.1:20022-:22,hostfwd=udp::20053-10.0.2.15:53
