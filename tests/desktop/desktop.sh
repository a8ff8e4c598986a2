#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2034 # sources.sh lies elsewhere in the repository; its functions use the variables
# SPDX-License-Identifier: Apache-2.0
# What screenshots.sh runs as the user, on a message bus of its own: migrates, starts the desktop programs, and takes
# pictures when each has what it should show. $WORK is the folder of the run.
set -euo pipefail

source "$WORK/test/sources.sh"

export LIBVIRT_DEFAULT_URI=qemu:///session
SOURCE=$WORK/source
SOURCE_SERIAL=$WORK/run/com1.log
PICTURES=$WORK/pictures
started=()

fail() {
  echo "FAILED: $*" >&2
  [[ -z ${DISPLAY:-} ]] || import -window root "$PICTURES/failed.png" 2>/dev/null || true
  cp "$WORK"/run/*.log "$PICTURES/" 2>/dev/null || true
  exit 1
}

clean_up() {
  local pid domain
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  for domain in $(virsh -q list --name 2>/dev/null); do virsh -q destroy "$domain" || true; done
}
trap clean_up EXIT

# until_true WHAT SECONDS COMMAND...
until_true() {
  local what=$1 end=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || fail "$what"
    sleep 0.2
  done
}

# Virtual screen; Xvfb takes a free number and says which.
start_screen() {
  Xvfb -displayfd 3 -screen 0 1280x900x24 -nolisten tcp 3>"$WORK/run/display" 2>"$WORK/run/xvfb.log" &
  started+=($!)
  until_true "Xvfb does not start" 30 test -s "$WORK/run/display"
  DISPLAY=:$(<"$WORK/run/display")
  export DISPLAY
}

# picture NAME: when two pictures a second apart are the same, or after 30 seconds: a load graph moves for ever.
picture() {
  local before='' now end=$((SECONDS + 30))
  while ((SECONDS < end)); do
    import -window root "$WORK/run/shot.png"
    now=$(identify -quiet -format '%#' "$WORK/run/shot.png")
    [[ $now != "$before" ]] || break
    before=$now
    sleep 1
  done
  cp "$WORK/run/shot.png" "$PICTURES/$1.png"
  echo "$1.png"
}

# A window whose title has that in it.
window() { xdotool search --onlyvisible --name "$1"; }

# Somebody is connected to the machine's display: QEMU lists a client's channels.
display_is_open() {
  virsh qemu-monitor-command --hmp "$1" 'info spice' | grep -q '^Channel:'
}
display_is_closed() { ! display_is_open "$1"; }

# differencing BASE FILE: an empty differencing VDI over BASE. Offsets as in VirtualBox's header 1.1: the type at 76,
# the UUIDs at 392 (own), 408 (modification), 424 (parent) and 440 (parent's modification).
differencing() {
  qemu-img create -q -f vdi "$2" "$(stat -c %s "$WORK/run/disk.raw")"
  printf '\4\0\0\0' | dd of="$2" bs=1 seek=76 conv=notrunc status=none
  dd if="$1" of="$2" bs=1 skip=392 seek=424 count=16 conv=notrunc status=none
  dd if="$1" of="$2" bs=1 skip=408 seek=440 count=16 conv=notrunc status=none
}

# hardware DISK-UUID
hardware() { vbox_hardware "$(vbox_controller SATA AHCI 1 "0:0:$1")"; }

# $SOURCE/family: a machine with two snapshots, "installed" and "configured", each an image of its own.
family_machine() {
  SOURCE=$SOURCE/family NAME=family UUID=8b6c1a52-93f7-4e0d-b1a4-5d2e7f60c8a9 MAC=080027FA0001
  mkdir "$SOURCE"
  make_disk $((3 * 1024 * 1024))
  image vdi "$SOURCE/family.vdi"
  differencing "$SOURCE/family.vdi" "$SOURCE/first.vdi"
  differencing "$SOURCE/first.vdi" "$SOURCE/second.vdi"
  local base first second
  base=$(vdi_uuid "$SOURCE/family.vdi") first=$(vdi_uuid "$SOURCE/first.vdi") second=$(vdi_uuid "$SOURCE/second.vdi")
  cat >"$SOURCE/family.vbox" <<XML
<?xml version="1.0"?>
<VirtualBox xmlns="http://www.virtualbox.org/" version="1.19-linux">
  <Machine uuid="{$UUID}" name="$NAME" OSType="Debian_64" currentSnapshot="{9c000002-0000-4000-8000-00000000000a}" snapshotFolder="Snapshots">
    <Description>A machine with two snapshots.</Description>
    <MediaRegistry>
      <HardDisks>
        <HardDisk uuid="{$base}" location="family.vdi" format="VDI" type="Normal">
          <HardDisk uuid="{$first}" location="first.vdi" format="VDI">
            <HardDisk uuid="{$second}" location="second.vdi" format="VDI"/>
          </HardDisk>
        </HardDisk>
      </HardDisks>
    </MediaRegistry>
    <Snapshot uuid="{9c000001-0000-4000-8000-00000000000a}" name="installed" timeStamp="2024-01-01T00:00:00Z">
      <Description>fresh install</Description>
$(hardware "$base")
      <Snapshots>
        <Snapshot uuid="{9c000002-0000-4000-8000-00000000000a}" name="configured" timeStamp="2024-02-01T00:00:00Z">
$(hardware "$first")
        </Snapshot>
      </Snapshots>
    </Snapshot>
$(hardware "$second")
  </Machine>
</VirtualBox>
XML
}

migrate() {
  virt-ferry migrate "$1" --start >"$WORK/run/ferry.log" 2>&1 || fail "virt-ferry migrate $1: $(<"$WORK/run/ferry.log")"
}

mkdir "$SOURCE/probe"
cp "$WORK/test/probe-machine/"* "$SOURCE/probe/"
cp "$WORK/probe.raw" "$SOURCE/probe/probe-flat.vmdk"
(family_machine)
migrate "$SOURCE/probe"
migrate "$SOURCE/family"
# The machine of a QEMU script, as its user has it: run from its own folder.
(
  SOURCE=$SOURCE/macos
  mkdir "$SOURCE"
  make_disk $((3 * 1024 * 1024))
  macos_script || fail "OVMF is not installed"
  cd "$SOURCE"
  virt-ferry migrate basic.sh --name macos --start >"$WORK/run/ferry.log" 2>&1 || fail "virt-ferry migrate: $(<"$WORK/run/ferry.log")"
)
[[ $(pci_functions macos) == "$MACOS_FUNCTIONS" ]] || fail "the PCI functions of macos are $(pci_functions macos)"
virsh list --all
virsh snapshot-list family --tree

start_screen

virt-manager --no-fork --connect qemu:///session >"$WORK/run/virt-manager.log" 2>&1 &
manager=$!
started+=("$manager")
until_true "virt-manager shows no window" 60 window 'Virtual Machine Manager'
picture virt-manager-list
# The running instance opens the window.
virt-manager --no-fork --connect qemu:///session --show-domain-console probe >>"$WORK/run/virt-manager.log" 2>&1 &
started+=($!)
until_true "virt-manager does not show the machine 'probe'" 60 window 'probe on QEMU'
until_true "virt-manager does not open the display of 'probe'" 60 display_is_open probe
picture virt-manager-probe
virt-manager --no-fork --connect qemu:///session --show-domain-editor family >>"$WORK/run/virt-manager.log" 2>&1 &
started+=($!)
until_true "virt-manager does not show the machine 'family'" 60 window 'family on QEMU'
# The last button of the window's tool bar shows the snapshots.
xdotool mousemove --window "$(window 'family on QEMU' | head -n 1)" 304 46 click 1
picture virt-manager-family-snapshots
virt-manager --no-fork --connect qemu:///session --show-domain-editor macos >>"$WORK/run/virt-manager.log" 2>&1 &
started+=($!)
until_true "virt-manager does not show the machine 'macos'" 60 window 'macos on QEMU'
picture virt-manager-macos-devices
virt-manager --no-fork --connect qemu:///session --show-domain-console macos >>"$WORK/run/virt-manager.log" 2>&1 &
started+=($!)
until_true "virt-manager does not open the display of 'macos'" 60 display_is_open macos
picture virt-manager-macos
kill "$manager"
until_true "virt-manager does not end" 30 display_is_closed probe

# Without the tutorial in front of the machines.
gsettings set org.gnome.boxes first-run false
gsettings set org.gnome.boxes view list-view # with their names
gnome-boxes >"$WORK/run/boxes.log" 2>&1 &
boxes=$!
started+=("$boxes")
until_true "GNOME Boxes shows no window" 90 window Boxes
picture boxes-list
kill "$boxes"
wait "$boxes" 2>/dev/null || true
gnome-boxes --open-uuid "$(virsh domuuid probe | head -n 1)" >>"$WORK/run/boxes.log" 2>&1 &
started+=($!)
until_true "GNOME Boxes does not open the display of 'probe'" 90 display_is_open probe
picture boxes-probe
gnome-boxes --open-uuid "$(virsh domuuid macos | head -n 1)" >>"$WORK/run/boxes.log" 2>&1 &
started+=($!)
until_true "GNOME Boxes does not open the display of 'macos'" 90 display_is_open macos
picture boxes-macos
for domain in probe family macos; do
  [[ $(virsh domstate "$domain" | head -n 1) == running ]] || fail "the machine $domain does not run any more"
done
