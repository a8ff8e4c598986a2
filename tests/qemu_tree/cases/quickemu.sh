#!/bin/bash
# The shape of quickemu's scripts, started from the folder above.
#: image debian/disk.qcow2 qcow2
#: image debian/cd.iso raw
#: copy debian/code.fd /usr/share/OVMF/OVMF_CODE.fd
#: copy debian/vars.fd /usr/share/OVMF/OVMF_VARS.fd
qemu-system-x86_64 -name debian,process=debian -machine q35,smm=off,vmport=off -global kvm-pit.lost_tick_policy=discard \
  -smp cores=1,threads=1,sockets=1 -m 128 -device virtio-balloon -rtc base=utc,clock=host -vga none -device virtio-gpu,xres=1280,yres=800 \
  -device virtio-serial-pci -chardev socket,id=agent0,path=debian/agent.sock,server=on,wait=off \
  -device virtserialport,chardev=agent0,name=org.qemu.guest_agent.0 \
  -device virtio-rng-pci,rng=rng0 -object rng-random,id=rng0,filename=/dev/urandom \
  -device qemu-xhci,id=input -device usb-kbd,bus=input.0 -device usb-tablet,bus=input.0 -device pci-ohci,id=smartpass -device usb-ehci,id=hostpass \
  -audiodev none,id=audio0 -device intel-hda -device hda-micro,audiodev=audio0 \
  -device virtio-net,netdev=nic -netdev user,hostname=debian,id=nic \
  -global driver=cfi.pflash01,property=secure,value=off -drive if=pflash,format=raw,unit=0,file=debian/code.fd,readonly=on \
  -drive if=pflash,format=raw,unit=1,file=debian/vars.fd -drive media=cdrom,index=0,file=debian/cd.iso \
  -device virtio-blk-pci,drive=SystemDisk -drive id=SystemDisk,if=none,format=qcow2,file=debian/disk.qcow2 \
  -monitor none -serial mon:null 2>/dev/null
