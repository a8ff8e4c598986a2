#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the portable tarball of a build with virt-ferry-portable in it: the program, its manual pages, completions and
# documentation, to be unpacked anywhere. Refuses a program that needs more than the C library, or is large.
#
#   make_tarball.sh BUILD_DIR VERSION OUT.tar.gz
set -euo pipefail

build=$1 version=$2 out=$3
most=15000000 # bytes
name=virt-ferry-$version-$(uname -m)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

fail() {
  echo "make_tarball.sh: $*" >&2
  exit 1
}

DESTDIR=$work/root cmake --install "$build" --prefix "/$name" >/dev/null
program=$work/root/$name/bin/virt-ferry
strip -o "$program" "$build/packaging/portable/virt-ferry-portable"
needed=$(objdump -p "$program" | sed -n 's/^ *NEEDED *//p')
if foreign=$(grep -v -x -E 'lib(c|m|dl|pthread|rt)[.]so[.][0-9]+|ld-linux-.*' <<<"$needed"); then
  fail "the program needs more than the C library: $foreign"
fi
# A desktop entry names a place that only a package has.
rm -rf "$work/root/$name/share/applications" "$work/root/$name/share/mime" "$work/root/$name/share/metainfo" \
  "$work/root/$name/libexec"
tar -C "$work/root" --sort=name --owner=0 --group=0 --numeric-owner -czf "$out" "$name"
(($(stat -c %s "$out") <= most)) || fail "the tarball has $(stat -c %s "$out") bytes, more than $most"
