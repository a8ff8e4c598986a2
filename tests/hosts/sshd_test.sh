#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: sshd_test.sh PROGRAM SOURCE_DIR
# A machine is read from an sshd of this user's own on the loopback device, with a key pair, port and configuration of
# the test's. Exit code 77: there is no sshd here.
set -euo pipefail

PROGRAM=$1 SOURCE=$2
SSHD=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v sshd) || exit 77
command -v ssh ssh-keygen >/dev/null || exit 77
SERVER=
for file in /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server /usr/lib/ssh/sftp-server; do
  [[ -x $file ]] && SERVER=$file
done
[[ -n $SERVER ]] || exit 77

WORK=$(mktemp -d)
SERVES=
# Root's sshd wants a folder that the system's service makes.
MADE=
if ((EUID == 0)) && [[ ! -e /run/sshd ]]; then
  mkdir -m 0755 /run/sshd
  MADE=/run/sshd
fi
cleanup() {
  if [[ -n $SERVES ]]; then
    kill "$SERVES" 2>/dev/null || true
    wait "$SERVES" 2>/dev/null || true
  fi
  rm -rf "$WORK"
  if [[ -n $MADE ]]; then rmdir "$MADE"; fi
}
trap cleanup EXIT
fail() {
  echo "sshd_test: $*" >&2
  exit 1
}

ssh-keygen -q -t ed25519 -N '' -f "$WORK/host"
ssh-keygen -q -t ed25519 -N '' -f "$WORK/user"
cp "$WORK/user.pub" "$WORK/authorized"
mkdir -p "$WORK/bin" "$WORK/home" "$WORK/images"

# A port that nobody has: sshd says when it listens, and ends when it cannot.
start() {
  cat >"$WORK/sshd_config" <<CONFIG
Port $1
ListenAddress 127.0.0.1
HostKey $WORK/host
AuthorizedKeysFile $WORK/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
Subsystem sftp $SERVER
CONFIG
  "$SSHD" -D -e -f "$WORK/sshd_config" 2>"$WORK/sshd.log" &
  SERVES=$!
  until grep -q 'Server listening' "$WORK/sshd.log"; do
    kill -0 "$SERVES" 2>/dev/null || return 1
    read -r -t 0.05 <> <(:) || true
  done
}
PORT=
for candidate in 22022 22122 22222 22322 22422; do
  if start "$candidate"; then
    PORT=$candidate
    break
  fi
  wait "$SERVES" || true
  SERVES=
done
[[ -n $PORT ]] || fail "no sshd was started: $(cat "$WORK/sshd.log")"

# The user's own configuration: which key, which host's key. ssh takes it from -F alone, since it asks the system for
# the home.
cat >"$WORK/config" <<CONFIG
Host far
  HostName 127.0.0.1
  Port $PORT
  IdentityFile $WORK/user
  IdentitiesOnly yes
  UserKnownHostsFile $WORK/known
  StrictHostKeyChecking accept-new
CONFIG
cat >"$WORK/bin/ssh" <<SCRIPT
#!/bin/sh
echo "\$@" >>"$WORK/calls"
exec $(command -v ssh) -F "$WORK/config" "\$@"
SCRIPT
chmod +x "$WORK/bin/ssh"
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
grep -q '"ssh://far' "$WORK/there.json" || fail "the report does not name its source"

# One connection for all sessions, which ends with the program.
sessions=$(grep -c -- '-s -- far sftp' "$WORK/calls")
logins=$(grep -c 'Accepted publickey' "$WORK/sshd.log")
((sessions > 1)) || fail "there was one session: nothing is known of sharing"
((logins == 1)) || fail "$sessions sessions took $logins logins"
! compgen -G "$WORK/virt-ferry-*" >/dev/null || fail "the sockets' folder was left behind"

# Who is not let in is told so.
rm "$WORK/authorized"
if "$PROGRAM" inspect "ssh://far$MACHINE" >/dev/null 2>"$WORK/said"; then fail "it was let in without a key"; fi
grep -q "the host 'far' cannot be reached by SFTP" "$WORK/said" || fail "it said: $(cat "$WORK/said")"
grep -q 'Permission denied' "$WORK/said" || fail "it said: $(cat "$WORK/said")"
echo "sshd_test: $compared disk(s), $sessions sessions in one connection"
