# shellcheck shell=bash disable=SC1091,SC2034,SC2153,SC2154
# SPDX-License-Identifier: Apache-2.0
# What a Linux guest sees after the migration, against what it saw on the source platform. That is known by the
# platform's own rules, which are written out here: slots, names, serials and byte orders. docs/fidelity.md has the
# table. tests/e2e/session.sh runs one of the functions case_*; machines.sh makes the sources.
#
# Every case boots a kernel under emulation, so that each looks at as much as it can.

if [[ ! -f $WORK/files/guest.raw ]]; then
  echo "skipped: the guest's disk was not made; the test guest.image says why"
  exit 77
fi
source "$WORK/test/machines.sh"

# The PIIX3 board as VirtualBox has it: IDE at 1.1, cards at 3, 8, 9 and 10, sound at 5, OHCI at 6, EHCI at 11, AHCI at
# 13, virtio-scsi at 15, LsiLogicSas at 22.
case_vbox_piix3_ide() {
  guest_disk 2
  vdi disk.vdi
  data_disk data.vdi
  nic 0 0800271a0001 82540EM
  nic 1 0800271a0002 virtio
  nic 2 0800271a0003 Am79C973
  controller IDE PIIX4 2 "0:0:$(vdi_uuid "$SOURCE/disk.vdi")" "1:1:$(vdi_uuid "$SOURCE/data.vdi")"
  USB=$(usb_controller OHCI && usb_controller EHCI)
  SOUND=AC97
  CPUS=2
  BIOS='<TimeOffset value="7200000"/>'
  guest_vbox
  boots --smbios keep --disk-model keep
  has_nic_name enp0s3 080027_1a0001 e1000 0000:00:03.0
  has_nic_name enp0s8 080027_1a0002 virtio-pci 0000:00:08.0
  has_nic_name enp0s9 080027_1a0003 pcnet32 0000:00:09.0
  # SMBIOS 2.5: Linux prints the bytes as they lie there, which are the machine's UUID.
  equal "the UUID that the guest prints" "$(saw dmi.product_uuid)" "$UUID"
  equal "the maker" "$(saw dmi.sys_vendor)" "innotek GmbH"
  equal "the product" "$(saw dmi.product_name)" VirtualBox
  equal "the board" "$(saw dmi.board_vendor)" "Oracle Corporation"
  has_disk 0000:00:01.1-ata-1 ata_piix "$(vbox_serial "$(vdi_uuid "$SOURCE/disk.vdi")")"
  has_disk 0000:00:01.1-ata-2.1 ata_piix "$(vbox_serial "$(vdi_uuid "$SOURCE/data.vdi")")"
  equal "the disk's name by id" "$(saw "link.disk/by-id/ata-VBOX_HARDDISK_$(vbox_serial "$(vdi_uuid "$SOURCE/disk.vdi")")")" \
    "$(disk_at 0000:00:01.1-ata-1)"
  has_pci 0000:00:00.0 8086:1237
  has_pci 0000:00:01.0 8086:7000
  has_pci 0000:00:05.0 8086:2415 snd_intel8x0
  has_usb_controller ohci-pci 0000:00:06.0
  has_usb_controller ehci-pci 0000:00:0b
  processors 2
  memory
  clock 7200
  equal "the firmware" "$(saw efi)" no
}

case_vbox_piix3_ahci() {
  guest_disk 4
  vdi disk.vdi
  data_disk one.vdi
  data_disk sas.vdi
  data_disk scsi.vdi
  nic 0 0800271b0001 82545EM
  nic 3 0800271b0002 82540EM
  nic 4 0800271b0003 82540EM
  controller SATA AHCI 3 "0:0:$(vdi_uuid "$SOURCE/disk.vdi")" "2:0:$(vdi_uuid "$SOURCE/one.vdi")"
  controller SAS LsiLogicSas 4 "1:0:$(vdi_uuid "$SOURCE/sas.vdi")"
  controller VirtIO VirtioSCSI 4 "3:0:$(vdi_uuid "$SOURCE/scsi.vdi")"
  USB=$(usb_controller xHCI XHCI)
  SOUND=HDA
  CPUS=3
  guest_vbox
  boots
  has_nic_name enp0s3 080027_1b0001 e1000 0000:00:03.0
  has_nic_name enp0s10 080027_1b0002 e1000 0000:00:0a.0
  has_nic_name enp0s16 080027_1b0003 e1000 0000:00:10.0
  equal "the UUID that the guest prints" "$(saw dmi.product_uuid)" "$UUID"
  has_disk 0000:00:0d.0-ata-1 ahci "$(vbox_serial "$(vdi_uuid "$SOURCE/disk.vdi")")"
  has_disk 0000:00:0d.0-ata-3 ahci "$(vbox_serial "$(vdi_uuid "$SOURCE/one.vdi")")"
  has_disk 0000:00:0f.0-scsi-0:0:3:0 virtio-pci
  has_pci 0000:00:16.0 1000:0054
  has_disk 0000:00:16.0-sas-phy1-lun-0 mptsas
  has_pci 0000:00:05.0 8086:2668 snd_hda_intel
  has_usb_controller xhci_hcd 0000:00:0c.0
  processors 3
  memory
  clock 0
}

case_vbox_piix3_sas() {
  guest_disk 1
  vdi disk.vdi
  nic 0 0800271c0001 82540EM
  controller SAS LsiLogicSas 1 "0:0:$(vdi_uuid "$SOURCE/disk.vdi")"
  guest_vbox
  boots
  has_nic_name enp0s3 080027_1c0001 e1000 0000:00:03.0
  has_pci 0000:00:16.0 1000:0054
  has_disk 0000:00:16.0-sas-phy0-lun-0 mptsas
}

case_vbox_piix3_virtio_scsi() {
  guest_disk 1
  vdi disk.vdi
  nic 0 0800271d0001 virtio
  controller VirtIO VirtioSCSI 1 "0:0:$(vdi_uuid "$SOURCE/disk.vdi")"
  guest_vbox
  boots
  has_nic_name enp0s3 080027_1d0001 virtio-pci 0000:00:03.0
  has_disk 0000:00:0f.0-scsi-0:0:0:0 virtio-pci
}

# The ICH9 board: AHCI at 31.2; the table's UUID is little-endian when the settings say so, and Linux prints it swapped.
case_vbox_ich9_ahci() {
  guest_disk 2
  vdi disk.vdi
  data_disk sas.vdi
  nic 0 0800271e0001 82540EM
  nic 1 0800271e0002 virtio
  controller SATA AHCI 2 "1:0:$(vdi_uuid "$SOURCE/disk.vdi")"
  controller SAS LsiLogicSas 4 "0:0:$(vdi_uuid "$SOURCE/sas.vdi")"
  CHIPSET=ICH9
  USB=$(usb_controller OHCI && usb_controller EHCI)
  SOUND=HDA
  CPUS=2
  guest_vbox
  boots
  has_nic_name enp0s3 080027_1e0001 e1000 0000:00:03.0
  has_nic_name enp0s8 080027_1e0002 virtio-pci 0000:00:08.0
  equal "the UUID that the guest prints" "$(saw dmi.product_uuid)" "$UUID"
  has_disk 0000:00:1f.2-ata-2 ahci "$(vbox_serial "$(vdi_uuid "$SOURCE/disk.vdi")")"
  has_pci 0000:00:1f.2 8086:2922
  has_pci 0000:00:16.0 1000:0054
  has_disk 0000:00:16.0-sas-phy0-lun-0 mptsas
  has_pci 0000:00:05.0 8086:2668 snd_hda_intel
  has_usb_controller ohci-pci 0000:00:06.0
  has_usb_controller ehci-pci 0000:00:0b
  processors 2
  memory
}

# Nothing on the disk leads to \EFI\debian\grubx64.efi but the entry in VirtualBox's variables.
vbox_efi_machine() {
  guest_disk 1
  vdi disk.vdi
  nic 0 0800271f0001 82540EM
  controller SATA AHCI 1 "0:0:$(vdi_uuid "$SOURCE/disk.vdi")"
  CHIPSET=ICH9
  FIRMWARE=EFI
  guest_vbox
}

case_vbox_efi() {
  vbox_efi_machine
  cp "$WORK/files/vbox.nvram" "$SOURCE/probe.nvram"
  boots
  has_nic_name enp0s3 080027_1f0001 e1000 0000:00:03.0
  equal "the UUID that the guest prints" "$(saw dmi.product_uuid)" "$UUID"
  has_disk 0000:00:1f.2-ata-1 ahci "$(vbox_serial "$(vdi_uuid "$SOURCE/disk.vdi")")"
  efi_entry 0004
}

# The entry is made of what is on the disk.
case_vbox_efi_without_variables() {
  vbox_efi_machine
  boots
  grep -q 'firmware.boot-entries-made' "$WORK/run/ferry.log" || fail "nothing is said of the entry"
  efi_entry 0000
}

case_vbox_efi_nobody_looked() {
  vbox_efi_machine
  does_not_boot --look-inside off
}

# VMware's names are hotplug slot numbers. Without the option cards lie on the root bus, and the report says which
# names the guest will see; the controllers and their disks are the same.
case_vmware_bios_pvscsi() {
  guest_disk 2
  vmdk disk.vmdk
  data_vmdk data.vmdk
  guest_vmx
  vmx_nic 0 00:50:56:2a:00:01 e1000 33
  vmx_nic 1 00:50:56:2a:00:02 vmxnet3 160
  vmx_controller scsi0 pvscsi 192
  vmx_disk scsi0:0 disk.vmdk
  vmx_controller sata0 "" 35
  vmx_disk sata0:1 data.vmdk
  echo 'bios.hddOrder = "scsi0:0"' >>"$SOURCE/probe.vmx"
  boots --smbios keep
  has_driver_of 00:50:56:2a:00:01 e1000
  has_driver_of 00:50:56:2a:00:02 vmxnet3
  vmware_identity
  has_boot_controller vmw_pvscsi 15ad:07c0
  processors 2
  memory
}

case_vmware_bios_sas_names_kept() {
  guest_disk 1
  vmdk disk.vmdk
  guest_vmx
  vmx_nic 0 00:50:56:2b:00:01 e1000 33
  vmx_nic 1 00:50:56:2b:00:02 vmxnet3 160
  vmx_nic 2 00:50:56:2b:00:03 e1000e 192
  vmx_controller scsi0 lsisas1068 161
  vmx_disk scsi0:0 disk.vmdk
  boots --nic-names keep
  has_name_of 00:50:56:2b:00:01 ens33 e1000
  has_name_of 00:50:56:2b:00:02 ens160 vmxnet3
  has_name_of 00:50:56:2b:00:03 ens192 e1000e
  equal "the UUID that the guest prints" "$(saw dmi.product_uuid)" "$VMX_UUID_LINUX"
  has_boot_controller mptsas 1000:0054
}

# The LSI53C1030 has no counterpart: the disk moves to a controller whose driver the guest's boot image has.
case_vmware_bios_lsilogic() {
  guest_disk 1
  vmdk disk.vmdk
  guest_vmx
  vmx_nic 0 00:50:56:2c:00:01 e1000 33
  vmx_controller scsi0 lsilogic 160
  vmx_disk scsi0:0 disk.vmdk
  boots
  grep -q 'critical: disk.controller-replaced' "$WORK/run/ferry.log" || fail "nothing is said of the controller"
  has_driver_of 00:50:56:2c:00:01 e1000
  has_boot_controller ata_piix 8086:7010
}

# An initramfs that was made for AHCI alone, on a machine whose controller has no counterpart: without a look it would
# get IDE.
host_only_machine() {
  mcopy -o -i "$WORK/run/disk.raw@@$((6144 * 512))" "$WORK/files/initrd.ahci" ::/initrd
  vmdk disk.vmdk
  root_disk root.vmdk
  guest_vmx
  vmx_nic 0 00:50:56:2e:00:01 e1000 33
  vmx_controller scsi0 lsilogic 160
  vmx_disk scsi0:0 disk.vmdk
  vmx_disk scsi0:1 root.vmdk
}

case_vmware_host_only_initramfs() {
  guest_disk 2
  host_only_machine
  boots -v
  grep -q 'guest.boot-driver-there' "$WORK/run/ferry.log" || fail "it is not said that the guest boots"
  has_boot_controller ahci 8086:2922
}

# And it is right that it would not boot there.
case_vmware_host_only_wrong_bus() {
  guest_disk 2
  guest_words ferry.need=sda
  host_only_machine
  starts --disk-bus ide
  grep -q 'guest.boot-driver\]' "$WORK/run/ferry.log" || fail "it is not said that the guest will not boot"
  wait_for_line '^\(initramfs\)' 600 "the guest has not ended in its initramfs' shell"
}

# OVMF has no driver for PVSCSI, so the disk moves to AHCI, which EFI guests of VMware have for their CD drive.
case_vmware_efi() {
  guest_disk 1
  vmdk disk.vmdk
  guest_vmx
  vmx_nic 0 00:50:56:2d:00:01 vmxnet3 192
  vmx_controller scsi0 pvscsi 160
  vmx_disk scsi0:0 disk.vmdk
  echo 'firmware = "efi"' >>"$SOURCE/probe.vmx"
  cp "$WORK/files/vmware.nvram" "$SOURCE/probe.nvram"
  echo 'nvram = "probe.nvram"' >>"$SOURCE/probe.vmx"
  boots --nic-names keep
  has_name_of 00:50:56:2d:00:01 ens192 vmxnet3
  equal "the UUID that the guest prints" "$(saw dmi.product_uuid)" "$VMX_UUID_LINUX"
  grep -q 'critical: disk.controller-replaced' "$WORK/run/ferry.log" || fail "nothing is said of the controller"
  has_boot_controller ahci 8086:2922
  efi_entry 0006
}

# ---- QEMU's own machines ----

# said_by FILE: what the guest said of the machine in it, but for clocks; a processor's flags, of which libvirt and QEMU
# leave out different ones where nobody asks; and boot entries, of which OVMF makes its own, for the network, only where
# no device has a boot order, as libvirt's have.
said_by() {
  tr -d '\r' <"$1" | grep -a -E '^[a-z]+[.=]' | grep -v -E '^(rtc|cpu\.flags|efi\.(BootOrder|Boot[0-9A-F]{4})=)' | sort
}

# guest_of_script SCRIPT SERIAL: runs it until the guest has said all.
guest_of_script() {
  "$1" >"$WORK/run/qemu.log" 2>&1 &
  script_pid=$!
  local until=$((SECONDS + 600))
  until grep -a -q '^guest: done' "$2" 2>/dev/null; do
    kill -0 "$script_pid" 2>/dev/null || break
    ((SECONDS < until)) || fail "the guest has not said 'guest: done' within 600 seconds"
    sleep 0.2
  done
  wait "$script_pid" || fail "the script does not run: $(cat "$WORK/run/qemu.log")"
  grep -a -q '^guest: done' "$2" || fail "the guest has ended early: $(cat "$WORK/run/qemu.log")"
}

# A script's machine with firmware, a TPM, two cards and two disks; then its domain; then the script that is written of
# that: the guest finds the same each time, its boot entry too, which only the variables have.
case_qemu_efi_tpm() {
  command -v swtpm_setup >/dev/null || { echo "skipped: swtpm-tools is not installed"; exit 77; }
  [[ -e /usr/share/OVMF/OVMF_CODE_4M.fd ]] || { echo "skipped: OVMF is not installed"; exit 77; }
  guest_disk 2
  image qcow2 "$SOURCE/disk.qcow2"
  qemu-img create -q -f raw "$SOURCE/data.img" 4M
  qemu-img convert -f raw -O qcow2 "$WORK/files/ovmf.fd" "$SOURCE/vars.qcow2"
  mkdir "$SOURCE/tpm"
  swtpm_setup --tpm2 --tpmstate "$SOURCE/tpm" >"$WORK/run/setup.log" 2>&1 || { echo "skipped: swtpm_setup does not work here"; exit 77; }
  local uuid=3f6a1b62-08d4-4d1c-9f3e-6d1f0a2b7c55 port
  port=$(free_port)
  cat >"$SOURCE/vm.sh" <<EOF
#!/bin/bash
cd "\$(dirname "\$0")" || exit 1
swtpm socket --tpm2 --tpmstate "dir=$SOURCE/tpm" --ctrl type=unixio,path=$WORK/run/tpm.sock --terminate --daemon
args=(-name $NAME -M q35,smm=off -cpu max -m $MEMORY -smp 2 -uuid $uuid -display none -no-reboot
  -drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd -drive if=pflash,format=qcow2,file=vars.qcow2
  -chardev socket,id=chrtpm,path=$WORK/run/tpm.sock -tpmdev emulator,id=tpm0,chardev=chrtpm -device tpm-crb,tpmdev=tpm0
  -smbios type=1,manufacturer=Somebody,serial=S-1
  -netdev user,id=net,hostfwd=tcp:127.0.0.1:$port-:22 -device e1000,netdev=net,mac=52:54:00:c9:18:27
  -netdev user,id=other -device virtio-net-pci,netdev=other,mac=52:54:00:c9:18:28,addr=a
  -drive if=none,id=disk,format=qcow2,file=disk.qcow2 -device ide-hd,bus=ide.1,drive=disk,serial=SYSTEM-1
  -drive if=none,id=data,format=raw,file=data.img -device virtio-blk-pci,drive=data,serial=DATA-1
  -device qemu-xhci -device usb-tablet -device virtio-rng-pci
  -serial "file:$SOURCE_SERIAL")
exec qemu-system-x86_64 "\${args[@]}"
EOF
  chmod +x "$SOURCE/vm.sh"
  # The guest of the first start changes variables and TPM, as any does: what is carried is what it left.
  guest_of_script "$SOURCE/vm.sh" "$SOURCE_SERIAL"
  cp "$SOURCE_SERIAL" "$WORK/run/first.log"
  rm "$SOURCE_SERIAL"
  equal "the entry that the source's firmware has started" "$(sed -n 's/^efi.BootCurrent=//p' "$WORK/run/first.log" | tr -d '\r')" 0700
  grep -a -q '^tpm.version=2' "$WORK/run/first.log" || fail "the guest of the source finds no TPM"

  starts
  wait_for_line '^guest: done' 600 "the guest of the domain has not said 'guest: done'"
  equal "the UUID that the guest prints" "$(saw dmi.product_uuid)" "$uuid"
  has_nic_name enp0s2 525400_c91827 e1000 0000:00:02.0
  has_nic_name enp0s10 525400_c91828 virtio-pci 0000:00:0a.0
  has_disk 0000:00:1f.2-ata-2 ahci SYSTEM-1
  efi_entry 0007
  equal "what the guest sees in the domain" "$(diff <(said_by "$WORK/run/first.log") <(said_by "$SERIAL"))" ""
  local until=$((SECONDS + 60))
  until [[ $(virsh domstate "$NAME") == "shut off" ]]; do
    ((SECONDS < until)) || virsh -q destroy "$NAME"
    sleep 0.2
  done

  rm "$SERIAL"
  ferry_status 0 script "$NAME" -o "$WORK/run/again.sh"
  if command -v shellcheck >/dev/null; then shellcheck "$WORK/run/again.sh" || fail "shellcheck has words for the script"; fi
  grep -q -- "hostfwd=tcp:127.0.0.1:$port-:22" "$WORK/run/again.sh" || fail "the script forwards no port"
  guest_of_script "$WORK/run/again.sh" "$SERIAL"
  efi_entry 0007
  equal "what the guest sees by the script" "$(diff <(said_by "$WORK/run/first.log") <(said_by "$SERIAL"))" ""
}

# ---- virt-ferry test ----

# guest_words WORDS: for the kernel's command line, which come last and win.
guest_words() {
  local esp=$((6144 * 512))
  echo "set ferry=\"ferry.disks=1 $*\"" >"$WORK/run/wanted.cfg"
  mcopy -o -i "$WORK/run/disk.raw@@$esp" "$WORK/run/wanted.cfg" ::/wanted.cfg
}

# migrated_for_test: BIOS, one card, one disk.
migrated_for_test() {
  vdi disk.vdi
  nic 0 080027230001 82540EM
  controller SATA AHCI 1 "0:0:$(vdi_uuid "$SOURCE/disk.vdi")"
  guest_vbox
  ferry_status 0 migrate "$SOURCE"
}

# tested STATUS WORDS
tested() {
  ferry_status "$1" test "$NAME"
  grep -q -i -F "$2" "$WORK/run/ferry.log" || fail "the test does not say '$2'"
  equal "the machines that run" "$(virsh -q list --name)" ""
}

case_test_kernel_panic() {
  guest_disk 1
  guest_words "rdinit=/nothing root=/dev/none panic=0 ignore_loglevel console=tty0"
  migrated_for_test
  tested 3 "does not boot: a kernel panic"
}

case_test_grub() {
  guest_disk 1
  mlabel -i "$WORK/run/disk.raw@@$((6144 * 512))" ::OTHER
  migrated_for_test
  tested 3 "does not boot: GRUB's"
}

case_test_uefi_shell() {
  guest_disk 1
  mdel -i "$WORK/run/disk.raw@@$((6144 * 512))" ::/EFI/debian/grubx64.efi
  FIRMWARE=EFI
  CHIPSET=ICH9
  migrated_for_test
  tested 3 "does not boot: the"
}

case_test_agent() {
  guest_disk 1
  guest_words ferry.agent=1
  migrated_for_test
  tested 0 "boots: the guest agent answers"
  grep -q 'ferry-guest, Ferry Linux' "$WORK/run/ferry.log" || fail "the guest's name and system are not told"
  # And the source as it lies there.
  local before
  before=$(fingerprint)
  ferry_status 0 test "$SOURCE"
  equal "the source after the test" "$(fingerprint)" "$before"
}

# ---- virt-ferry finish ----

definition() { virsh dumpxml --inactive --security-info "$NAME"; }

# From AHCI and e1000 to virtio and back: the names that the guest uses stay, and the definition comes back byte for
# byte.
case_finish_switch() {
  guest_disk 1
  guest_words ferry.agent=1 ferry.need=sda
  migrated_for_test
  local before prepared
  before=$(definition)
  ferry_status 0 finish "$NAME"
  grep -q 'sda on sata, not virtio' "$WORK/run/ferry.log" || fail "what is there is not told"
  equal "the definition after a look" "$(definition)" "$before"
  ferry_status 0 finish "$NAME" --prepare
  prepared=$(definition)
  grep -q 'ua-ferry-spare-disk' <<<"$prepared" || fail "there is no spare disk"
  virsh -q start "$NAME"
  wait_for_line '^guest: done' 600 "the guest with the spares has not said 'guest: done'"
  has_nic_name enp0s3 080027_230001 e1000 0000:00:03.0
  grep -a -q '^pci\..*=1af4:1004' "$SERIAL" || fail "there is no spare virtio-scsi controller of the transitional kind"
  # The guest's agent knows no shutdown, and it has no ACPI daemon: its user switches it off.
  virsh -q destroy "$NAME"
  : >"$SERIAL"
  ferry_status 0 finish "$NAME" --switch
  grep -q 'boots: the guest agent answers' "$WORK/run/ferry.log" || fail "it was not seen to boot on virtio"
  ! definition | grep -q 'ua-ferry-spare' || fail "the spares are still there"
  virsh -q start "$NAME"
  wait_for_line '^guest: done' 600 "the guest on virtio has not said 'guest: done'"
  has_nic_name enp0s3 080027_230001 virtio-pci 0000:00:03.0
  equal "the disk's path" "$(disk_at 0000:00:0d.0-scsi-0:0:0:0)" sda
  virsh -q destroy "$NAME"
  ferry_status 0 finish "$NAME" --undo
  equal "the definition after the switch was taken back" "$(definition)" "$prepared"
  ferry_status 0 finish "$NAME" --undo
  equal "the definition after all was taken back" "$(definition)" "$before"
  [[ ! -e $IMAGES/$NAME-spare.qcow2 ]] || fail "the spare disk's image is still there"
  ferry_status 3 finish "$NAME" --undo
}

# A guest that cannot find its disk on virtio is not switched, whatever else it has.
case_finish_refused() {
  guest_disk 1
  guest_words ferry.agent=1 ferry.need=sda module_blacklist=virtio_scsi ignore_loglevel console=tty0
  migrated_for_test
  local before
  before=$(definition)
  ferry_status 3 finish "$NAME" --switch
  grep -q "does not boot: the initramfs' shell" "$WORK/run/ferry.log" || fail "it is not said what was seen"
  equal "the definition" "$(definition)" "$before"
  # A change of the user's own stays, and is not thrown away by an undo.
  ferry_status 0 finish "$NAME" --switch --disk keep
  virsh -q setmaxmem "$NAME" 500M --config
  ferry_status 3 finish "$NAME" --undo
  ferry_status 0 finish "$NAME" --undo --force
  equal "the definition after a forced undo" "$(definition)" "$before"
}

# What its agent says keeps a guest without its drivers from being switched, and from being shut down for it; put into
# its initial RAM disk, they are seen to boot.
case_finish_repair() {
  guest_disk 1
  guest_words ferry.agent=1 ferry.need=sda ferry.initramfs=dep module_blacklist=virtio_scsi
  migrated_for_test
  local before until
  before=$(definition)
  ferry_status 3 finish "$NAME" --repair-initramfs
  virsh -q start "$NAME"
  wait_for_line '^guest: done' 600 "the guest has not said 'guest: done'"
  until=$((SECONDS + 300))
  until virsh -q qemu-agent-command "$NAME" '{"execute":"guest-ping"}' >/dev/null 2>&1; do
    ((SECONDS < until)) || fail "the guest's agent does not answer"
    sleep 1
  done
  ferry_status 0 finish "$NAME"
  grep -q 'missing .* has no virtio_scsi' "$WORK/run/ferry.log" || fail "it is not said what is missing"
  grep -q 'proven .* has virtio_net' "$WORK/run/ferry.log" || fail "it is not said what is proven"
  ferry_status 3 finish "$NAME" --switch
  grep -q 'not switched, nor tried' "$WORK/run/ferry.log" || fail "it is not said that it was not tried"
  equal "the machine" "$(virsh domstate "$NAME" | head -n 1)" running
  ferry_status 0 finish "$NAME" --repair-initramfs
  grep -q '/etc/initramfs-tools/modules' "$WORK/run/ferry.log" || fail "it is not said what was written"
  grep -q 'proven .* has virtio_scsi' "$WORK/run/ferry.log" || fail "the repair has repaired nothing"
  virsh -q destroy "$NAME"
  ferry_status 0 finish "$NAME" --switch
  grep -q 'boots: the guest agent answers' "$WORK/run/ferry.log" || fail "it was not seen to boot on virtio"
  ferry_status 0 finish "$NAME" --undo
  equal "the definition after the switch was taken back" "$(definition)" "$before"
}
