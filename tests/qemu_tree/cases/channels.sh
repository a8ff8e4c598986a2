#!/bin/bash
# Channels of the guest's agents, and a balloon.
qemu-system-x86_64 -M q35 -m 64 -nic none -device virtio-serial-pci -chardev socket,id=agent,path=agent.sock,server=on,wait=off \
  -device virtserialport,chardev=agent,name=org.qemu.guest_agent.0 -device virtio-balloon -object rng-random,id=rng,filename=/dev/urandom \
  -device virtio-rng-pci,rng=rng
