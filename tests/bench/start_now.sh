#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How soon a machine runs that `migrate --start-now` starts, and how long the copy behind it takes.
#
#   start_now.sh BUILD_DIR [GIB]
#
# Disks of 500 GiB with 50 GiB of data, as their tables say (their files are sparse), of each kind of source: the time
# until the domain runs. Goal: 2 seconds. Then GIB (2) of real data, in a chain that is served: the time until all is
# copied behind the machine, against that of the plain copy. Goal: at most twice. Ends with 1 where a goal is missed.
# As root it makes an ordinary user for the time of the run.
set -euo pipefail

build=$1
gib=${2:-2}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(cd -- "$here/../.." && pwd)
# shellcheck source=tests/e2e/own_session.sh
source "$here/../e2e/own_session.sh"
own_session "$build"
cp "$source_dir"/tests/e2e/*.sh "$work/test/"
cat >"$work/test/bench.sh" <<'INNER'
set -euo pipefail
source "$WORK/test/sources.sh"
export LIBVIRT_DEFAULT_URI=qemu:///session
SOURCE=$WORK/source
SOURCE_SERIAL=$WORK/run/com1.log
IMAGES=$HOME/.local/share/libvirt/images
missed=0

now() { date +%s.%N; }
# verdict WHAT SECONDS GOAL
verdict() {
  local how=met
  if ! awk -v a="$2" -v b="$3" 'BEGIN {exit !(a <= b)}'; then
    how=MISSED
    missed=1
  fi
  printf '%-44s %7.2f s, goal %7.2f s: %s\n' "$1" "$2" "$3" "$how"
}
since() { awk -v a="$1" -v b="$(now)" 'BEGIN {print b - a}'; }

# wide_vdi FILE [PARENT]: 500 GiB, every tenth block of 1 MiB allocated, the file sparse; with PARENT every hundredth,
# as a differencing image on it.
wide_vdi() {
  qemu-img create -q -f vdi "$1" 500G
  perl -e '
    my ($file, $step) = @ARGV;
    open(my $f, "+<:raw", $file) or die;
    seek($f, 340, 0); read($f, my $offsets, 8);  # of blocks and of data
    my ($blocks, $data) = unpack("V2", $offsets);
    my $count = 500 * 1024;
    my ($map, $next) = ("", 0);
    for my $i (0 .. $count - 1) { $map .= pack("V", $i % $step == 0 ? $next++ : 0xffffffff); }
    seek($f, $blocks, 0); print $f $map;
    seek($f, 388, 0); print $f pack("V", $next);
    close($f);
    truncate($file, $data + $next * 1048576) or die;' "$1" "$([[ -n ${2:-} ]] && echo 100 || echo 10)"
  [[ -n ${2:-} ]] || return 0
  printf '\004' | dd of="$1" bs=1 seek=76 conv=notrunc status=none
  dd if="$2" of="$1" bs=1 skip=392 seek=424 count=16 conv=notrunc status=none
  dd if="$2" of="$1" bs=1 skip=408 seek=440 count=16 conv=notrunc status=none
}

# at_once WHAT SOURCE: and it is taken back.
at_once() {
  local begun seconds
  begun=$(now)
  virt-ferry migrate "$2" --start-now >"$WORK/run/log" 2>&1 || { cat "$WORK/run/log"; exit 1; }
  seconds=$(since "$begun")
  [[ $(virsh domstate "$NAME") == running ]]
  verdict "$1: runs" "$seconds" 2
  virt-ferry undo "$(virt-ferry runs | awk '/reads its source/ {print $1}')" --force >/dev/null
  rm -rf "${SOURCE:?}"/*
}

virsh -q list >/dev/null # the daemon is there, as on a desktop
wide_vdi "$SOURCE/a.vdi"
vbox AHCI a.vdi VDI "$(vdi_uuid "$SOURCE/a.vdi")"
at_once "VDI, 500 GiB" "$SOURCE/probe.vbox"

wide_vdi "$SOURCE/a.vdi"
wide_vdi "$SOURCE/b.vdi" "$SOURCE/a.vdi"
vbox_machine "$(printf '<HardDisk uuid="{%s}" location="a.vdi" format="VDI" type="Normal"><HardDisk uuid="{%s}" location="b.vdi" format="VDI"/></HardDisk>' \
  "$(vdi_uuid "$SOURCE/a.vdi")" "$(vdi_uuid "$SOURCE/b.vdi")")" "$(vbox_controller disks AHCI 2 "0:0:$(vdi_uuid "$SOURCE/b.vdi")")"
at_once "chain of VDIs, 500 GiB" "$SOURCE/probe.vbox"

truncate -s 500G "$SOURCE/probe-flat.vmdk"
printf '# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 1048576000 FLAT "probe-flat.vmdk" 0\nddb.adapterType = "lsilogic"\n' >"$SOURCE/probe.vmdk"
vmx 564d0011223344556677889900aabbcc sata0 "" 160 e1000
at_once "flat VMDK, 500 GiB" "$SOURCE/probe.vmx"

# The copy behind the machine, against the plain one.
truncate -s "$((GIB * 4))G" "$WORK/run/disk.raw"
for ((at = 0; at < GIB * 16; at++)); do
  head -c 64M /dev/urandom | dd of="$WORK/run/disk.raw" bs=64M seek=$((at * 4)) conv=notrunc status=none
done
vdi_state "$SOURCE/base.vdi"
vdi_state "$SOURCE/top.vdi" "$SOURCE/base.vdi" 2 d
vbox_machine "$(printf '<HardDisk uuid="{%s}" location="base.vdi" format="VDI" type="Normal"><HardDisk uuid="{%s}" location="top.vdi" format="VDI"/></HardDisk>' \
  "$(vdi_uuid "$SOURCE/base.vdi")" "$(vdi_uuid "$SOURCE/top.vdi")")" "$(vbox_controller disks AHCI 2 "0:0:$(vdi_uuid "$SOURCE/top.vdi")")"
rm "$WORK/run/disk.raw"
begun=$(now)
virt-ferry migrate "$SOURCE/probe.vbox" --disk-mode copy --snapshots flatten >/dev/null 2>&1
plain=$(since "$begun")
virt-ferry undo "$(virt-ferry runs | awk '/ done / {print $1}')" >/dev/null
begun=$(now)
virt-ferry migrate "$SOURCE/probe.vbox" --start-now >/dev/null 2>&1
virt-ferry pull "$NAME" >/dev/null 2>&1
printf 'plain copy of %s GiB %.2f s\n' "$GIB" "$plain"
verdict "served chain, $GIB GiB: all is copied" "$(since "$begun")" "$(awk -v a="$plain" 'BEGIN {print 2 * a}')"
virsh -q destroy "$NAME"
exit "$missed"
INNER
as_own_user ferry-bench home run source
cd "$work"
"${as_user[@]}" env -i "${session_environment[@]}" GIB="$gib" bash "$work/test/bench.sh"
