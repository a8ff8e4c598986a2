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
sha256sum --quiet -c before
[[ $(find . | wc -l) -eq 7 ]] || { find . >&2; exit 1; }

"$program" disk convert disk.vmdk out.raw --format raw --progress none >/dev/null
"$program" disk convert disk.vmdk out.raw --format raw --overwrite --progress none >/dev/null
cmp flat out.raw

# A file beside the target is nobody's business, and no temporary one stays.
echo other >out.raw.new
"$program" disk convert disk.vmdk out.raw --format raw --overwrite --progress none >/dev/null
[[ $(<out.raw.new) == other ]]
[[ -z $(find . -name '.*ferry*') ]]
