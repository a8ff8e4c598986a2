# shellcheck shell=bash disable=SC2034,SC2153,SC2154
# SPDX-License-Identifier: Apache-2.0
# Source machines whose disk is the Linux guest's, and what to look for in what the guest said. Beside
# tests/e2e/sources.sh and session.sh, whose functions and variables it uses.

GUEST=Debian_64
MEMORY=384
CHIPSET=PIIX3
FIRMWARE=BIOS
BIOS=
USB=
SOUND=
VIDEO='controller="VMSVGA" VRAMSize="16"'
controllers=
registry=

# ---- disks ----

# guest_disk COUNT: $WORK/run/disk.raw; the guest waits until it has found that many disks.
guest_disk() {
  local disk=$WORK/run/disk.raw esp=$((6144 * 512))
  cp --sparse=always "$WORK/files/guest.raw" "$disk"
  echo "set ferry=ferry.disks=$1" >"$WORK/run/wanted.cfg"
  mcopy -o -i "$disk@@$esp" "$WORK/run/wanted.cfg" ::/wanted.cfg
}

register() { registry+=$(vbox_disk "$1" VDI "$(vdi_uuid "$SOURCE/$1")")$'\n'; }
vdi() {
  image vdi "$SOURCE/$1"
  register "$1"
}
data_disk() {
  qemu-img create -q -f vdi "$SOURCE/$1" 4M
  register "$1"
}
vmdk() { image vmdk "$SOURCE/$1" subformat=monolithicSparse; }
data_vmdk() { qemu-img create -q -f vmdk "$SOURCE/$1" 4M; }

# root_disk FILE: the root file system that the kernel belongs to, with the initramfs that has AHCI's driver alone.
root_disk() {
  local tree=$WORK/run/root version
  version=$(cat "$WORK/files/version")
  mkdir -p "$tree"/{etc,boot,"usr/lib/modules/$version"}
  ln -s usr/lib "$tree/lib"
  printf 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n' >"$tree/etc/os-release"
  : >"$tree/boot/vmlinuz-$version"
  cp "$WORK/files/initrd.ahci" "$tree/boot/initrd.img-$version"
  cp "$WORK/files/modules.builtin" "$tree/usr/lib/modules/$version/"
  truncate -s 128M "$WORK/run/root.raw"
  mke2fs -q -F -t ext4 -d "$tree" "$WORK/run/root.raw" || fail "mke2fs makes no file system"
  qemu-img convert -f raw -O vmdk -o subformat=monolithicSparse "$WORK/run/root.raw" "$SOURCE/$1"
}

# ---- VirtualBox ----

# nic SLOT MAC MODEL; controller NAME TYPE PORTS PORT:DEVICE:UUID...
nic() { NICS+=$(vbox_nic "$@")$'\n'; }
controller() { controllers+=$(vbox_controller "$@")$'\n'; }

# usb_controller NAME [TYPE]
usb_controller() { echo "<Controller name=\"$1\" type=\"${2:-$1}\"/>"; }

guest_vbox() {
  DEVICES="<USB><Controllers>$USB</Controllers></USB>"
  if [[ -n $SOUND ]]; then
    DEVICES+="<AudioAdapter controller=\"$SOUND\" driver=\"Pulse\" enabled=\"true\" enabledIn=\"false\" enabledOut=\"true\"/>"
  else
    DEVICES+='<AudioAdapter enabled="false"/>'
  fi
  BOARD="<Firmware type=\"$FIRMWARE\"/><Chipset type=\"$CHIPSET\"/>"
  vbox_machine "$registry" "$controllers" "$BIOS"
}

# ---- VMware ----

VMX_UUID=564d4f2a9b1c83d7e6105a4b3c2d1e0f
# VMware's table says SMBIOS 2.7, so Linux reads the first three fields little-endian.
VMX_UUID_LINUX=2a4f4d56-1c9b-d783-e610-5a4b3c2d1e0f

guest_vmx() {
  CPUS=2
  vmx_machine "$VMX_UUID" debian11-64
  cat >>"$SOURCE/probe.vmx" <<VMX
cpuid.coresPerSocket = "2"
rtc.diffFromUTC = "0"
pciBridge0.present = "TRUE"
pciBridge4.present = "TRUE"
pciBridge4.virtualDev = "pcieRootPort"
pciBridge4.functions = "8"
VMX
}

# ---- runs ----

# starts [OPTION...]: migrates and starts; the source must stay as it was.
starts() {
  local before
  before=$(fingerprint)
  ferry_status 0 migrate "$SOURCE" --start "$@"
  equal "the source after the migration" "$(fingerprint)" "$before"
}

# wait_for_line PATTERN SECONDS WHAT
wait_for_line() {
  local until=$((SECONDS + $2))
  until grep -a -q -E "$1" "$SERIAL" 2>/dev/null; do
    ((SECONDS < until)) || fail "$3 within $2 seconds"
    sleep 0.2
  done
}

# boots [OPTION...]: and what holds for every case: each name that the report promises is the guest's, and the other
# way round.
boots() {
  starts "$@"
  wait_for_line '^guest: done' 600 "the guest has not said 'guest: done'"
  local name said
  said=$(sed -n -E 's/^ .* ([0-9a-f:]{17}), .*the guest sees ([a-z0-9]+).*/\2 \1/p' "$WORK/run/ferry.log" | sort)
  [[ -n $said ]] || fail "the report names no interface"
  equal "the interfaces that the report promises" "$said" \
    "$(tr -d '\r' <"$SERIAL" | sed -n -E 's/^nic\.([^=]+)=([^ ]+) .*/\1 \2/p' | sort)"
}

# The firmware gives up, and nothing of the guest has run.
does_not_boot() {
  starts "$@"
  wait_for_line 'Shell>|UEFI Interactive Shell' 600 "the firmware has not ended in its shell"
  ! grep -a -q '^guest: starts' "$SERIAL" || fail "the guest has started"
}

# ---- what the guest said ----

# has_nic_name NAME MAC DRIVER WHERE; the MAC as 080027_1a0001
has_nic_name() {
  local mac
  mac=$(sed -E 's/_//; s/(..)/\1:/g; s/:$//' <<<"$2")
  equal "the network card $1" "$(saw "nic.$1")" "$mac $3 $4"
}

name_of() { sed -n -E "s/^nic\.([^=]+)=$1 .*/\1/p" "$SERIAL" | head -n 1; }
# has_name_of MAC NAME DRIVER
has_name_of() {
  equal "the name of the card $1" "$(name_of "$1")" "$2"
  has_driver_of "$1" "$3"
}
has_driver_of() {
  equal "the driver of the card $1" "$(saw "nic.$(name_of "$1")" | cut -d ' ' -f 2)" "$2"
}

disk_at() { saw "link.disk/by-path/pci-$1"; }
# has_disk PATH DRIVER [SERIAL]: PATH as in /dev/disk/by-path, without "pci-"
has_disk() {
  local name
  name=$(disk_at "$1")
  [[ -n $name ]] || fail "there is no disk at $1"
  equal "the driver of the disk at $1" "$(saw "disk.$name" | cut -d ' ' -f 2)" "$2"
  [[ -z ${3:-} ]] || equal "the serial number of the disk at $1" "$(saw "disk.$name.ID_SERIAL_SHORT")" "$3"
}
# has_boot_controller DRIVER ID: that of the disk with the system.
has_boot_controller() {
  local name where
  name=$(saw link.disk/by-label/GUEST | tr -d 0-9)
  equal "the driver of the system disk" "$(saw "disk.$name" | cut -d ' ' -f 2)" "$1"
  where=$(saw "disk.$name" | cut -d ' ' -f 3)
  has_pci "$where" "$2"
}

# has_pci WHERE ID [DRIVER]
has_pci() {
  equal "the PCI device at $1" "$(saw "pci.$1" | cut -d ' ' -f 1)" "$2"
  [[ -z ${3:-} ]] || equal "the driver of the PCI device at $1" "$(saw "pci.$1" | cut -d ' ' -f 3)" "$3"
}

# has_usb_controller DRIVER WHERE
has_usb_controller() {
  grep -a -q -E "^usb\.usb[0-9]+=$1 $2" "$SERIAL" || fail "there is no USB controller $1 at $2"
}

# VirtualBox and this VMware machine have all processors in one socket.
processors() {
  equal "the number of processors" "$(saw cpu.online)" "$1"
  equal "the number of sockets" "$(saw cpu.sockets)" 1
  equal "the number of cores" "$(saw cpu.cores)" "$1"
  grep -a -q '^cpu.flags=.* lm ' "$SERIAL" || fail "the processor has no long mode"
}

# The firmware keeps some for itself: less than 4 MiB.
memory() {
  local kib
  kib=$(saw memory.kib)
  ((kib > MEMORY * 1024 - 4096 && kib <= MEMORY * 1024)) || fail "the guest has $kib KiB of $MEMORY MiB"
}

# clock OFFSET: the RTC is that many seconds before UTC; the guest read it within the last minutes.
clock() {
  local seen now
  seen=$(date -u -d "$(saw rtc.time)" +%s)
  now=$(($(date -u +%s) + $1))
  ((seen <= now + 5 && seen > now - 300)) || fail "the guest's clock is $(saw rtc.time), not $(date -u -d "@$now" '+%F %T')"
}

vmware_identity() {
  equal "the UUID that the guest prints" "$(saw dmi.product_uuid)" "$VMX_UUID_LINUX"
  equal "the maker" "$(saw dmi.sys_vendor)" "VMware, Inc."
  equal "the product" "$(saw dmi.product_name)" "VMware Virtual Platform"
  equal "the serial number" "$(saw dmi.product_serial)" "VMware-56 4d 4f 2a 9b 1c 83 d7-e6 10 5a 4b 3c 2d 1e 0f"
}

# efi_entry NUMBER: the firmware has started the carried entry, which is the first one still.
efi_entry() {
  equal "the firmware" "$(saw efi)" 64
  equal "the entry that was started" "$(saw efi.BootCurrent)" "${1:2:2}${1:0:2}"
  equal "the first of the boot order" "$(saw efi.BootOrder | cut -c 1-4)" "${1:2:2}${1:0:2}"
  grep -a -q "^efi.Boot$1=.*5c004500460049005c00640065006200690061006e00" "$SERIAL" || fail "Boot$1 does not name \\EFI\\debian"
}
