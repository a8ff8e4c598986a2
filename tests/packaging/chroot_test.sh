#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Debian package on a computer that has nothing else: it installs, with what it depends on and no more, and plans and
# migrates a machine there. Needs root and a Debian mirror; leaves nothing mounted.
#
#   chroot_test.sh PACKAGE SOURCE_DIR FOLDER
set -euo pipefail

package=$1
source_dir=$2
root=$3

fail() {
  echo "FAILED: $*"
  exit 1
}

mounted=()
cleanup() {
  local at
  for at in "${mounted[@]}"; do umount "$at"; done
  rm -rf --one-file-system "$root"
}
trap cleanup EXIT
debootstrap --variant=minbase bookworm "$root" >"$root.log" 2>&1 || fail "debootstrap: $(tail -n 5 "$root.log")"
mount -t proc proc "$root/proc"
mounted=("$root/proc")
cp "$package" "$root/tmp/virt-ferry.deb"
chroot "$root" sh -c 'apt-get update -q && apt-get install -y -q --no-install-recommends /tmp/virt-ferry.deb' >"$root.log" 2>&1 ||
  fail "apt-get install: $(tail -n 20 "$root.log")"

# As somebody who has an account and nothing else.
chroot "$root" useradd -m somebody
cp -r "$source_dir/fixtures/probe-machine" "$root/home/somebody/machine"
truncate -s 1M "$root/home/somebody/machine/probe-flat.vmdk"
printf 'boot' | dd of="$root/home/somebody/machine/probe-flat.vmdk" conv=notrunc status=none
cp "$source_dir/fixtures/hosts/debian-12.json" "$root/home/somebody/"
chroot "$root" chown -R somebody: /home/somebody
as_somebody() { chroot "$root" su - somebody -c "$*" >"$root.log" 2>&1 || fail "$*: $(<"$root.log")"; }
as_somebody virt-ferry plan machine --host-profile debian-12.json
grep -q "can be migrated" "$root.log" || fail "the plan does not say so: $(<"$root.log")"
as_somebody virt-ferry migrate machine --no-define --dest out --host-profile debian-12.json
[[ -s $root/home/somebody/out/probe.qcow2 && -s $root/home/somebody/out/probe.xml ]] || fail "nothing was made: $(<"$root.log")"
[[ $(od -An -c -N 3 "$root/home/somebody/out/probe.qcow2" | tr -d ' ') == QFI ]] || fail "probe.qcow2 is no qcow2"
[[ -s $root/usr/share/applications/virt-ferry-import.desktop ]] || fail "there is no desktop entry"
chroot "$root" dpkg --purge virt-ferry >"$root.log" 2>&1 || fail "dpkg --purge: $(<"$root.log")"
echo "the package installs, plans and migrates in a bare Debian 12"
