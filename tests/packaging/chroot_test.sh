#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is given out on a computer that has nothing else: first the portable program alone, then the Debian package, which
# installs with what it depends on and no more. Both plan and migrate a machine. Needs root and a Debian mirror; leaves
# nothing mounted.
#
#   chroot_test.sh PACKAGE TARBALL SOURCE_DIR FOLDER
set -euo pipefail

package=$1
tarball=$2
source_dir=$3
root=$4

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
# As somebody who has an account and nothing else.
chroot "$root" useradd -m somebody
cp -r "$source_dir/fixtures/probe-machine" "$root/home/somebody/machine"
truncate -s 1M "$root/home/somebody/machine/probe-flat.vmdk"
printf 'boot' | dd of="$root/home/somebody/machine/probe-flat.vmdk" conv=notrunc status=none
cp "$source_dir/fixtures/hosts/debian-12.json" "$root/home/somebody/"
chroot "$root" chown -R somebody: /home/somebody
as_somebody() { chroot "$root" su - somebody -c "$*" >"$root.log" 2>&1 || fail "$*: $(<"$root.log")"; }
# migrates OUT PROGRAM: the machine is planned, and made in the folder OUT.
migrates() {
  as_somebody "$2 plan machine --host-profile debian-12.json"
  grep -q "can be migrated" "$root.log" || fail "the plan does not say so: $(<"$root.log")"
  as_somebody "$2 migrate machine --no-define --dest $1 --host-profile debian-12.json"
  local made=$root/home/somebody/$1/probe
  [[ -s $made.qcow2 && -s $made.xml ]] || fail "nothing was made: $(<"$root.log")"
  [[ $(od -An -c -N 3 "$made.qcow2" | tr -d ' ') == QFI ]] || fail "probe.qcow2 is no qcow2"
}

# The portable program: without libvirt it does all but to reach one, and then it says what is missing.
tar -C "$root/opt" -xzf "$tarball"
portable=$(cd "$root" && echo /opt/virt-ferry-*/bin/virt-ferry)
[[ -z $(find "$root/usr/lib" -name 'libvirt*' -o -name 'libxml2*') ]] || fail "the chroot is not bare"
migrates portable "$portable"
as_somebody "$portable inspect machine"
as_somebody "$portable script machine -o machine.sh"
as_somebody "$portable disk info machine/probe.vmdk"
as_somebody "$portable disk convert machine/probe.vmdk converted.raw"
cmp -n 4 "$root/home/somebody/converted.raw" <(printf 'boot') || fail "the disk is not what it was"
as_somebody "! $portable migrate machine"
grep -q 'libvirt.so.0' "$root.log" || fail "without libvirt the program does not say so: $(<"$root.log")"
grep -q 'apt install libvirt-daemon' "$root.log" || fail "nothing says what to do: $(<"$root.log")"
echo "the portable program plans, inspects, converts and migrates in a bare Debian 12"

cp "$package" "$root/tmp/virt-ferry.deb"
chroot "$root" sh -c 'apt-get update -q && apt-get install -y -q --no-install-recommends /tmp/virt-ferry.deb' >"$root.log" 2>&1 ||
  fail "apt-get install: $(tail -n 20 "$root.log")"

migrates packaged virt-ferry
[[ -s $root/usr/share/applications/virt-ferry-import.desktop ]] || fail "there is no desktop entry"
chroot "$root" dpkg --purge virt-ferry >"$root.log" 2>&1 || fail "dpkg --purge: $(<"$root.log")"
echo "the package installs, plans and migrates in a bare Debian 12"
