#!/bin/bash
# The shape of a macOS script.
#: copy firmware/code.fd /usr/share/OVMF/OVMF_CODE.fd
#: copy firmware/vars.fd /usr/share/OVMF/OVMF_VARS.fd
#: image ESP.qcow2 qcow2
#: image Base.img raw
OSK="these words are no key of Apple's and as long as one is........"
args=(
  -m 256 -machine q35 -smp 4,cores=2
  -cpu Penryn,vendor=GenuineIntel,kvm=on,+ssse3,+sse4.2,+aes,+xsave,+avx,+xsaveopt,+bmi2,+smep
  -device isa-applesmc,osk="$OSK"
  -smbios type=2
  -drive if=pflash,format=raw,readonly,file=firmware/code.fd
  -drive if=pflash,format=raw,file=firmware/vars.fd
  -vga qxl -device ich9-intel-hda -device hda-output
  -usb -device usb-kbd -device usb-tablet
  -netdev user,id=net0 -device e1000-82545em,netdev=net0,id=net0,mac=52:54:00:c9:18:27
  -device ich9-ahci,id=sata
  -drive id=ESP,if=none,format=qcow2,file=ESP.qcow2 -device ide-hd,bus=sata.2,drive=ESP
  -drive id=InstallMedia,format=raw,if=none,file=Base.img -device ide-hd,bus=sata.3,drive=InstallMedia
)
qemu-system-x86_64 "${args[@]}"
