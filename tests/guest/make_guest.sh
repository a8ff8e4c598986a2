#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the Linux guest of the slow tests: a small disk that boots by BIOS and by EFI into Debian's kernel, with udev
# in its initramfs and init beside this file as its only program.
#
#   make_guest.sh PARTS OUT_DIR
#
# PARTS is the program that writes the disk's partition table and the sources' EFI variables (guest_parts.cpp). The
# packages are fetched once with apt-get into OUT_DIR/packages and unpacked there; nothing is installed, and later runs
# need no network. Writes OUT_DIR/guest.raw, OUT_DIR/vbox.nvram, OUT_DIR/vmware.nvram, OUT_DIR/ovmf.fd, and of an
# initramfs that has AHCI's driver alone OUT_DIR/initrd.ahci, version and modules.builtin. Ends with 77, and says why,
# where that cannot be done.
set -euo pipefail

parts=$1
out=$2
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$out"
out=$(realpath -- "$out")

skip() {
  echo "skipped: $*"
  exit 77
}

for needed in apt-get:apt dpkg-deb:dpkg mformat:mtools mcopy:mtools gzip:gzip ldd:libc-bin; do
  command -v "${needed%%:*}" >/dev/null || skip "${needed%%:*} is not installed (package ${needed##*:})"
done
[[ $(dpkg --print-architecture) == amd64 ]] || skip "the guest is Debian's for amd64"

# ---- Debian's packages, unpacked ----

root=$out/unpacked
fetch_packages() {
  local kernel file
  kernel=$(apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1)
  [[ -n $kernel ]] || skip "apt knows no linux-image-amd64 (apt-get update)"
  mkdir -p "$out/packages"
  (cd "$out/packages" && apt-get download -q "$kernel" busybox-static udev kmod libkmod2 grub-common grub-pc-bin \
    grub-efi-amd64-bin >"$out/download.log" 2>&1) || skip "packages cannot be fetched: $(tail -n 1 "$out/download.log")"
  rm -rf "$root" "$root.new"
  for file in "$out"/packages/*.deb; do dpkg-deb -x "$file" "$root.new"; done
  rm -rf "$out/packages"
  mv "$root.new" "$root"
}
[[ -d $root ]] || fetch_packages

# Debian 13's packages have all below usr/, Debian 12's some below /.
first() {
  local path
  for path in "$@"; do
    if [[ -e $path ]]; then
      printf '%s' "$path"
      return
    fi
  done
  skip "Debian's packages have no $1"
}
busybox=$(first "$root/usr/bin/busybox" "$root/bin/busybox")
udevadm=$(first "$root/usr/bin/udevadm" "$root/bin/udevadm")
kmod=$(first "$root/usr/bin/kmod" "$root/bin/kmod")
rules=$(first "$root/usr/lib/udev/rules.d" "$root/lib/udev/rules.d")
links=$(first "$root/usr/lib/systemd/network" "$root/lib/systemd/network")
modules=$(first "$root/usr/lib/modules" "$root/lib/modules")
kernel=$(find "$root/boot" -name 'vmlinuz-*' | head -n 1)
version=${kernel##*/vmlinuz-}
libraries=$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu

# ---- the initramfs ----

# What the machines of the tests have. The dependencies follow by modules.dep.
wanted=(ahci ata_piix mptspi mptsas vmw_pvscsi virtio_scsi virtio_pci virtio_blk nvme sym53c8xx sd_mod sr_mod
  e1000 e1000e vmxnet3 virtio_net pcnet32 8139cp
  uhci_hcd ohci_pci ohci_hcd ehci_pci ehci_hcd xhci_pci xhci_hcd usb_storage uas usbhid hid_generic
  snd_intel8x0 snd_hda_intel snd_hda_codec_generic snd_ens1370
  efivarfs rtc_cmos virtio_console tpm_crb tpm_tis pciehp shpchp floppy)

ram=$out/initramfs
rm -rf "$ram"
mkdir -p "$ram"/{usr/{bin,sbin,lib/{udev,systemd/network,modules}},lib64,proc,sys,dev,etc,run,tmp,var}
ln -s usr/bin "$ram/bin"
ln -s usr/sbin "$ram/sbin"
ln -s usr/lib "$ram/lib"
ln -s ../run "$ram/var/run"

copy_program() {
  local library
  install -D -m 755 "$1" "$ram/$2"
  while read -r library; do
    install -D -m 755 "$library" "$ram/usr/lib/${library##*/}"
  done < <(LD_LIBRARY_PATH=$libraries ldd "$1" | sed -n 's/.*=> \(\/[^ ]*\) (.*/\1/p')
}
install -m 755 "$busybox" "$ram/usr/bin/busybox"
while read -r applet; do ln -sf busybox "$ram/usr/bin/$applet"; done < <("$busybox" --list | grep -v -x busybox)
ln -s ../bin/busybox "$ram/usr/sbin/modprobe" # where the kernel looks for it
copy_program "$udevadm" usr/bin/udevadm
ln -s ../../bin/udevadm "$ram/usr/lib/systemd/systemd-udevd"
for helper in ata_id scsi_id cdrom_id; do copy_program "$(dirname "$rules")/$helper" "usr/lib/udev/$helper"; done
install -m 755 "$(readlink -f /lib64/ld-linux-x86-64.so.2)" "$ram/lib64/ld-linux-x86-64.so.2"
cp -r "$rules" "$ram/usr/lib/udev/"
cp -r "$links/." "$ram/usr/lib/systemd/network/"
printf 'root:x:0:0::/:/bin/sh\n' >"$ram/etc/passwd"
sed -n -E 's/^GROUP.*//; s/.*GROUP="([a-z]+)".*/\1/p' "$rules"/*.rules | sort -u |
  awk '{ print $1 ":x:" NR + 10 ":" } BEGIN { print "root:x:0:" }' >"$ram/etc/group"
install -m 755 "$here/init" "$ram/init"

copy_modules() {
  local tree=$ram/usr/lib/modules/$version all=$modules/$version name line file
  LD_LIBRARY_PATH=$libraries "$(depmod_link)" -b "$(dirname "$(dirname "$modules")")" "$version" 2>/dev/null
  mkdir -p "$tree"
  cp "$all"/modules.{order,builtin,builtin.modinfo} "$tree/"
  for name in "${wanted[@]}"; do
    # "path: dependency dependency"; names have - or _.
    line=$(grep -E "/${name//_/[-_]}\.ko[^:/]*:" "$all/modules.dep" | head -n 1) || continue # built in
    for file in ${line/:/ }; do install -D -m 644 "$all/$file" "$tree/$file"; done
  done
  LD_LIBRARY_PATH=$libraries "$(depmod_link)" -b "$ram" "$version"
}
# kmod does what its name says.
depmod_link() {
  ln -sf "$kmod" "$out/depmod"
  printf '%s' "$out/depmod"
}
if [[ $modules == "$root/lib/modules" && ! -e $root/usr/lib/modules ]]; then
  mkdir -p "$root/usr/lib" && ln -s ../../lib/modules "$root/usr/lib/modules"
  [[ -e $root/lib ]] || ln -s usr/lib "$root/lib"
fi
[[ -e $root/lib/modules ]] || { mkdir -p "$root/lib" && ln -s ../usr/lib/modules "$root/lib/modules"; }
copy_modules
pack() { (cd "$ram" && find . | "$busybox" cpio -o -H newc -R 0:0 2>/dev/null | gzip -6); }
pack >"$out/initrd"
# One that was made for a machine with AHCI alone.
for name in ata_piix mptspi mptsas vmw_pvscsi virtio_scsi virtio_blk nvme sym53c8xx usb_storage uas; do
  find "$ram/usr/lib/modules" \( -name "$name.ko*" -o -name "${name//_/-}.ko*" \) -delete
done
LD_LIBRARY_PATH=$libraries "$(depmod_link)" -b "$ram" "$version"
pack >"$out/initrd.ahci"
cp "$modules/$version/modules.builtin" "$out/"
echo "$version" >"$out/version"

# ---- the disk ----

# Sectors of 512 bytes; guest_parts has the same numbers. GRUB's BIOS core lies in a partition of its own.
core_start=2048
esp_start=6144
sectors=$(((esp_start + 98304 + 2048) / 2048 * 2048))
"$parts" "$out" "$sectors"
disk=$out/guest.raw.new
cp "$out/gpt.bin" "$disk"
truncate -s $((sectors * 512)) "$disk"
esp=$disk@@$((esp_start * 512))
mformat -i "$esp" -T 98304 -F -v GUEST ::

cat >"$out/grub.cfg" <<'CFG'
search --no-floppy --label --set=root GUEST
source /grub.cfg
CFG
cat >"$out/esp.cfg" <<'CFG'
source /wanted.cfg
linux /vmlinuz rdinit=/init console=ttyS0 quiet loglevel=1 net.ifnames=1 no_timer_check $ferry
initrd /initrd
boot
CFG
common=(part_gpt fat search search_label normal linux configfile echo)
grub() { LD_LIBRARY_PATH=$libraries "$root/usr/bin/grub-mkimage" -c "$out/grub.cfg" -p / "$@"; }
grub -d "$root/usr/lib/grub/i386-pc" -O i386-pc -o "$out/core.img" "${common[@]}" biosdisk
grub -d "$root/usr/lib/grub/x86_64-efi" -O x86_64-efi -o "$out/grubx64.efi" "${common[@]}"
# No \EFI\BOOT: only the firmware's own variables lead to the loader.
mmd -i "$esp" ::/EFI ::/EFI/debian
mcopy -i "$esp" "$out/grubx64.efi" ::/EFI/debian/grubx64.efi
mcopy -i "$esp" "$kernel" ::/vmlinuz
mcopy -i "$esp" "$out/initrd" ::/initrd
mcopy -i "$esp" "$out/esp.cfg" ::/grub.cfg
# The cases replace it: how many disks the guest waits for.
echo 'set ferry=ferry.disks=1' >"$out/wanted.cfg"
mcopy -i "$esp" "$out/wanted.cfg" ::/wanted.cfg

# boot.img names the sector of the core's first sector at 0x5c; that one names the next at 0x1f4, both 64 bits.
put_number() {
  printf '%b' "\\x$(printf %02x $(($3 & 255)))\\x$(printf %02x $(($3 >> 8)))" |
    dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
cp "$root/usr/lib/grub/i386-pc/boot.img" "$out/boot.img"
put_number "$out/boot.img" $((0x5c)) $core_start
put_number "$out/core.img" $((0x1f4)) $((core_start + 1))
dd if="$out/boot.img" of="$disk" bs=440 count=1 conv=notrunc status=none
dd if="$out/core.img" of="$disk" bs=512 seek=$core_start conv=notrunc status=none
mv "$disk" "$out/guest.raw"
rm -rf "$ram" "$out"/{gpt.bin,core.img,boot.img,grubx64.efi,initrd,grub.cfg,esp.cfg,wanted.cfg,depmod}
