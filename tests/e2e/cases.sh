# shellcheck shell=bash disable=SC2034,SC2153
# SPDX-License-Identifier: Apache-2.0
# The cases, one function each; session.sh runs the one that it is told. What a guest saw on the source platform is
# known by the platform's own rules: slots, ids and byte orders are written out here.

MIB=$((1024 * 1024))
# Four extents of split VMDK and a size that 32 bits do not hold.
BIG=$((6 * 1024 * MIB))

# VirtualBox lays the UUID into the table as plain bytes unless it is told otherwise; a guest of a kind that is not
# known keeps the bytes.
case_vbox_sata() {
  make_disk $((3 * MIB))
  image vdi "$SOURCE/probe.vdi"
  local uuid
  uuid=$(vdi_uuid "$SOURCE/probe.vdi")
  vbox AHCI probe.vdi VDI "$uuid"
  migrate "$SOURCE/probe.vbox"
  same_machine "$(plain_bytes "$UUID")"
  device 00:03.0 8086:100e 020000
  equal "the MAC" "$(saw mac.00:03.0)" 080027c0ffee
  device 00:0d.0 8086:2922 010601
  # VirtualBox: "VB", the first and the last 32 bits of the image's UUID.
  equal "the disk's serial number" "$(saw ahci.00:0d.0.00.serial)" "$(vbox_serial "$uuid")"
}

# A Linux guest prints the UUID of VirtualBox's SMBIOS 2.5 as plain bytes, and of QEMU's 2.8 little-endian: so that it
# prints the same, the bytes must be swapped.
case_vbox_ide() {
  GUEST=Linux26
  MAC=08002712ABCD
  make_disk $((3 * MIB))
  image vdi "$SOURCE/probe.vdi"
  local uuid
  uuid=$(vdi_uuid "$SOURCE/probe.vdi")
  vbox PIIX4 probe.vdi VDI "$uuid"
  migrate "$SOURCE/probe.vbox"
  same_machine "$(little_bytes "$UUID")"
  device 00:03.0 8086:100e 020000
  equal "the MAC" "$(saw mac.00:03.0)" 08002712abcd
  equal "the class of the IDE controller" "$(saw pci.00:01.1 | sed 's/.* 0101.*/0101/')" 0101
  equal "the disk's serial number" "$(saw ata.1f0.0.serial)" "$(vbox_serial "$uuid")"
}

# Told to write the UUID little-endian, VirtualBox does as QEMU does.
case_vbox_little_endian() {
  MEMORY=96
  CPUS=3
  make_disk $((3 * MIB))
  image vdi "$SOURCE/probe.vdi"
  vbox AHCI probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")" '<SmbiosUuidLittleEndian enabled="true"/>'
  migrate "$SOURCE"
  same_machine "$(little_bytes "$UUID")"
}

# uuid.bios is the bytes as they lie in the table.
case_vmx_split() {
  make_disk "$BIG"
  image vmdk "$SOURCE/probe.vmdk" subformat=twoGbMaxExtentSparse
  [[ -e $SOURCE/probe-s003.vmdk ]] || fail "the source has no three extents"
  vmx 564ddf0fb3edb2ff07826f119b001d57 scsi0 lsisas1068 160 e1000
  migrate "$SOURCE/probe.vmx"
  same_machine 564ddf0fb3edb2ff07826f119b001d57
  has_device 1000:0054
  has_nic 8086:100f 0050563a7b11
}

case_vmx_sparse() {
  make_disk $((4 * MIB))
  image vmdk "$SOURCE/probe.vmdk" subformat=monolithicSparse
  vmx 564d0011223344556677889900aabbcc scsi0 pvscsi 160 vmxnet3
  migrate "$SOURCE/probe.vmx" --verify
  same_machine 564d0011223344556677889900aabbcc
  has_device 15ad:07c0
  has_nic 15ad:07b0 0050563a7b11
}

# A device with that id, wherever.
has_device() { grep -q "^pci\..*=$1 " "$SERIAL" || fail "there is no PCI device $1"; }

# has_nic ID MAC
has_nic() {
  local where
  where=$(sed -n "s/^pci\.\([^=]*\)=$1 .*/\1/p" "$SERIAL" | head -n 1)
  [[ -n $where ]] || fail "there is no network card $1"
  equal "the MAC of the card at $where" "$(saw "mac.$where")" "$2"
}

case_ova() {
  make_disk $((4 * MIB))
  ova
  migrate "$SOURCE/probe.ova"
  same_machine "$(plain_bytes "$UUID")"
  device 00:03.0 8086:100e 020000
  equal "the MAC" "$(saw mac.00:03.0)" 080027c0ffee
  device 00:0d.0 8086:2922 010601
}

# The manifest is not there for show: one bit of the disk is enough to be refused, and nothing is left.
case_ova_damaged() {
  make_disk $((4 * MIB))
  ova
  printf 'x' | dd of="$SOURCE/probe.ova" bs=1 seek=$(($(stat -c %s "$SOURCE/probe.ova") - 20000)) conv=notrunc status=none
  ferry_status 3 migrate "$SOURCE/probe.ova"
  grep -q 'probe-disk001.vmdk' "$WORK/run/ferry.log" || fail "the message does not name the member"
  nothing_left
}

# No domain and no file of ours. What a guest has written to its serial port is its user's.
nothing_left() {
  equal "the domains" "$(virsh -q list --all --name)" ""
  equal "the files in the session's folder" "$(find "$IMAGES" -mindepth 1 ! -path "$SERIAL" 2>/dev/null || true)" ""
  equal "the variable stores" "$(find "$STORES" -mindepth 1 2>/dev/null || true)" ""
}

# The machine of the repository, as README.md's example has it.
case_fixture() {
  cp "$WORK/test/probe-machine/"* "$SOURCE/"
  # This build's disk: another build tree may have made the one in the repository.
  cp "$WORK/probe.raw" "$SOURCE/probe-flat.vmdk"
  cp "$WORK/probe.raw" "$WORK/run/disk.raw"
  migrate "$SOURCE"
  same_machine "$(plain_bytes "$UUID")"
  device 00:03.0 8086:100e 020000
  equal "the MAC" "$(saw mac.00:03.0)" 080027c0ffee
}

small_machine() {
  make_disk $((3 * MIB))
  image vdi "$SOURCE/probe.vdi"
  vbox AHCI probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")"
}

case_new_mac() {
  small_machine
  migrate "$SOURCE" --mac new
  local mac
  mac=$(saw mac.00:03.0)
  equal "the new MAC's vendor part" "${mac:0:6}" 525400
  same_machine "$(plain_bytes "$UUID")"
}

case_given_mac_and_uuid() {
  small_machine
  migrate "$SOURCE" --mac 1=52:54:00:12:34:56 --uuid 11223344-5566-7788-99aa-bbccddeeff00
  equal "the MAC" "$(saw mac.00:03.0)" 525400123456
  equal "the UUID's bytes" "$(saw smbios.uuid)" "$(little_bytes 11223344-5566-7788-99aa-bbccddeeff00)"
}

case_new_uuid() {
  small_machine
  migrate "$SOURCE" --uuid new
  local seen
  seen=$(saw smbios.uuid)
  [[ $seen != "$(plain_bytes "$UUID")" && $seen != "$(little_bytes "$UUID")" ]] || fail "the UUID is the old one"
  equal "the UUID's bytes" "$seen" "$(little_bytes "$(virsh domuuid "$NAME" | head -n 1)")"
  equal "the MAC" "$(saw mac.00:03.0)" 080027c0ffee
}

# A second machine of the same name is refused, and the first one is left alone.
case_name_taken() {
  small_machine
  migrate "$SOURCE"
  local before
  before=$(virsh dumpxml --inactive "$NAME"; cd "$IMAGES" && find . -printf '%P %s\n' | sort)
  ferry_status 3 migrate "$SOURCE"
  grep -q -e '--name' "$WORK/run/ferry.log" || fail "the message does not name the option that helps"
  equal "the first machine" "$(virsh dumpxml --inactive "$NAME"; cd "$IMAGES" && find . -printf '%P %s\n' | sort)" "$before"
  equal "the first machine's state" "$(virsh domstate "$NAME" | head -n 1)" running
}

# content_is IMAGE LETTER: the probe's disk, with block 2 as the state of that letter has it (vbox_tree).
content_is() {
  local expected=$WORK/run/state.raw
  cp "$WORK/run/disk.raw" "$expected"
  [[ -z $2 ]] || head -c 1M /dev/zero | tr '\0' "$2" | dd of="$expected" bs=1M seek=2 conv=notrunc status=none
  qemu-img compare -q -U -f qcow2 -F raw "$1" "$expected" || fail "$1 does not hold the state '$2'"
}

# A tree with a branch: libvirt shows it, goes back to every state and deletes one; the guest boots from a state.
case_snapshots() {
  make_disk $((4 * MIB))
  vbox_tree
  ferry_status 0 migrate "$SOURCE"
  local image=$IMAGES/probe.qcow2
  equal "the tree" "$(virsh -q snapshot-list "$NAME" --tree | tr -d '\n ')" "s1|+-s2+-s3"
  equal "the current snapshot" "$(virsh -q snapshot-current "$NAME" --name)" s2
  content_is "$image" d
  virsh -q snapshot-revert "$NAME" s3
  content_is "$image" c
  virsh -q snapshot-revert "$NAME" s1
  content_is "$image" ""
  virsh -q snapshot-revert "$NAME" s2
  content_is "$image" b
  virsh -q snapshot-delete "$NAME" s3
  equal "the tree after s3 is deleted" "$(virsh -q snapshot-list "$NAME" --tree | tr -d '\n ')" "s1|+-s2"
  qemu-img check -q "$image" || fail "qemu-img check finds errors in $image"
  virsh -q snapshot-revert "$NAME" s1
  virsh -q start "$NAME"
  wait_for_guest "$NAME"
  same_machine "$(plain_bytes "$UUID")"
  same_disk
}

# UEFI: every libvirt that was tried (9.0, 11.3, 12.8) goes back to such snapshots, each with its own variables.
case_snapshots_uefi() {
  local vars=/usr/share/OVMF/OVMF_VARS_4M.fd
  [[ -e $vars ]] || fail "$vars is not there (./run test installs it)"
  make_disk $((4 * MIB))
  BOARD='<Firmware type="EFI"/>'
  mkdir "$SOURCE/Snapshots"
  # A store of OVMF's is one of VirtualBox's, too: the same volume.
  cp "$vars" "$SOURCE/probe.nvram"
  cp "$vars" "$SOURCE/Snapshots/1.nvram"
  vbox_tree '<NVRAM path="Snapshots/1.nvram"/>'
  ferry_status 0 migrate "$SOURCE"
  store() { virsh dumpxml --inactive "$NAME" | sed -n 's|.*<nvram[^>]*>\(.*\)</nvram>.*|\1|p'; }
  equal "the store" "$(store)" "$STORES/probe_VARS.fd"
  virsh -q snapshot-revert "$NAME" s1
  content_is "$IMAGES/probe.qcow2" ""
  equal "the store of s1" "$(store)" "$STORES/probe_VARS-2.fd"
  [[ -f $STORES/probe_VARS-2.fd ]] || fail "the store of s1 is not there"
  virsh -q start "$NAME"
  virsh -q snapshot-revert "$NAME" s3
  equal "the store of s3" "$(store)" "$STORES/probe_VARS.fd"
  content_is "$IMAGES/probe.qcow2" c
  virsh -q snapshot-delete "$NAME" s1
}

# Another name is not enough while the first machine has the same UUID and MAC; with new ones both run.
case_two_copies() {
  small_machine
  migrate "$SOURCE"
  ferry_status 3 migrate "$SOURCE" --name copy
  grep -q -e '--uuid' "$WORK/run/ferry.log" || fail "the message does not name the option that helps"
  ferry_status 0 migrate "$SOURCE" --name copy --uuid new --mac new
  equal "the domains" "$(virsh -q list --all --name | sort | tr '\n' ' ' | sed 's/ *$//')" "copy probe"
}

# undo takes back all that a run made, and nothing of the source.
case_undo() {
  small_machine
  migrate "$SOURCE"
  local before run
  before=$(fingerprint)
  run=$(basename "$(find "$HOME/.local/state/virt-ferry/runs" -name '*.jsonl' | head -n 1)" .jsonl)
  virsh -q destroy "$NAME"
  ferry_status 0 undo "$run"
  nothing_left
  equal "the source after undo" "$(fingerprint)" "$before"
}

# Without libvirt what was made is there, with the XML to define it.
case_no_define() {
  small_machine
  ferry_status 0 migrate "$SOURCE" --no-define --dest "$HOME/machines"
  equal "the files" "$(cd "$HOME/machines" && find . -type f -printf '%P\n' | sort | tr '\n' ' ')" "probe.qcow2 probe.xml "
  equal "the domains" "$(virsh -q list --all --name)" ""
  SERIAL=$HOME/machines/probe-serial1.log
  virsh -q define --validate "$HOME/machines/probe.xml" >"$WORK/run/define.log" 2>&1 || fail "define: $(<"$WORK/run/define.log")"
  virsh -q start "$NAME"
  wait_for_guest "$NAME"
  same_machine "$(plain_bytes "$UUID")"
}

# A dry run writes nothing at all; libvirt keeps its own files.
case_libvirt_stopped() {
  small_machine
  local daemon began=$SECONDS
  daemon=$(session_daemon)
  kill -STOP "$daemon"
  ferry_status 0 migrate "$SOURCE" --no-define --dest "$HOME/machines"
  ((SECONDS - began < 30)) || fail "--no-define waited for libvirt"
  ferry_status 0 plan "$SOURCE" --dest "$HOME/others"
  grep -q 'libvirt does not answer' "$WORK/run/ferry.log" || fail "nothing is said of libvirt"
  kill -CONT "$daemon"
}

case_dry_run() {
  small_machine
  ferry_status 0 migrate "$SOURCE" --dry-run
  nothing_left
  equal "the files in the home folder" "$(find "$HOME" -type f ! -path '*/libvirt/*')" ""
}

# A flatpak has a libvirt of its own, in folders of its own: the machine is made and defined there, and nowhere else.
case_flatpak() {
  small_machine
  local app=$HOME/.var/app/org.gnome.Boxes run
  mkdir -p "$WORK/run/bin"
  # Stands in for flatpak: the host's programs, in the application's folders.
  cat >"$WORK/run/bin/flatpak" <<'SH'
#!/bin/sh
[ "$1" = run ] || exit 1
program=${2#--command=} app=$HOME/.var/app/$3 runtime=$XDG_RUNTIME_DIR/app/$3
shift 3
mkdir -p "$app/config" "$app/data" "$app/cache" "$runtime"
chmod 700 "$runtime"
export XDG_CONFIG_HOME="$app/config" XDG_DATA_HOME="$app/data" XDG_CACHE_HOME="$app/cache" XDG_RUNTIME_DIR="$runtime"
exec "$program" "$@"
SH
  chmod +x "$WORK/run/bin/flatpak"
  PATH=$WORK/run/bin:$PATH
  in_flatpak() { flatpak run --command=virsh org.gnome.Boxes -q -c qemu:///session "$@"; }

  ferry_status 0 migrate "$SOURCE" --connect flatpak:org.gnome.Boxes
  equal "the flatpak's machines" "$(in_flatpak list --all --name)" "$NAME"
  equal "the host's machines" "$(virsh -q list --all --name)" ""
  equal "the files in the flatpak's folder" "$(ls "$app/data/gnome-boxes/images")" "$NAME.qcow2"
  grep -q -x ' *flatpak run --command=virsh org.gnome.Boxes -c qemu:///session start probe' "$WORK/run/ferry.log" ||
    fail "nothing says how to start it"
  # Not started: below this test's folder the path of its agent's socket is longer than a socket's may be.
  run=$(sed -n 's/^  run  *//p' "$WORK/run/ferry.log")
  ferry_status 3 migrate "$SOURCE" --connect flatpak:org.gnome.Boxes --name other # the same UUID
  ferry_status 0 undo "$run" --force
  equal "the flatpak's machines after undo" "$(in_flatpak list --all --name)" ""
  equal "the files in the flatpak's folder" "$(find "$app/data/gnome-boxes/images" -type f ! -name "*.log")" ""

  # Where there is no other libvirt, it is named.
  ferry_status 1 migrate "$SOURCE" --connect 'qemu+unix:///session?socket=/no/such/socket'
  grep -q 'Use --connect flatpak:org.gnome.Boxes' "$WORK/run/ferry.log" || fail "the flatpak is not named"
  # What is in there cannot be read from here.
  BOARD='<Firmware type="EFI"/>'
  vbox AHCI probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")"
  ferry_status 3 migrate "$SOURCE" --connect flatpak:org.gnome.Boxes
  grep -q 'EFI firmware inside of a flatpak' "$WORK/run/ferry.log" || fail "it is not said what an EFI machine lacks"
}

# Libvirt is asked before a byte is copied; what --no-define makes can be defined by hand.
case_no_libvirt() {
  small_machine
  ferry_status 1 migrate "$SOURCE" --connect 'qemu+unix:///session?socket=/no/such/socket'
  grep -q -e '--no-define' "$WORK/run/ferry.log" || fail "the message does not name the option that helps"
  nothing_left
  ferry_status 0 migrate "$SOURCE" --no-define
  grep -q 'virsh.*define' "$WORK/run/ferry.log" || fail "the message does not say how to define the machine"
  [[ -f $IMAGES/probe.qcow2 && -f $IMAGES/probe.xml ]] || fail "the image or the XML is not there"
  virsh -q define --validate "$IMAGES/probe.xml" >"$WORK/run/define.log" 2>&1 || fail "define: $(<"$WORK/run/define.log")"
}

# An earlier machine of the same name is replaced when that is asked for.
case_overwrite() {
  small_machine
  migrate "$SOURCE"
  virsh -q destroy "$NAME"
  rm "$SERIAL"
  MEMORY=80
  small_machine
  migrate "$SOURCE" --overwrite
  same_machine "$(plain_bytes "$UUID")"
}

# A disk that takes long enough to be interrupted.
big_machine() {
  make_disk $((600 * MIB))
  head -c $((500 * MIB)) /dev/urandom | dd of="$WORK/run/disk.raw" bs=1M seek=1 conv=notrunc status=none
  image vdi "$SOURCE/probe.vdi"
  vbox AHCI probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")"
}

# Ctrl-C while the disk is being written.
case_interrupted() {
  big_machine
  local before pid status=0 until=$((SECONDS + 60))
  before=$(fingerprint)
  # In the background SIGINT is ignored; --default-signal takes that back.
  env --default-signal=INT virt-ferry migrate "$SOURCE" >"$WORK/run/ferry.log" 2>&1 &
  pid=$!
  until [[ $(find "$IMAGES" -type f -size +1M 2>/dev/null) ]]; do
    ((SECONDS < until)) || fail "no image is being written"
    kill -0 "$pid" 2>/dev/null || fail "virt-ferry has ended before it could be interrupted"
    sleep 0.01
  done
  kill -INT "$pid"
  wait "$pid" || status=$?
  equal "the exit code after Ctrl-C" "$status" 130
  nothing_left
  equal "the source" "$(fingerprint)" "$before"
}

# A machine whose second disk is gone is refused with the option that leaves it out, and runs without it.
case_skip_disk() {
  small_machine
  sed -i \
    -e 's|</HardDisks>|<HardDisk uuid="{11111111-2222-3333-4444-555555555555}" location="gone.vdi" format="VDI" type="Normal"/>&|' \
    -e 's|</StorageController>|<AttachedDevice type="HardDisk" port="1" device="0"><Image uuid="{11111111-2222-3333-4444-555555555555}"/></AttachedDevice>&|' \
    "$SOURCE/probe.vbox"
  ferry_status 3 migrate "$SOURCE"
  grep -q -e '--skip-disk 2' "$WORK/run/ferry.log" || fail "the message does not name the option that helps"
  nothing_left
  migrate "$SOURCE" --skip-disk missing
  grep -q 'critical: disk.skipped' "$WORK/run/ferry.log" || fail "the report does not say that a disk is left out"
  same_machine "$(plain_bytes "$UUID")"
  equal "the machine's disks" "$(virsh -q domblklist "$NAME" | awk '{print $2}')" "$IMAGES/probe.qcow2"
}

# SIGKILL while the disk is being written: the source is as it was, and the next run removes what is left and ends well.
case_killed() {
  big_machine
  local before pid until=$((SECONDS + 60))
  before=$(fingerprint)
  virt-ferry migrate "$SOURCE" >"$WORK/run/ferry.log" 2>&1 &
  pid=$!
  until [[ $(find "$IMAGES" -type f -size +1M 2>/dev/null) ]]; do
    ((SECONDS < until)) || fail "no image is being written"
    kill -0 "$pid" 2>/dev/null || fail "virt-ferry has ended before it could be killed"
    sleep 0.01
  done
  kill -KILL "$pid"
  wait "$pid" 2>/dev/null || true
  [[ $(find "$IMAGES" -type f) ]] || fail "there is nothing to be cleaned up"
  ferry_status 0 migrate "$SOURCE"
  grep -q 'run.crashed' "$WORK/run/ferry.log" || fail "the report does not say that a run was cut off"
  equal "the files" "$(cd "$IMAGES" && find . -mindepth 1 -printf '%P\n' | sort | tr '\n' ' ')" "probe.qcow2 "
  equal "the source" "$(fingerprint)" "$before"
  local run
  run=$(sed -n 's/^  run  *//p' "$WORK/run/ferry.log")
  grep -q "<name>$NAME</name>" "$HOME/.local/state/virt-ferry/runs/$run.xml" || fail "the definition is not kept"
  ferry_status 0 undo "$run"
  [[ ! -e $HOME/.local/state/virt-ferry/runs/$run.xml ]] || fail "the definition is left"
  nothing_left
}

# What a guest has written is not thrown away unasked.
case_undo_used() {
  small_machine
  ferry_status 0 migrate "$SOURCE"
  local run
  run=$(sed -n 's/^  run  *//p' "$WORK/run/ferry.log")
  qemu-io -f qcow2 -c 'write -P 7 1M 512' "$IMAGES/probe.qcow2" >/dev/null
  ferry_status 3 undo "$run"
  grep -q -e '--force' "$WORK/run/ferry.log" || fail "the message does not name the option that helps"
  equal "the domains" "$(virsh -q list --all --name)" probe
  ferry_status 0 undo --force "$run"
  nothing_left
  ferry_status 3 undo "$run"
}

# A machine that was used, otherwise than by writing to its disk: undo says by what, and leaves it.
case_undo_used_machine() {
  small_machine
  ferry_status 0 migrate "$SOURCE"
  local run image=$IMAGES/probe.qcow2
  run=$(sed -n 's/^  run  *//p' "$WORK/run/ferry.log")
  refused_for() {
    ferry_status 3 undo "$run"
    grep -q "$1" "$WORK/run/ferry.log" || fail "undo does not say that the machine $1"
    equal "the domains" "$(virsh -q list --all --name)" "$NAME"
  }
  # An overlay, as a user makes it by hand.
  qemu-img create -q -f qcow2 -F qcow2 -b "$image" "$IMAGES/top.qcow2"
  virsh dumpxml --inactive "$NAME" | sed "s|$image|$IMAGES/top.qcow2|" >"$WORK/run/top.xml"
  virsh -q define "$WORK/run/top.xml"
  refused_for 'a disk that the run did not make'
  virsh dumpxml --inactive "$NAME" | sed "s|$IMAGES/top.qcow2|$image|" >"$WORK/run/top.xml"
  virsh -q define "$WORK/run/top.xml"
  rm "$IMAGES/top.qcow2"
  # Another machine on the same image.
  virsh dumpxml --inactive "$NAME" | sed -e '/<uuid>/d;/<mac /d' -e "s|<name>.*|<name>clone</name>|" -e '/ferry:run/d' >"$WORK/run/clone.xml"
  virsh -q define "$WORK/run/clone.xml"
  ferry_status 3 undo "$run"
  grep -q 'used by another machine' "$WORK/run/ferry.log" || fail "undo does not say that a clone uses the image"
  virsh -q undefine clone
  # A linked clone: its own overlay lies on the image, and its definition is the machine's, mark and all.
  qemu-img create -q -f qcow2 -F qcow2 -b "$image" "$WORK/run/linked.qcow2"
  virsh dumpxml --inactive "$NAME" |
    sed -e '/<uuid>/d;/<mac /d' -e "s|<name>.*|<name>linked</name>|" -e "s|$image|$WORK/run/linked.qcow2|" >"$WORK/run/linked.xml"
  virsh -q define "$WORK/run/linked.xml"
  ferry_status 3 undo "$run"
  grep -q 'used by another machine' "$WORK/run/ferry.log" || fail "undo does not say that a linked clone uses the image"
  ferry_status 3 migrate "$SOURCE" --overwrite
  grep -q 'belongs to the machine "linked"' "$WORK/run/ferry.log" || fail "the message does not name the linked clone"
  virsh -q undefine linked
  virsh -q start "$NAME"
  refused_for 'is running'
  virsh -q managedsave "$NAME"
  refused_for 'is suspended'
  virsh -q managedsave-remove "$NAME"
  ferry_status 0 undo --force "$run"
  nothing_left
}

# A machine of the same UUID that the run did not make is nobody's to take.
case_undo_of_another() {
  small_machine
  ferry_status 0 migrate "$SOURCE"
  local run
  run=$(sed -n 's/^  run  *//p' "$WORK/run/ferry.log")
  virsh dumpxml --inactive "$NAME" | sed '/ferry:run/d' >"$WORK/run/again.xml"
  virsh -q undefine "$NAME"
  virsh -q define "$WORK/run/again.xml"
  ferry_status 0 undo --force "$run"
  equal "the domains" "$(virsh -q list --all --name)" "$NAME"
  grep -q "kept domain $NAME" "$WORK/run/ferry.log" || fail "undo does not say that the domain is not the run's"
}

# An image that another machine uses is not replaced, nor is a machine that is suspended.
case_overwrite_of_another() {
  small_machine
  ferry_status 0 migrate "$SOURCE"
  virsh dumpxml --inactive "$NAME" | sed -e '/<uuid>/d;/<mac /d' -e "s|<name>.*|<name>other</name>|" >"$WORK/run/other.xml"
  virsh -q define "$WORK/run/other.xml"
  local before
  before=$(sha256sum <"$IMAGES/probe.qcow2")
  ferry_status 3 migrate "$SOURCE" --overwrite
  grep -q 'belongs to the machine "other"' "$WORK/run/ferry.log" || fail "the message does not name the other machine"
  virsh -q undefine other
  virsh -q start "$NAME"
  virsh -q managedsave "$NAME"
  before=$(sha256sum <"$IMAGES/probe.qcow2")
  ferry_status 3 migrate "$SOURCE" --overwrite
  grep -q 'is suspended' "$WORK/run/ferry.log" || fail "the message does not say that the machine is suspended"
  equal "the image" "$(sha256sum <"$IMAGES/probe.qcow2")" "$before"
}

# A running machine is not replaced under its own feet.
case_overwrite_running() {
  small_machine
  migrate "$SOURCE"
  ferry_status 3 migrate "$SOURCE" --overwrite
  equal "the machine's state" "$(virsh domstate "$NAME" | head -n 1)" running
}

# A folder of machines, one of them broken: the others are migrated.
case_batch() {
  small_machine
  mkdir "$SOURCE/one" "$SOURCE/two" "$SOURCE/three"
  mv "$SOURCE"/probe.* "$SOURCE/one/"
  printf '<VirtualBox' >"$SOURCE/three/broken.vbox"
  NAME=second
  image vmdk "$SOURCE/probe.vmdk"
  vmx 564d0011223344556677889900aabbcc sata0 "" 35 e1000e
  mv "$SOURCE"/probe.* "$SOURCE/two/"
  local before
  before=$(fingerprint)
  ferry_status 4 batch "$SOURCE" --jobs 2
  equal "the domains" "$(virsh -q list --all --name | sort | tr '\n' ' ' | sed 's/ *$//')" "probe second"
  grep -q 'broken.vbox' "$WORK/run/ferry.log" || fail "the summary does not name the machine that failed"
  equal "the sources" "$(fingerprint)" "$before"
  virsh -q start second
  SERIAL=$IMAGES/second-serial1.log
  wait_for_guest second
  same_machine 564d0011223344556677889900aabbcc
  same_disk
  has_nic 8086:10d3 0050563a7b11
  # What is done is not done again.
  ferry_status 4 batch "$SOURCE" --jobs 2
  equal "the domains after a second run" "$(virsh -q list --all --name | sort | tr '\n' ' ' | sed 's/ *$//')" "probe second"
}

# ---- what only newer hosts can do; the others say which part they lack ----

libvirt_version() { virsh version --daemon | sed -n 's/.*daemon: //p'; }

# host_offers ELEMENT VALUE WHAT: libvirt lists the value among what machines of this host can have.
host_offers() {
  local capabilities
  capabilities=$(virsh domcapabilities)
  capabilities=${capabilities#*"<$1 "}
  [[ ${capabilities%%"</$1>"*} != *"<value>$2</value>"* ]] || return 0
  echo "skipped: $3: this host's libvirt $(libvirt_version) lists no $2"
  exit 77
}

# passt and virtiofsd shut themselves in.
user_namespaces() {
  unshare --user true 2>/dev/null && return
  echo "skipped: this user may not make user namespaces here (in a chroot nobody may)"
  exit 77
}

# The disk is a namespace of the source's one controller, in its slot, and the BIOS boots from it.
case_nvme() {
  host_offers disk nvme "NVMe disks"
  make_disk $((3 * MIB))
  image vdi "$SOURCE/probe.vdi"
  vbox NVMe probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")"
  migrate "$SOURCE"
  same_machine "$(plain_bytes "$UUID")"
  device 00:0e.0 1b36:0010 010802
  equal "the machine's disks" "$(virsh -q domblklist "$NAME" | awk '{print $1}')" nvme0n1
}

# Where libvirt has no NVMe disks QEMU is told of them: the BIOS boots from one all the same, in its slot.
case_nvme_arguments() {
  make_disk $((3 * MIB))
  image vdi "$SOURCE/probe.vdi"
  vbox NVMe probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")"
  migrate "$SOURCE" --disk-bus nvme
  same_machine "$(plain_bytes "$UUID")"
  device 00:0e.0 1b36:0010 010802
}

# VMware names no serial number, which libvirt wants.
case_nvme_vmx() {
  host_offers disk nvme "NVMe disks"
  make_disk $((4 * MIB))
  image vmdk "$SOURCE/probe.vmdk" subformat=monolithicSparse
  vmx 564d0011223344556677889900aabbcc nvme0 "" 160 vmxnet3
  migrate "$SOURCE/probe.vmx"
  same_machine 564d0011223344556677889900aabbcc
  has_device 1b36:0010
}

# passt listens where VirtualBox's NAT did; a port that is forwarded twice does not keep the machine from starting.
case_passt() {
  command -v passt >/dev/null || { echo "skipped: passt is not installed"; exit 77; }
  host_offers interface passt "port forwards through passt"
  user_namespaces
  local port
  port=$(free_port)
  NICS="<Adapter slot=\"0\" enabled=\"true\" MACAddress=\"$MAC\" type=\"82540EM\"><NAT>
    <Forwarding name=\"ssh\" proto=\"1\" hostip=\"127.0.0.1\" hostport=\"$port\" guestport=\"22\"/>
    <Forwarding name=\"again\" proto=\"1\" hostip=\"127.0.0.1\" hostport=\"$port\" guestport=\"23\"/></NAT></Adapter>"
  small_machine
  migrate "$SOURCE"
  [[ $(virsh dumpxml "$NAME") == *"<backend type='passt'"* ]] || fail "the card does not go through passt"
  grep -q 'warning: nic.forward-dropped' "$WORK/run/ferry.log" || fail "nothing is said of the second forward"
  (: <>"/dev/tcp/127.0.0.1/$port") || fail "nobody listens on port $port"
}

case_virtiofs() {
  host_offers filesystem virtiofs "shared folders through virtiofs"
  local version
  version=$(libvirt_version)
  if ((${version%%.*} < 10)); then
    echo "skipped: libvirt $version shares no folder in a session; 10.0 does"
    exit 77
  fi
  if [[ ! -x /usr/libexec/virtiofsd && ! -x /usr/lib/qemu/virtiofsd ]]; then
    echo "skipped: virtiofsd is not installed"
    exit 77
  fi
  user_namespaces
  mkdir "$HOME/shared"
  DEVICES="<SharedFolders><SharedFolder name=\"share\" hostPath=\"$HOME/shared\" writable=\"true\"/></SharedFolders>"
  small_machine
  migrate "$SOURCE" --shared-folders virtiofs
  [[ $(virsh dumpxml "$NAME") == *"<driver type='virtiofs'"* ]] || fail "the machine has no shared folder"
  [[ $(grep -c '^pci\..*=1af4:105a ' "$SERIAL") == 1 ]] || fail "the guest sees no virtio file system"
}

# ---- QEMU's own machines ----

# wait_for_file_guest PID FILE: as wait_for_guest, of a QEMU that we started.
wait_for_file_guest() {
  local until=$((SECONDS + 300))
  until grep -q '^probe: done' "$2" 2>/dev/null; do
    ((SECONDS < until)) || fail "the guest has not said 'probe: done' within 300 seconds"
    kill -0 "$1" 2>/dev/null || fail "QEMU does not run: $(cat "$WORK/run/qemu.log")"
    sleep 0.1
  done
}

# What a guest said of the machine: memory maps and clocks are not the same at each start.
said() { grep -v -e '^e820' -e '^rtc' "$1" | sort; }

# hmp SOCKET COMMAND: what QEMU's console answers.
hmp() {
  python3 - "$1" "$2" <<'EOF'
import socket, sys
console = socket.socket(socket.AF_UNIX)
console.settimeout(60)
console.connect(sys.argv[1])
def answer():
    text = b""
    while not text.endswith(b"(qemu) "):
        piece = console.recv(4096)
        if not piece:
            break
        text += piece
    return text.decode(errors="replace")
answer()
console.sendall(sys.argv[2].encode() + b"\n")
print(answer())
EOF
}

# A QEMU script becomes a domain, and the domain a script that runs without libvirt: the guest sees the same machine
# each time. While QEMU runs it, its image is refused, and the process itself is a source.
case_qemu_script() {
  command -v swtpm >/dev/null || { echo "skipped: swtpm is not installed"; exit 77; }
  make_disk $((3 * MIB))
  image qcow2 "$SOURCE/disk.qcow2"
  local port pid
  port=$(free_port)
  cat >"$SOURCE/vm.sh" <<EOF
#!/bin/bash
cd "\$(dirname "\$0")"
args=(-name $NAME -M q35 -m $MEMORY -smp $CPUS -uuid $UUID -display none
  -device ich9-ahci,id=sata -drive if=none,id=disk,file=disk.qcow2 -device ide-hd,bus=sata.2,drive=disk
  -netdev user,id=net,hostfwd=tcp:127.0.0.1:$port-:22 -device e1000,netdev=net,mac=52:54:00:c9:18:27,addr=9
  -device virtio-rng-pci -serial "file:$SOURCE_SERIAL")
exec qemu-system-x86_64 "\${args[@]}"
EOF
  bash "$SOURCE/vm.sh" >"$WORK/run/qemu.log" 2>&1 &
  pid=$!
  wait_for_file_guest "$pid" "$SOURCE_SERIAL"
  cp "$SOURCE_SERIAL" "$WORK/run/first.log"
  ferry_status 0 inspect "pid:$pid"
  grep -q "52:54:00:c9:18:27" "$WORK/run/ferry.log" || fail "the process's card is not in what inspect says"
  ferry_status 3 migrate "$SOURCE/vm.sh"
  grep -qi 'disk.qcow2' "$WORK/run/ferry.log" || fail "the refusal does not name the image that is in use"
  kill "$pid"
  wait "$pid" || true
  rm "$SOURCE_SERIAL"

  ferry_status 0 migrate "$SOURCE/vm.sh" --start
  wait_for_guest "$NAME"
  equal "what the guest sees in the domain" "$(diff <(said "$WORK/run/first.log") <(said "$SERIAL"))" ""
  [[ ! -e $SOURCE_SERIAL ]] || fail "the guest writes to the source's own $SOURCE_SERIAL"
  virsh -q destroy "$NAME"

  # The way back.
  rm -f "$SERIAL"
  ferry_status 0 script "$NAME" -o "$WORK/run/again.sh"
  if command -v shellcheck >/dev/null; then shellcheck "$WORK/run/again.sh" || fail "shellcheck has words for the script"; fi
  "$WORK/run/again.sh" >"$WORK/run/qemu.log" 2>&1 &
  pid=$!
  wait_for_file_guest "$pid" "$SERIAL"
  equal "what the guest sees by the script" "$(diff <(said "$WORK/run/first.log") <(said "$SERIAL"))" ""
  local console=$XDG_RUNTIME_DIR/vm-$UUID/monitor.sock
  [[ $(hmp "$console" 'info usernet') == *"127.0.0.1"*" $port "*" 22 "* ]] || fail "port $port is not forwarded"
  "$WORK/run/again.sh" >"$WORK/run/second.log" 2>&1 && fail "the script runs its machine twice"
  grep -q 'runs already' "$WORK/run/second.log" || fail "the second start is not told why it ends"
  kill "$pid"
  wait "$pid" || true
}

# A QEMU that was sent to the background is in / by now, and the options of a file that it has read are not among its
# words: the machine is whole all the same.
case_qemu_process() {
  command -v swtpm >/dev/null || { echo "skipped: swtpm is not installed"; exit 77; }
  [[ -e /usr/share/OVMF/OVMF_CODE_4M.fd ]] || { echo "skipped: OVMF is not installed"; exit 77; }
  qemu-img create -q -f qcow2 "$SOURCE/disk.qcow2" 64M
  cp /usr/share/OVMF/OVMF_VARS_4M.fd "$SOURCE/vars.fd"
  mkdir "$SOURCE/tpm"
  cat >"$SOURCE/devices.cfg" <<'EOF'
[drive "disk"]
  if = "none"
  file = "disk.qcow2"
  format = "qcow2"

[device]
  driver = "ide-hd"
  drive = "disk"
  bus = "ide.0"

[netdev "net"]
  type = "user"

[device]
  driver = "e1000"
  netdev = "net"
  mac = "52:54:00:c9:18:28"
  addr = "05.0"
EOF
  swtpm socket --tpm2 --tpmstate "dir=$SOURCE/tpm" --ctrl "type=unixio,path=$SOURCE/tpm/sock" --daemon
  (cd "$SOURCE" && qemu-system-x86_64 -name "$NAME" -machine q35,accel=tcg -m 128 -readconfig devices.cfg \
    -chardev socket,id=chrtpm,path=tpm/sock -tpmdev emulator,id=tpm0,chardev=chrtpm -device tpm-tis,tpmdev=tpm0 \
    -drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd \
    -drive if=pflash,format=raw,file=vars.fd -display none -S -daemonize -pidfile qemu.pid)
  local pid
  pid=$(cat "$SOURCE/qemu.pid")
  ferry_status 0 inspect "pid:$pid"
  local log=$WORK/run/ferry.log line
  for line in 52:54:00:c9:18:28 "$SOURCE/disk.qcow2" "$SOURCE/vars.fd" "$SOURCE/tpm/tpm2-00.permall"; do
    grep -qF "$line" "$log" || fail "$line is not in what inspect says"
  done
  if grep -E 'qemu[.](readconfig-missing|store-missing|tpm-state)' "$log"; then fail "a file of the process was not found"; fi
  ferry_status 3 migrate "pid:$pid" --no-define --dest "$WORK/run/out"
  grep -q 'disk.qcow2' "$log" || fail "the refusal does not name the image that is in use"
  kill "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done # its swtpm ends with it
}

# Firmware with its variables, and a TPM: their content goes from the script's files to the domain's, and on to a script
# that takes both along when it moves. A script of the source, without a domain, has them too.
case_qemu_script_uefi() {
  command -v swtpm_setup >/dev/null || { echo "skipped: swtpm-tools is not installed"; exit 77; }
  [[ -e /usr/share/OVMF/OVMF_CODE_4M.fd ]] || { echo "skipped: OVMF is not installed"; exit 77; }
  make_disk $((3 * MIB))
  image qcow2 "$SOURCE/disk.qcow2"
  # Another content than the template's, in an image; and a TPM that was made.
  local variables=/usr/share/OVMF/OVMF_VARS_4M.ms.fd
  qemu-img convert -f raw -O qcow2 "$variables" "$SOURCE/vars.qcow2"
  mkdir "$SOURCE/tpm"
  swtpm_setup --tpm2 --tpmstate "$SOURCE/tpm" >"$WORK/run/setup.log" 2>&1 || { echo "skipped: swtpm_setup does not work here"; exit 77; }
  cat >"$SOURCE/vm.sh" <<EOF
#!/bin/bash
cd "\$(dirname "\$0")"
swtpm socket --tpm2 --tpmstate dir=tpm --ctrl type=unixio,path=tpm/sock --terminate --daemon
qemu-system-x86_64 -name $NAME -M q35,smm=off -m 256 -uuid $UUID \\
  -drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd -drive if=pflash,file=vars.qcow2 \\
  -chardev socket,id=tpm,path=tpm/sock -tpmdev emulator,id=tpm0,chardev=tpm -device tpm-tis,tpmdev=tpm0 \\
  -drive if=virtio,file=disk.qcow2 -nic user,model=e1000,hostfwd=tcp:127.0.0.1:$(free_port)-:22
EOF
  local before run state=$HOME/.config/libvirt/qemu/swtpm/$UUID
  before=$(fingerprint)
  ferry_status 0 migrate "$SOURCE/vm.sh"
  equal "the source after the migration" "$(fingerprint)" "$before"
  cmp "$STORES/${NAME}_VARS.fd" "$variables" || fail "the variables are not the source's"
  cmp "$state/tpm2/tpm2-00.permall" "$SOURCE/tpm/tpm2-00.permall" || fail "the TPM's content is not the source's"
  run=$(sed -n 's/^  run  *//p' "$WORK/run/ferry.log")
  grep -q 'firmware.tpm-state-carried' "$WORK/run/ferry.log" || fail "nothing is said of the TPM's content"
  ! grep -q 'tpm.sealed' "$WORK/run/ferry.log" || fail "the firmware is said to be another one"
  [[ $(virsh dumpxml "$NAME") == *"<tpm model='tpm-tis'"* ]] || fail "the TPM is of another model"
  [[ $(virsh dumpxml "$NAME") != *vars.qcow2* ]] || fail "libvirt would make a lost store anew from an image"

  # Taken back, and done again.
  ferry_status 0 undo "$run"
  [[ ! -e $state && ! -e $STORES/${NAME}_VARS.fd ]] || fail "undo has left the TPM's content or the variables"
  ferry_status 0 migrate "$SOURCE/vm.sh"

  mkdir "$WORK/run/first place" "$WORK/run/second, place"
  ferry_status 0 script "$NAME" -o "$WORK/run/first place/vm.sh"
  mv "$WORK/run/first place/vm.sh" "$WORK/run/second, place/vm.sh"
  runs_with_tpm_and_store "$WORK/run/second, place/vm.sh"

  ferry_status 0 script "$SOURCE/vm.sh" -o "$WORK/run/from source/vm.sh"
  equal "the TPMs' contents beside the script" "$(cd "$WORK/run/from source" && find . -name 'tpm2-00.permall')" \
    "./$UUID-tpm/tpm2/tpm2-00.permall"
  cmp "$WORK/run/from source/$UUID-tpm/tpm2/tpm2-00.permall" "$SOURCE/tpm/tpm2-00.permall" || fail "the script's TPM is another"
  run=$(sed -n "s/.*'virt-ferry undo \\([^ ']*\\).*/\\1/p" "$WORK/run/ferry.log")
  ferry_status 0 inspect "$WORK/run/from source/vm.sh"
  grep -q "state_file: \"$WORK/run/from source/$UUID-tpm/tpm2/tpm2-00.permall" "$WORK/run/ferry.log" ||
    fail "our own script's TPM is not found again"
  ferry_status 0 undo "$run"
  equal "what undo leaves of the script's machine" "$(cd "$WORK/run/from source" && find . -mindepth 1)" ./vm.sh
  ferry_status 0 script "$SOURCE/vm.sh" -o "$WORK/run/from source/vm.sh" --overwrite
  mv "$WORK/run/from source" "$WORK/run/moved"
  runs_with_tpm_and_store "$WORK/run/moved/vm.sh"
}

# runs_with_tpm_and_store SCRIPT: it runs, by what QEMU's console says, until it is stopped.
runs_with_tpm_and_store() {
  "$1" >"$WORK/run/qemu.log" 2>&1 &
  local pid=$! until=$((SECONDS + 60)) console=$XDG_RUNTIME_DIR/vm-$UUID/monitor.sock
  until [[ -S $console ]]; do
    kill -0 "$pid" 2>/dev/null || fail "the script does not run: $(cat "$WORK/run/qemu.log")"
    ((SECONDS < until)) || fail "QEMU's console does not open"
    sleep 0.1
  done
  [[ $(hmp "$console" 'info status') == *running* ]] || fail "the machine does not run"
  [[ $(hmp "$console" 'info tpm') == *tpm-tis* ]] || fail "the machine has no TPM"
  [[ $(hmp "$console" 'info block') == *VARS* ]] || fail "the machine has no store of variables"
  kill "$pid"
  wait "$pid" || true
}

# Several starts in one file: each is a machine of its own.
case_qemu_several() {
  make_disk $((3 * MIB))
  image qcow2 "$SOURCE/one.qcow2"
  image qcow2 "$SOURCE/two.qcow2"
  cat >"$SOURCE/lab.sh" <<'EOF'
#!/bin/bash
cd "$(dirname "$0")"
qemu-system-x86_64 -name first -m 64 -hda one.qcow2 &
qemu-system-x86_64 -name second -m 96 -hda two.qcow2 &
wait
EOF
  ferry_status 3 migrate "$SOURCE/lab.sh"
  grep -q -e '--machine' "$WORK/run/ferry.log" || fail "the refusal does not say how to choose one"
  ferry_status 0 plan "$SOURCE/lab.sh" --machine 2
  grep -q second "$WORK/run/ferry.log" || fail "--machine 2 is not the second"
  ! grep -q first "$WORK/run/ferry.log" || fail "--machine 2 is the first too"
  ferry_status 0 batch "$SOURCE/lab.sh"
  equal "the domains of batch" "$(virsh -q list --all --name | sort | tr '\n' ' ' | xargs)" "first second"
}

# The form of macOS-Simple-KVM's basic.sh: 12 of 12 PCI functions where QEMU itself has them.
case_qemu_macos() {
  macos_script || { echo "skipped: OVMF is not installed"; exit 77; }
  cd "$SOURCE" || fail "there is no $SOURCE"
  ferry_status 0 migrate basic.sh --name macos
  virsh -q start --paused macos || fail "the domain does not start"
  equal "the PCI functions" "$(pci_functions macos)" "$MACOS_FUNCTIONS"
  virsh -q destroy macos
  ! grep -q thesewordsare "$WORK/run/ferry.log" || fail "the report shows the script's key"
}

# ---- test: a machine on overlays ----

# What a trial must not change: images, firmware variables and TPM state of the session, and its machines.
everything_of_the_session() {
  find "$IMAGES" "$HOME/.config/libvirt/qemu" -type f ! -name '*.log' ! -name '*.lock' -printf '%p %s %T@\n' 2>/dev/null | sort
  virsh -q list --all --name
}

nothing_of_a_trial() {
  equal "the machines that run" "$(virsh -q list --name)" ""
  equal "the trial's files" "$(find "$HOME/.local/state/virt-ferry/trials" -mindepth 1 2>/dev/null)" ""
}

# The firmware finds nothing on the disk and says so; of the migrated machine and of the source alike.
case_test_nothing_to_boot() {
  truncate -s $((3 * MIB)) "$WORK/run/disk.raw"
  image vdi "$SOURCE/probe.vdi"
  vbox AHCI probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")"
  local source before
  source=$(fingerprint)
  ferry_status 3 test "$SOURCE/probe.vbox"
  grep -q '^probe: does not boot: the firmware has found nothing to boot' "$WORK/run/ferry.log" || fail "it is not said what was seen"
  nothing_of_a_trial
  equal "the machines" "$(virsh -q list --all --name)" ""
  ferry_status 0 migrate "$SOURCE/probe.vbox"
  before=$(everything_of_the_session)
  ferry_status 3 test probe --format html -o "$WORK/run/probe.html"
  nothing_of_a_trial
  equal "the session after the test" "$(everything_of_the_session)" "$before"
  equal "the source after the tests" "$(fingerprint)" "$source"
  grep -q 'src="data:image/png;base64,' "$WORK/run/probe.html" || fail "the page has no picture"
  [[ $(head -c 8 "$HOME/.local/state/virt-ferry/tests/probe.png" | od -An -tx1 | tr -d ' \n') == 89504e470d0a1a0a ]] ||
    fail "the picture is no PNG"
  ferry_status 1 test no-such-machine
  ferry_status 2 test probe --connect qemu:///system
}

# The probe says what it sees and halts: nobody can tell whether a system is up. Its serial port goes to the trial, not
# to the machine's own file, and it reads the UUID that it always reads.
case_test_cannot_tell() {
  make_disk $((3 * MIB))
  image vdi "$SOURCE/probe.vdi"
  vbox AHCI probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")"
  ferry_status 0 migrate "$SOURCE/probe.vbox"
  ferry_status 1 test probe --timeout 40 --format json -o "$WORK/run/test.json"
  grep -q '"verdict": "unknown"' "$WORK/run/test.json" || fail "the verdict is not 'unknown'"
  grep -q 'probe: done' "$WORK/run/test.json" || fail "what the guest said is not in the report"
  [[ ! -e $SERIAL ]] || fail "the trial writes to the machine's own serial file"
  nothing_of_a_trial
  virsh -q start probe
  ferry_status 1 test probe
  grep -q 'runs' "$WORK/run/ferry.log" || fail "it is not said that the machine runs"
}

# Killed at any moment: libvirt ends the machine, and no file of the trial has a name by then.
case_test_killed() {
  make_disk $((3 * MIB))
  image vdi "$SOURCE/probe.vdi"
  vbox AHCI probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")"
  ferry_status 0 migrate "$SOURCE/probe.vbox"
  local before until
  before=$(everything_of_the_session)
  virt-ferry test probe --timeout 300 >"$WORK/run/ferry.log" 2>&1 &
  until=$((SECONDS + 60))
  until virsh -q list --name | grep -q '^ferry-'; do
    ((SECONDS < until)) || fail "the trial does not run"
    sleep 0.1
  done
  kill -9 $!
  wait $! || true
  until=$((SECONDS + 30))
  until [[ -z $(virsh -q list --name) ]]; do
    ((SECONDS < until)) || fail "the trial's machine runs on without virt-ferry"
    sleep 0.1
  done
  equal "the session after the kill" "$(everything_of_the_session)" "$before"
  # A trial that was killed before its machine ran leaves a folder, which the next removes.
  mkdir -p "$HOME/.local/state/virt-ferry/trials/20200101-000000-0000"
  touch "$HOME/.local/state/virt-ferry/trials/20200101-000000-0000.lock"
  # And stopped by Ctrl-C it leaves nothing either.
  timeout --foreground --signal=INT 12 virt-ferry test probe >"$WORK/run/ferry.log" 2>&1 || true
  grep -q 'interrupted' "$WORK/run/ferry.log" || fail "it is not said that the test was interrupted"
  nothing_of_a_trial
}

# The trial has a TPM of its own with the same content, and what the machine's holds stays as it is.
case_test_tpm() {
  command -v swtpm >/dev/null || { echo "skipped: swtpm is not installed"; exit 77; }
  make_disk $((3 * MIB))
  image vdi "$SOURCE/probe.vdi"
  vbox AHCI probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")"
  ferry_status 0 migrate "$SOURCE/probe.vbox"
  virsh dumpxml --inactive probe |
    sed "s|</devices>|<tpm model='tpm-tis'><backend type='emulator' version='2.0'/></tpm></devices>|" >"$WORK/run/tpm.xml"
  virsh -q define "$WORK/run/tpm.xml"
  virsh -q start probe
  wait_for_guest probe
  local uuid state
  uuid=$(saw smbios.uuid)
  virsh -q destroy probe
  rm "$SERIAL"
  state=$(find "$HOME/.config/libvirt/qemu/swtpm" -type f ! -name .lock -print0 | xargs -0 sha256sum)
  [[ $state == *permall* ]] || fail "the machine's TPM has no state"
  ferry_status 1 test probe --timeout 30 --format json -o "$WORK/run/test.json"
  equal "the TPM's state after the test" "$(find "$HOME/.config/libvirt/qemu/swtpm" -type f ! -name .lock -print0 | xargs -0 sha256sum)" "$state"
  # Another UUID for libvirt, and the old one for the guest, whose firmware shows it.
  grep -q "Machine UUID ${uuid:6:2}${uuid:4:2}${uuid:2:2}${uuid:0:2}-" "$WORK/run/test.json" || fail "the guest has not read its own UUID"
  nothing_of_a_trial
}

# A machine that is seen to fail counts as one that did not, and the page has its picture, also when it is shown again.
case_batch_test() {
  truncate -s $((3 * MIB)) "$WORK/run/disk.raw"
  image vdi "$SOURCE/probe.vdi"
  vbox AHCI probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")"
  ferry_status 4 batch "$SOURCE" --test
  grep -q 'does not boot: the firmware' "$WORK/run/ferry.log" || fail "the batch does not say what was seen"
  local batch
  batch=$(virt-ferry runs | sed -n '/^BATCH/{n;s/ .*//p}')
  virt-ferry report "$batch" --format html >"$WORK/run/batch.html"
  grep -q 'src="data:image/png;base64,' "$WORK/run/batch.html" || fail "the page has no picture"
  nothing_of_a_trial
}

# A disk inside of a package is read where it lies, and a chain is served. What the probe says does not tell whether it
# boots; but that it was there to say it, the report has.
case_test_of_a_package() {
  make_disk $((4 * MIB))
  ova
  ferry_status 1 test "$SOURCE/probe.ova" --timeout 30 --format json -o "$WORK/run/test.json"
  grep -q 'probe: done' "$WORK/run/test.json" || fail "the guest was not seen: $(cat "$WORK/run/test.json")"
  nothing_of_a_trial
}

case_test_of_a_chain() {
  make_disk $((4 * MIB))
  vbox_tree
  ferry_status 1 test "$SOURCE/probe.vbox" --timeout 30 --format json -o "$WORK/run/test.json"
  grep -q 'probe: done' "$WORK/run/test.json" || fail "the guest was not seen: $(cat "$WORK/run/test.json")"
  nothing_of_a_trial
  equal "the folders of servers" "$(keepers)" 0
}

# VMware's board: the card keeps its place behind its port, and both ways back are byte for byte.
case_finish_vmx() {
  make_disk $((4 * MIB))
  image vmdk "$SOURCE/probe.vmdk" subformat=monolithicSparse
  vmx 564d0011223344556677889900aabbcc scsi0 pvscsi 160 vmxnet3
  ferry_status 0 migrate "$SOURCE/probe.vmx"
  local before place
  before=$(virsh dumpxml --inactive --security-info probe)
  virsh -q start probe
  wait_for_guest probe
  place=$(sed -n 's/^pci\.\([^=]*\)=15ad:07b0 .*/\1/p' "$SERIAL")
  virsh -q destroy probe
  rm "$SERIAL"
  ferry_status 0 finish probe --prepare
  ferry_status 3 finish probe --switch --timeout 30
  ferry_status 0 finish probe --switch --timeout 30 --force
  virsh -q start probe
  wait_for_guest probe
  [[ $(saw "pci.$place") == 1af4:10* ]] || fail "the card at $place is $(saw "pci.$place"), and not virtio's"
  equal "the MAC" "$(saw "mac.$place")" 0050563a7b11
  virsh -q destroy probe
  ferry_status 0 finish probe --undo
  ferry_status 0 finish probe --undo
  equal "the definition after all was taken back" "$(virsh dumpxml --inactive --security-info probe)" "$before"
}

# linux_disk [MODULE...]: a Debian's root with an initial RAM disk that has these modules, and a fstab that names the
# disk by its hardware.
linux_disk() {
  local root=$WORK/run/root initial=$WORK/run/initial version=6.1.0-18-amd64 module
  rm -rf "$root" "$initial"
  mkdir -p "$root"/{etc,boot,usr/bin} "$initial/lib/modules/$version"
  printf 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n' >"$root/etc/os-release"
  printf 'UUID=1 / ext4 defaults 0 1\n/dev/disk/by-path/pci-0000:00:0d.0-ata-2 /data ext4 nofail 0 2\n' >"$root/etc/fstab"
  : >"$root/boot/vmlinuz-$version"
  : >"$root/usr/bin/vmtoolsd"
  for module in "$@"; do : >"$initial/lib/modules/$version/$module.ko"; done
  (cd "$initial" && find . | cpio -o -H newc --quiet) >"$root/boot/initrd.img-$version"
  truncate -s $((32 * MIB)) "$WORK/run/disk.raw"
  /sbin/mke2fs -q -F -t ext4 -d "$root" "$WORK/run/disk.raw"
}

# The disks of a machine that is off are looked into before it is tried: what is missing keeps it from being started,
# and no file of it is touched.
case_finish_look() {
  command -v cpio >/dev/null || { echo "skipped: cpio is not installed"; exit 77; }
  linux_disk ahci
  image vdi "$SOURCE/probe.vdi"
  vbox AHCI probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")"
  ferry_status 0 migrate "$SOURCE/probe.vbox"
  local before
  before=$(everything_of_the_session)
  ferry_status 0 finish probe
  grep -q 'guest  *Debian GNU/Linux 12 (bookworm)' "$WORK/run/ferry.log" || fail "the guest is not named"
  grep -q 'missing .*6.1.0-18-amd64 has no virtio_scsi' "$WORK/run/ferry.log" || fail "it is not said what is missing"
  grep -q 'warning /etc/fstab names' "$WORK/run/ferry.log" || fail "nothing is said of fstab"
  grep -q 'repair-initramfs' "$WORK/run/ferry.log" || fail "it is not said what to do"
  ferry_status 3 finish probe --switch
  grep -q 'not switched, nor tried' "$WORK/run/ferry.log" || fail "it was tried"
  equal "the session after what was refused" "$(everything_of_the_session)" "$before"
  ferry_status 3 finish probe --switch --repair-initramfs
  # The same with the drivers.
  linux_disk ahci virtio_scsi virtio_pci
  qemu-img convert -f raw -O qcow2 "$WORK/run/disk.raw" "$IMAGES/probe.qcow2"
  ferry_status 0 finish probe
  grep -q 'proven .*6.1.0-18-amd64 has virtio_scsi, virtio_pci' "$WORK/run/ferry.log" || fail "nothing is proven"
  ferry_status 0 finish probe --switch --force --timeout 5
  grep -q 'apt purge open-vm-tools' "$WORK/run/ferry.log" || fail "it is not said what can go from the guest"
  ferry_status 0 finish probe --undo
}

# From an overlay on the source to an image of its own: while the machine runs, and when it is off. Then the source may go.
case_pull() {
  make_disk $((64 * MIB))
  # Data all over the disk, so that there is something to pull.
  local at
  for at in $(seq 4 60); do
    head -c 4096 /dev/urandom | dd of="$WORK/run/disk.raw" bs=1M seek="$at" conv=notrunc status=none
  done
  image vdi "$SOURCE/probe.vdi"
  vbox AHCI probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")"
  local before image=$IMAGES/$NAME.qcow2
  before=$(fingerprint)
  ferry_status 0 migrate "$SOURCE/probe.vbox" --disk-mode overlay --start
  wait_for_guest "$NAME"
  [[ -n $(qemu-img info -U "$image" | sed -n 's/^backing file: //p') ]] || fail "the image is no overlay"
  ferry_status 0 pull "$NAME"
  grep -q 'sda: .* no longer reads .*probe.vdi' "$WORK/run/ferry.log" || fail "it is not said what was pulled"
  equal "what the image reads besides" "$(qemu-img info -U "$image" | sed -n 's/^backing file: //p')" ""
  ! virsh dumpxml "$NAME" | grep -q probe.vdi || fail "the machine still has the source"
  ferry_status 0 pull "$NAME"
  grep -q 'read no other image' "$WORK/run/ferry.log" || fail "a second pull finds something"
  virsh -q destroy "$NAME"
  same_disk  # as QEMU has written it in the end
  virsh -q undefine "$NAME"
  rm "$image" "$SERIAL"
  # And of one that is off.
  ferry_status 0 migrate "$SOURCE/probe.vbox" --disk-mode overlay
  virsh -q snapshot-create-as "$NAME" kept
  ferry_status 3 pull "$NAME" # the snapshot would lose what it has of the source
  grep -q 'has snapshots' "$WORK/run/ferry.log" || fail "it is not said why nothing is pulled"
  virsh -q snapshot-delete "$NAME" kept
  ferry_status 0 pull "$NAME"
  grep -q 'sda: .* no longer reads .*probe.vdi' "$WORK/run/ferry.log" || fail "it is not said what was pulled"
  qemu-img check -q "$image" || fail "qemu-img check finds errors in $image"
  equal "the source after the pulls" "$(fingerprint)" "$before"
  mv "$SOURCE/probe.vdi" "$SOURCE/elsewhere.vdi"
  virsh -q start "$NAME"
  wait_for_guest "$NAME"
  same_disk
}

# ---- start at once: the machine reads its source while it is copied ----

# The value of XDG_RUNTIME_DIR's folder of keepers, and how many there are.
keepers() { find "${XDG_RUNTIME_DIR:-$HOME/.local/state}/virt-ferry" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | wc -l; }

# The process number of a run's keeper, which is older than those that it has started.
keeper_of() { pgrep -o -u "$(id -u)" -f "virt-ferry serve $1"; }

# The newest run.
newest_run() { virt-ferry runs | sed -n '/^RUN/,/^$/p' | tail -n +2 | awk 'NF {last = $1} END {print last}'; }

# start_now SOURCE [OPTION...]: slowly, so that the guest reports before all is copied. $header: what the image's header
# named as what lies under it.
start_now() {
  before=$(fingerprint)
  ferry_status 0 migrate "$@" --start-now --pull-limit 1M
  grep -q 'disk.reads-source' "$WORK/run/ferry.log" || fail "it is not said that the machine reads its source"
  run=$(newest_run)
  virt-ferry runs | grep -q "$run *reads its source" || fail "runs does not say that the machine reads its source: $(virt-ferry runs)"
  header=$(qemu-img info -U "$IMAGES/$NAME.qcow2" | sed -n 's/^backing file: //p')
  wait_for_guest "$NAME"
}

# As fast as it goes, to the end: the machine stands alone, nobody keeps it, and its source may go.
pull_to_the_end() {
  virsh -q blockjob "$NAME" sda --bandwidth 2000 >/dev/null 2>&1 || true
  ferry_status 0 pull "$NAME"
  stands_alone
}

stands_alone() {
  equal "what the image reads besides" "$(qemu-img info -U "$IMAGES/$NAME.qcow2" | sed -n 's/^backing file: //p')" ""
  virt-ferry runs | grep -q "$run *done" || fail "the run is not done: $(virt-ferry runs)"
  local definition
  definition=$(virsh dumpxml --inactive "$NAME")
  [[ $definition != *"<slice "* && $definition != *"protocol='nbd'"* ]] || fail "the definition names the source: $definition"
  local until=$((SECONDS + 60))
  until [[ $(keepers) == 0 ]]; do
    ((SECONDS < until)) || fail "the keeper does not end"
    sleep 0.2
  done
  equal "the source after the pull" "$(fingerprint)" "$before"
  virsh -q destroy "$NAME" || true
  mv "$SOURCE" "$WORK/run/elsewhere"
  rm -f "$SERIAL"
  virsh -q start "$NAME"
  wait_for_guest "$NAME"
  same_disk
}

# make_scattered BYTES: the probe's disk with data all over it, so that there is something to pull.
make_scattered() {
  make_disk "$1"
  local at
  for ((at = 3; at < $1 / MIB; at++)); do
    head -c 1M /dev/urandom | dd of="$WORK/run/disk.raw" bs=1M seek="$at" conv=notrunc status=none
  done
  printf '%-512s' "virt-ferry probe disk, the last of $1 bytes" |
    dd of="$WORK/run/disk.raw" bs=512 seek=$(($1 / 512 - 1)) conv=notrunc status=none
}

case_start_now_vdi() {
  make_scattered $((32 * MIB))
  image vdi "$SOURCE/probe.vdi"
  vbox AHCI probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")"
  start_now "$SOURCE/probe.vbox"
  equal "what QEMU reads" "$header" "$SOURCE/probe.vdi"
  virsh dumpxml "$NAME" | grep -q "error_policy='stop' rerror_policy='stop'" || fail "an error would reach the guest"
  pull_to_the_end
}

# Differencing images, which QEMU does not read: by way of the server. Its snapshots are left behind, and said.
case_start_now_chain() {
  make_scattered $((32 * MIB))
  vbox_tree
  head -c 1M /dev/zero | tr '\0' d | dd of="$WORK/run/disk.raw" bs=1M seek=2 conv=notrunc status=none
  start_now "$SOURCE/probe.vbox"
  grep -q 'snapshot.start-now' "$WORK/run/ferry.log" || fail "it is not said that the snapshots are left behind"
  [[ $header == nbd+unix:* ]] || fail "the image does not read the server but '$header'"
  pull_to_the_end
}

# A descriptor that names other files.
case_start_now_split() {
  make_scattered $((32 * MIB))
  image vmdk "$SOURCE/probe.vmdk" subformat=twoGbMaxExtentSparse
  vmx 564d0011223344556677889900aabbcc sata0 "" 160 e1000
  start_now "$SOURCE/probe.vmx"
  pull_to_the_end
}

# A part of a file, which QEMU reads where it lies.
case_start_now_ova() {
  make_scattered $((32 * MIB))
  ova
  start_now "$SOURCE/probe.ova"
  [[ $header == json:* ]] || fail "the image does not read a part of the package but '$header'"
  grep -q 'ova.manifest-not-checked' "$WORK/run/ferry.log" || fail "it is not said that no digest was checked"
  pull_to_the_end
}

# Snapshots that are to be kept are copied first.
case_start_now_keep() {
  make_disk $((3 * MIB))
  vbox_tree
  ferry_status 0 migrate "$SOURCE/probe.vbox" --start-now --snapshots keep
  grep -q 'disk.copied-first' "$WORK/run/ferry.log" || fail "it is not said that all was copied first"
  equal "the snapshots" "$(virsh snapshot-list "$NAME" --name | grep -c .)" 3
  equal "what the image reads besides" "$(qemu-img info -U "$IMAGES/$NAME.qcow2" | sed -n 's/^backing file: //p')" ""
}

# A machine that is off is filled by way of the server, too.
case_start_now_off() {
  make_scattered $((32 * MIB))
  vbox_tree
  head -c 1M /dev/zero | tr '\0' d | dd of="$WORK/run/disk.raw" bs=1M seek=2 conv=notrunc status=none
  start_now "$SOURCE/probe.vbox"
  virsh -q destroy "$NAME"
  ferry_status 0 pull "$NAME"
  stands_alone
}

# undo takes the machine, its image and its keeper.
case_start_now_undo() {
  make_scattered $((32 * MIB))
  vbox_tree
  start_now "$SOURCE/probe.vbox"
  ferry_status 3 undo "$run"
  ferry_status 0 undo "$run" --force
  equal "the machines" "$(virsh -q list --all --name | grep -c . || true)" 0
  [[ ! -e $IMAGES/$NAME.qcow2 ]] || fail "the image is left"
  local until=$((SECONDS + 60))
  while keeper_of "$run" >/dev/null; do
    ((SECONDS < until)) || fail "the keeper does not end"
    sleep 0.2
  done
  equal "the keepers' folders" "$(keepers)" 0
  equal "the source" "$(fingerprint)" "$before"
}

# progress_of_pull: percent; 100 where there is no pull.
progress_of_pull() {
  local line
  line=$(virsh blockjob "$NAME" sda --info 2>/dev/null | sed -n 's/.*\[ *\([0-9]*\)[.0-9]* %\].*/\1/p')
  echo "${line:-100}"
}

# The server is killed at ten points of the way, and once the machine, and once all of it. Nothing is lost: resume goes on.
case_start_now_killed() {
  make_scattered $((256 * MIB)) # at 1 MiB a second: not done before the tenth point
  vbox_tree
  head -c 1M /dev/zero | tr '\0' d | dd of="$WORK/run/disk.raw" bs=1M seek=2 conv=notrunc status=none
  start_now "$SOURCE/probe.vbox"
  local point keeper until
  for point in 1 2 3 4 5 6 7 8 9 10; do
    keeper=$(keeper_of "$run") || fail "nobody keeps the machine before point $point"
    until=$((SECONDS + 20))
    until (($(progress_of_pull) >= point)); do
      ((SECONDS < until)) || break
      sleep 0.1
    done
    kill -9 "$keeper"
    case $point in
      4) virsh -q destroy "$NAME" ;;
      7)
        kill -9 "$(cat "${XDG_RUNTIME_DIR:-$HOME/.cache}/libvirt/qemu/run/$NAME.pid")"
        until [[ $(virsh domstate "$NAME") == "shut off" ]]; do sleep 0.1; done
        ;;
    esac
    ferry_status 0 resume "$run" --force
    [[ $(virsh domstate "$NAME") == running ]] || fail "after point $point the machine is $(virsh domstate "$NAME")"
  done
  pull_to_the_end
}
