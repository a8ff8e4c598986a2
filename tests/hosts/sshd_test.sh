#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: sshd_test.sh PROGRAM SOURCE_DIR
# A machine is read from an sshd of this user's own on the loopback device, with a key pair, port and configuration of
# the test's. Exit code 77: there is no sshd here.
set -euo pipefail

PROGRAM=$1 SOURCE=$2
# shellcheck source=tests/hosts/own_sshd.sh
source "$SOURCE/tests/hosts/own_sshd.sh"
WORK=$(mktemp -d)
cleanup() {
  end_own_sshd
  rm -rf "$WORK"
}
trap cleanup EXIT
fail() {
  echo "sshd_test: $*" >&2
  exit 1
}
own_sshd "$WORK"
mkdir -p "$WORK/home" "$WORK/images"
export PATH="$WORK/bin:$PATH" HOME="$WORK/home" XDG_STATE_HOME="$WORK/state" XDG_RUNTIME_DIR="$WORK"

mkdir "$WORK/machine"
cp "$SOURCE"/fixtures/probe-machine/probe.v* "$WORK/machine"
head -c 1048576 /dev/urandom >"$WORK/machine/probe-flat.vmdk" # as its descriptor says
MACHINE=$WORK/machine
"$PROGRAM" migrate "$MACHINE" --no-define --dest "$WORK/images/here" --format json >"$WORK/here.json" ||
  fail "it was not migrated from here"
"$PROGRAM" migrate "ssh://far$MACHINE" --no-define --dest "$WORK/images/there" --format json >"$WORK/there.json" ||
  fail "it was not migrated by ssh"
compared=0
for image in "$WORK"/images/here/*.qcow2; do
  cmp "$image" "$WORK/images/there/${image##*/}" || fail "the disks differ"
  compared=$((compared + 1))
done
((compared > 0)) || fail "no disk was made"
! grep -q -- '-- far sh$' "$WORK/calls" || fail "a disk without zeros was asked for them"

# The zeros of a thin disk are asked for there.
THIN=$WORK/thin
mkdir "$THIN"
cp "$SOURCE"/fixtures/probe-machine/probe.v* "$THIN"
sed -i 's/^RW 2048 FLAT/RW 196608 FLAT/' "$THIN/probe.vmdk" # 96 MiB
for at in 0 50 90; do
  head -c 1048576 /dev/urandom | dd of="$THIN/probe-flat.vmdk" bs=1M seek="$at" conv=notrunc status=none
done
truncate -s 96M "$THIN/probe-flat.vmdk"
"$PROGRAM" migrate "ssh://far$THIN" --no-define --dest "$WORK/images/thin" >/dev/null || fail "it was not migrated by ssh"
[[ $(grep -c -- '-- far sh$' "$WORK/calls") == 1 ]] || fail "the host was not asked once where the zeros are"
for image in "$WORK"/images/thin/*.qcow2; do
  qemu-img compare -q -f qcow2 -F raw "$image" "$THIN/probe-flat.vmdk" || fail "the thin disk differs"
done

grep -q '"ssh://far' "$WORK/there.json" || fail "the report does not name its source"

# One connection for all sessions of a run, which ends with the program.
sessions=$(grep -c -- '-- far s' "$WORK/calls")
logins=$(grep -c 'Accepted publickey' "$WORK/sshd.log")
runs=2
((sessions > runs + 1)) || fail "there were $sessions sessions: nothing is known of sharing"
((logins == runs)) || fail "$sessions sessions took $logins logins"
! compgen -G "$WORK/virt-ferry-*" >/dev/null || fail "the sockets' folder was left behind"

# A faster cipher is asked for where the processor has AES, and never against the user's configuration.
if [[ $(uname -m) == x86_64 ]] && grep -qw aes /proc/cpuinfo; then
  grep -q -- '-oCiphers=^aes128-gcm@openssh.com' "$WORK/calls" || fail "no cipher was preferred"
fi
echo '  Ciphers aes256-ctr' >>"$WORK/config"
: >"$WORK/calls"
"$PROGRAM" inspect "ssh://far$MACHINE" >/dev/null || fail "it was not read with a cipher of the user's"
grep -q -- '-- far sftp' "$WORK/calls" || fail "it was not read by ssh"
! grep -q -- '-oCiphers' "$WORK/calls" || fail "the user's cipher was not left to him"

# Who is not let in is told so.
rm "$WORK/authorized"
if "$PROGRAM" inspect "ssh://far$MACHINE" >/dev/null 2>"$WORK/said"; then fail "it was let in without a key"; fi
grep -q "the host 'far' cannot be reached by SFTP" "$WORK/said" || fail "it said: $(cat "$WORK/said")"
grep -q 'Permission denied' "$WORK/said" || fail "it said: $(cat "$WORK/said")"
echo "sshd_test: $compared disk(s), $sessions sessions in $logins connections"
