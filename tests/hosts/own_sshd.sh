# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# An sshd of this user's own on the loopback device, with a key pair, port and configuration of its own, and an `ssh` in
# $WORK/bin that knows it as "far" and notes in $WORK/calls what it is called with. To be sourced.
#
#   own_sshd WORK     WORK: an empty folder. Sets SERVES (its process) and MADE (a folder to be removed; may be empty).
#                     Gives 77 when a program is not installed that is needed, 1 when it cannot be started.
#   end_own_sshd

own_sshd() {
  local work=$1 file server='' sshd real candidate
  sshd=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v sshd) || return 77
  real=$(command -v ssh) && command -v ssh-keygen >/dev/null || return 77
  for file in /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server /usr/lib/ssh/sftp-server; do
    [[ -x $file ]] && server=$file
  done
  [[ -n $server ]] || return 77
  # Root's sshd wants a folder that the system's service makes.
  MADE=
  if ((EUID == 0)) && [[ ! -e /run/sshd ]]; then
    mkdir -m 0755 /run/sshd
    MADE=/run/sshd
  fi
  ssh-keygen -q -t ed25519 -N '' -f "$work/host"
  ssh-keygen -q -t ed25519 -N '' -f "$work/user"
  cp "$work/user.pub" "$work/authorized"
  for candidate in 22022 22122 22222 22322 22422; do
    if _start_sshd "$work" "$sshd" "$server" "$candidate"; then
      _ssh_of_own "$work" "$real" "$candidate"
      return 0
    fi
    wait "$SERVES" || true
    SERVES=
  done
  cat "$work/sshd.log" >&2
  return 1
}

end_own_sshd() {
  if [[ -n ${SERVES:-} ]]; then
    kill "$SERVES" 2>/dev/null || true
    wait "$SERVES" 2>/dev/null || true
  fi
  if [[ -n ${MADE:-} ]]; then rmdir "$MADE"; fi
}

# A port that nobody has: sshd says when it listens, and ends when it cannot.
_start_sshd() {
  local work=$1
  cat >"$work/sshd_config" <<CONFIG
Port $4
ListenAddress 127.0.0.1
HostKey $work/host
AuthorizedKeysFile $work/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
Subsystem sftp $3
CONFIG
  "$2" -D -e -f "$work/sshd_config" 2>"$work/sshd.log" &
  SERVES=$!
  until grep -q 'Server listening' "$work/sshd.log"; do
    kill -0 "$SERVES" 2>/dev/null || return 1
    read -r -t 0.05 <> <(:) || true
  done
}

# The user's own configuration: which key, which host's key. ssh takes it from -F alone, since it asks the system for
# the home.
_ssh_of_own() {
  local work=$1
  cat >"$work/config" <<CONFIG
Host far
  HostName 127.0.0.1
  Port $3
  IdentityFile $work/user
  IdentitiesOnly yes
  UserKnownHostsFile $work/known
  StrictHostKeyChecking accept-new
CONFIG
  mkdir -p "$work/bin"
  cat >"$work/bin/ssh" <<SCRIPT
#!/bin/sh
echo "\$@" >>"$work/calls"
exec $2 -F "$work/config" "\$@"
SCRIPT
  chmod +x "$work/bin/ssh"
}
