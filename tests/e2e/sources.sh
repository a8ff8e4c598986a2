# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Makes the probe machine in the source platforms' forms, below $SOURCE. $WORK/run/disk.raw is its disk's content.
# The variables are for the cases to set before.

NAME=probe
UUID=5c0f4a3e-8d21-4b67-9e15-7a3c2d1b0f96
MAC=080027C0FFEE
GUEST=Other
MEMORY=64
CPUS=1

# The same UUID's bytes: as they stand in the text, and with the first three fields little-endian.
plain_bytes() { tr -d - <<<"$1"; }
little_bytes() { plain_bytes "$1" | sed -E 's/^(..)(..)(..)(..)(..)(..)(..)(..)/\4\3\2\1\6\5\8\7/'; }

# make_disk BYTES: the probe's disk, longer, with a last sector that says so.
make_disk() {
  cp "$WORK/probe.raw" "$WORK/run/disk.raw"
  chmod u+w "$WORK/run/disk.raw"
  truncate -s "$1" "$WORK/run/disk.raw"
  printf '%-512s' "virt-ferry probe disk, the last of $1 bytes" |
    dd of="$WORK/run/disk.raw" bs=512 seek=$(($1 / 512 - 1)) conv=notrunc status=none
}

# image FORMAT FILE [OPTIONS]
image() { qemu-img convert -f raw -O "$1" ${3:+-o "$3"} "$WORK/run/disk.raw" "$2"; }

# The UUID in a VDI's header.
vdi_uuid() {
  local hex
  hex=$(od -An -tx1 -j 392 -N 16 "$1" | tr -d ' \n')
  printf '%s' "${hex:6:2}${hex:4:2}${hex:2:2}${hex:0:2}-${hex:10:2}${hex:8:2}-${hex:14:2}${hex:12:2}-${hex:16:4}-${hex:20:12}"
}

# "VB%08x-%08x" of the UUID's first and last four bytes as they lie in the VDI, read little-endian.
vbox_serial() {
  local bytes
  bytes=$(little_bytes "$1")
  printf 'VB%s%s%s%s-%s%s%s%s' "${bytes:6:2}" "${bytes:4:2}" "${bytes:2:2}" "${bytes:0:2}" \
    "${bytes:30:2}" "${bytes:28:2}" "${bytes:26:2}" "${bytes:24:2}"
}

# ---- VirtualBox ----

# What else a machine has, as XML: after <Memory>, after <Network>, and the cards where it is not the one with $MAC.
BOARD=
DEVICES=
NICS=
VIDEO='VRAMSize="16"'

# vbox_disk FILE FORMAT UUID: a disk of the registry.
vbox_disk() { printf '        <HardDisk uuid="{%s}" location="%s" format="%s" type="Normal"/>\n' "$3" "$1" "$2"; }

# vbox_controller NAME TYPE PORTS PORT:DEVICE:UUID...: a controller with these disks.
vbox_controller() {
  local drive rest
  printf '        <StorageController name="%s" type="%s" PortCount="%s" useHostIOCache="false" Bootable="true">\n' "$1" "$2" "$3"
  shift 3
  for drive in "$@"; do
    rest=${drive#*:}
    printf '          <AttachedDevice type="HardDisk" hotpluggable="false" port="%s" device="%s"><Image uuid="{%s}"/></AttachedDevice>\n' \
      "${drive%%:*}" "${rest%%:*}" "${rest#*:}"
  done
  echo '        </StorageController>'
}

# vbox_nic SLOT MAC MODEL
vbox_nic() {
  printf '        <Adapter slot="%s" enabled="true" MACAddress="%s" type="%s"><NAT/></Adapter>\n' "$1" "${2^^}" "$3"
}

# vbox_hardware CONTROLLERS [MORE-IN-BIOS]
vbox_hardware() {
  cat <<XML
    <Hardware>
      <CPU count="$CPUS">
        <PAE enabled="true"/>
        <LongMode enabled="true"/>
      </CPU>
      <Memory RAMSize="$MEMORY"/>
      $BOARD
      <Display $VIDEO/>
      <BIOS>
        <IOAPIC enabled="true"/>
        ${2:-}
      </BIOS>
      <Network>
${NICS:-$(vbox_nic 0 "$MAC" 82540EM)}
      </Network>
      $DEVICES
      <UART>
        <Port slot="0" enabled="true" IOBase="0x3f8" IRQ="4" path="$SOURCE_SERIAL" hostMode="RawFile"/>
      </UART>
      <RTC localOrUTC="UTC"/>
      <StorageControllers>
$1
      </StorageControllers>
    </Hardware>
XML
}

# vbox_machine DISKS CONTROLLERS [MORE-IN-BIOS [SNAPSHOTS ATTRIBUTES]]: $SOURCE/probe.vbox
vbox_machine() {
  cat >"$SOURCE/probe.vbox" <<XML
<?xml version="1.0"?>
<VirtualBox xmlns="http://www.virtualbox.org/" version="1.19-linux">
  <Machine uuid="{$UUID}" name="$NAME" OSType="$GUEST" snapshotFolder="Snapshots" ${5:-}>
    <MediaRegistry>
      <HardDisks>
$1
      </HardDisks>
    </MediaRegistry>
${4:-}
$(vbox_hardware "$2" "${3:-}")
  </Machine>
</VirtualBox>
XML
}

# vdi_state FILE [PARENT BLOCK LETTER]: a VDI of $WORK/run/disk.raw; with PARENT, a differencing image on it that holds
# one block of 1 MiB, full of LETTER. qemu-img makes no such image, but one block in an otherwise empty VDI: its type
# and links are written into the header (offsets: converters/images/vdi.cpp).
vdi_state() {
  if [[ -z ${2:-} ]]; then
    image vdi "$1"
    return
  fi
  local block=$WORK/run/block.raw
  rm -f "$block"
  truncate -s "$(stat -c %s "$WORK/run/disk.raw")" "$block"
  head -c 1M /dev/zero | tr '\0' "$4" | dd of="$block" bs=1M seek="$3" conv=notrunc status=none
  qemu-img convert -f raw -O vdi "$block" "$1"
  printf '\004' | dd of="$1" bs=1 seek=76 conv=notrunc status=none
  dd if="$2" of="$1" bs=1 skip=392 seek=424 count=16 conv=notrunc status=none
  dd if="$2" of="$1" bs=1 skip=408 seek=440 count=16 conv=notrunc status=none
}

# vbox_snapshot NUMBER IMAGE-UUID [MORE-IN-BIOS [CHILDREN]]: the snapshot "s1", with the hardware that the machine has.
vbox_snapshot() {
  cat <<XML
    <Snapshot uuid="{5aa50000-0000-4000-8000-00000000000$1}" name="s$1" timeStamp="2024-05-0$1T10:00:00Z">
$(vbox_hardware "$(vbox_controller disks AHCI 2 "0:0:$2")" "${3:-}")
      <Snapshots>
${4:-}
      </Snapshots>
    </Snapshot>
XML
}

# vbox_tree [BIOS-OF-S1]: $SOURCE/probe.vbox with snapshots. s1 has two children: s2, on which the machine goes on,
# and s3. Block 2 of the disk tells the states apart: s1 has that of disk.raw, s2 "b", s3 "c", the machine "d".
vbox_tree() {
  local base=$SOURCE/base.vdi number registry
  vdi_state "$base"
  vdi_state "$SOURCE/2.vdi" "$base" 2 b
  vdi_state "$SOURCE/3.vdi" "$base" 2 c
  vdi_state "$SOURCE/4.vdi" "$SOURCE/2.vdi" 2 d
  local -a id
  id[1]=$(vdi_uuid "$base")
  for number in 2 3 4; do id[number]=$(vdi_uuid "$SOURCE/$number.vdi"); done
  local child='        <HardDisk uuid="{%s}" location="%s" format="VDI"%s>%s</HardDisk>\n'
  # shellcheck disable=SC2059 # the format is the variable's purpose
  registry=$(printf "$child" "${id[1]}" base.vdi ' type="Normal"' \
    "$(printf "$child" "${id[2]}" 2.vdi '' "$(printf "$child" "${id[4]}" 4.vdi '' '')"; printf "$child" "${id[3]}" 3.vdi '' '')")
  vbox_machine "$registry" "$(vbox_controller disks AHCI 2 "0:0:${id[4]}")" "" \
    "$(vbox_snapshot 1 "${id[1]}" "${1:-}" "$(vbox_snapshot 2 "${id[2]}"; vbox_snapshot 3 "${id[3]}")")" \
    'currentSnapshot="{5aa50000-0000-4000-8000-000000000002}"'
}

# vbox CONTROLLER-TYPE DISK-FILE DISK-FORMAT DISK-UUID [MORE-IN-BIOS]: $SOURCE/probe.vbox with one disk.
vbox() {
  vbox_machine "$(vbox_disk "$2" "$3" "$4")" "$(vbox_controller disks "$1" 2 "0:0:$4")" "${5:-}"
}

# ---- VMware ----

# vmx_machine UUID-BYTES GUEST: $SOURCE/probe.vmx, to which the other functions add.
vmx_machine() {
  cat >"$SOURCE/probe.vmx" <<VMX
.encoding = "UTF-8"
config.version = "8"
virtualHW.version = "19"
displayName = "$NAME"
guestOS = "$2"
memsize = "$MEMORY"
numvcpus = "$CPUS"
uuid.bios = "$(sed -E 's/(..)/\1 /g; s/ $//; s/^(.{23}) /\1-/' <<<"$1")"
serial0.present = "TRUE"
serial0.fileType = "file"
serial0.fileName = "$SOURCE_SERIAL"
VMX
}

# vmx_nic NUMBER MAC MODEL SLOT
vmx_nic() {
  cat >>"$SOURCE/probe.vmx" <<VMX
ethernet$1.present = "TRUE"
ethernet$1.virtualDev = "$3"
ethernet$1.connectionType = "nat"
ethernet$1.addressType = "static"
ethernet$1.address = "$2"
ethernet$1.pciSlotNumber = "$4"
VMX
}

# vmx_controller NAME MODEL SLOT; SATA controllers have no model.
vmx_controller() {
  echo "$1.present = \"TRUE\"" >>"$SOURCE/probe.vmx"
  [[ -z $2 ]] || echo "$1.virtualDev = \"$2\"" >>"$SOURCE/probe.vmx"
  echo "$1.pciSlotNumber = \"$3\"" >>"$SOURCE/probe.vmx"
}

# vmx_disk PLACE FILE: "scsi0:0"
vmx_disk() {
  printf '%s.present = "TRUE"\n%s.fileName = "%s"\n' "$1" "$1" "$2" >>"$SOURCE/probe.vmx"
}

# vmx UUID-BYTES CONTROLLER MODEL SLOT NIC-MODEL: $SOURCE/probe.vmx with the disk probe.vmdk and one card.
vmx() {
  vmx_machine "$1" other
  vmx_controller "$2" "$3" "$4"
  vmx_disk "$2:0" probe.vmdk
  vmx_nic 0 00:50:56:3a:7b:11 "$5" 33
}

# ---- packages ----

# ova: $SOURCE/probe.ova as VirtualBox exports it in OVF 1.0, with a manifest of SHA-256 digests.
ova() {
  local folder=$WORK/run/ova disk_uuid=0c8ad4b5-6f0e-4f0b-8f3e-3f1d3a5b7c91
  mkdir -p "$folder"
  image vmdk "$folder/probe-disk001.vmdk" subformat=streamOptimized
  cat >"$folder/probe.ovf" <<XML
<?xml version="1.0"?>
<Envelope ovf:version="1.0" xml:lang="en-US" xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData" xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:vbox="http://www.virtualbox.org/ovf/machine">
  <References>
    <File ovf:id="file1" ovf:href="probe-disk001.vmdk"/>
  </References>
  <DiskSection>
    <Info>List of the virtual disks used in the package</Info>
    <Disk ovf:capacity="$(stat -c %s "$WORK/run/disk.raw")" ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized" vbox:uuid="$disk_uuid"/>
  </DiskSection>
  <NetworkSection>
    <Info>Logical networks used in the package</Info>
    <Network ovf:name="NAT">
      <Description>Logical network used by this appliance.</Description>
    </Network>
  </NetworkSection>
  <VirtualSystem ovf:id="$NAME">
    <Info>A virtual machine</Info>
    <OperatingSystemSection ovf:id="1">
      <Info>The kind of installed guest operating system</Info>
      <Description>$GUEST</Description>
      <vbox:OSType ovf:required="false">$GUEST</vbox:OSType>
    </OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>Virtual hardware requirements for a virtual machine</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>$NAME</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>virtualbox-2.2</vssd:VirtualSystemType>
      </System>
      <Item>
        <rasd:Caption>$CPUS virtual CPU</rasd:Caption>
        <rasd:InstanceID>1</rasd:InstanceID>
        <rasd:ResourceType>3</rasd:ResourceType>
        <rasd:VirtualQuantity>$CPUS</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:AllocationUnits>MegaBytes</rasd:AllocationUnits>
        <rasd:Caption>$MEMORY MB of memory</rasd:Caption>
        <rasd:InstanceID>2</rasd:InstanceID>
        <rasd:ResourceType>4</rasd:ResourceType>
        <rasd:VirtualQuantity>$MEMORY</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:Address>0</rasd:Address>
        <rasd:Caption>sataController0</rasd:Caption>
        <rasd:InstanceID>3</rasd:InstanceID>
        <rasd:ResourceSubType>AHCI</rasd:ResourceSubType>
        <rasd:ResourceType>20</rasd:ResourceType>
      </Item>
      <Item>
        <rasd:AddressOnParent>0</rasd:AddressOnParent>
        <rasd:Caption>disk1</rasd:Caption>
        <rasd:HostResource>/disk/vmdisk1</rasd:HostResource>
        <rasd:InstanceID>4</rasd:InstanceID>
        <rasd:Parent>3</rasd:Parent>
        <rasd:ResourceType>17</rasd:ResourceType>
      </Item>
      <Item>
        <rasd:AutomaticAllocation>true</rasd:AutomaticAllocation>
        <rasd:Caption>Ethernet adapter on 'NAT'</rasd:Caption>
        <rasd:Connection>NAT</rasd:Connection>
        <rasd:InstanceID>5</rasd:InstanceID>
        <rasd:ResourceSubType>E1000</rasd:ResourceSubType>
        <rasd:ResourceType>10</rasd:ResourceType>
      </Item>
    </VirtualHardwareSection>
    <vbox:Machine ovf:required="false" version="1.19-linux" uuid="{$UUID}" name="$NAME" OSType="$GUEST" snapshotFolder="Snapshots">
      <ovf:Info>Complete VirtualBox machine configuration in VirtualBox format</ovf:Info>
$(vbox_hardware "$(vbox_controller disks AHCI 1 "0:0:$disk_uuid")")
    </vbox:Machine>
  </VirtualSystem>
</Envelope>
XML
  (
    cd "$folder" || exit
    sha256sum probe.ovf probe-disk001.vmdk | sed -E 's/^([0-9a-f]+)  (.*)$/SHA256 (\2)= \1/' >probe.mf
    tar --format=ustar -cf "$SOURCE/probe.ova" probe.ovf probe.mf probe-disk001.vmdk
  )
}

# ---- QEMU ----

# A port of the host that nobody listens on.
free_port() {
  local port
  for ((port = 20000 + $$ % 20000; ; port++)); do
    (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

# The PCI functions that QEMU gives the machine below, as slot.function.
# shellcheck disable=SC2034 # of those who source this
MACOS_FUNCTIONS="0.0 1.0 2.0 3.0 4.0 29.0 29.1 29.2 29.7 31.0 31.2 31.3"

# $SOURCE/basic.sh: the form of macOS-Simple-KVM's, with test disks. Fails where there is no firmware.
macos_script() {
  mkdir "$SOURCE/firmware"
  cp /usr/share/OVMF/OVMF_CODE.fd "$SOURCE/firmware/code.fd" 2>/dev/null || return 1
  cp /usr/share/OVMF/OVMF_VARS.fd "$SOURCE/firmware/vars.fd"
  make_disk $((3 * 1024 * 1024))
  image qcow2 "$SOURCE/ESP.qcow2"
  cp "$WORK/run/disk.raw" "$SOURCE/BaseSystem.img"
  cat >"$SOURCE/basic.sh" <<'EOF'
#!/bin/bash
OSK="thesewordsareguardedbyapplesfriends"
VMDIR=$PWD
OVMF=$VMDIR/firmware
qemu-system-x86_64 \
    -m 256 \
    -machine q35 \
    -smp 4,cores=2 \
    -cpu Penryn,vendor=GenuineIntel,kvm=on,+sse3,+sse4.2,+aes,+xsave,+avx,+xsaveopt,+avx2,+bmi2,+smep,+bmi1,+fma,+movbe,+invtsc \
    -device isa-applesmc,osk="$OSK" \
    -smbios type=2 \
    -drive if=pflash,format=raw,readonly,file="$OVMF/code.fd" \
    -drive if=pflash,format=raw,file="$OVMF/vars.fd" \
    -vga qxl \
    -device ich9-intel-hda -device hda-output \
    -usb -device usb-kbd -device usb-tablet \
    -netdev user,id=net0 \
    -device e1000-82545em,netdev=net0,id=net0,mac=52:54:00:c9:18:27 \
    -device ich9-ahci,id=sata \
    -drive id=ESP,if=none,format=qcow2,file=ESP.qcow2 \
    -device ide-hd,bus=sata.2,drive=ESP \
    -drive id=InstallMedia,format=raw,if=none,file=BaseSystem.img \
    -device ide-hd,bus=sata.3,drive=InstallMedia \
EOF
}

# pci_functions DOMAIN: those of bus 0, by a domain that runs.
pci_functions() {
  virsh qemu-monitor-command "$1" --hmp 'info pci' | tr -d '\r' |
    sed -nE 's/^ *Bus +0, device +([0-9]+), function ([0-9]+):.*/\1.\2/p' | sort -V | tr '\n' ' ' | xargs
}
