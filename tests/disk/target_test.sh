#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What 'disk convert' must not do to its target: target_test.sh PROGRAM. A source is never replaced, whatever it is called.
set -euo pipefail
program=$1
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
cd "$folder"

head -c 65536 /dev/urandom >flat
printf '# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 128 FLAT "flat" 0\n' >disk.vmdk
ln flat other-name
ln -s disk.vmdk link
sha256sum flat disk.vmdk >before

# refused EXIT ARGUMENT...: the conversion ends with this status.
refused() {
  local wanted=$1 status=0
  shift
  "$program" disk convert disk.vmdk "$@" --progress none 2>message || status=$?
  if ((status != wanted)); then
    printf 'disk convert disk.vmdk %s: exit %s, not %s\n' "$*" "$status" "$wanted" >&2
    cat message >&2
    exit 1
  fi
}

refused 3 flat
refused 3 disk.vmdk --overwrite
refused 3 flat --overwrite
refused 3 other-name --overwrite
refused 3 link --overwrite
refused 3 . --overwrite
refused 3 /dev/null --overwrite
refused 2 -
refused 2 new.qcow2 --disk-mode link
grep -q 'needs no conversion' message
refused 2 missing/out.qcow2
# What the name says and what is written are one thing.
for wrong in 'out.raw --format qcow2' 'out.QCOW2 --format raw' out.vmdk 'out.vdi --format qcow2' out.iso; do
  # shellcheck disable=SC2086 # a name and its option
  refused 2 $wrong
  grep -q "the target's name says another format" message
done
sha256sum --quiet -c before
[[ $(find . | wc -l) -eq 7 ]] || { find . >&2; exit 1; }

"$program" disk convert disk.vmdk out.raw --format raw --progress none >/dev/null
"$program" disk convert disk.vmdk out.raw --format raw --overwrite --progress none >/dev/null
cmp flat out.raw

for target in as-raw.raw as-raw.img as-raw.dd 'as-raw --format raw' 'as-raw.bin --format raw'; do
  # shellcheck disable=SC2086
  "$program" disk convert disk.vmdk $target --progress none >said
  grep -q '^as-raw[.a-z]*: raw, 64 KiB' said
  cmp flat "${target%% *}"
done
for target in new.qcow2 new 'new.img --format qcow2'; do
  # shellcheck disable=SC2086
  "$program" disk convert disk.vmdk $target --progress none >said
  grep -q '^new[.a-z0-9]*: qcow2, 64 KiB' said
  [[ $(head -c 3 "${target%% *}") == QFI ]]
done

# A file beside the target is nobody's business, and no temporary one stays.
echo other >out.raw.new
"$program" disk convert disk.vmdk out.raw --format raw --overwrite --progress none >/dev/null
[[ $(<out.raw.new) == other ]]
[[ -z $(find . -name '.*ferry*') ]]
