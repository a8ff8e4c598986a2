# shellcheck shell=bash disable=SC2034,SC2154 # variables of those who source this, and for them
# SPDX-License-Identifier: Apache-2.0
# A folder, a user and a libvirt session of its own for the time of a run: what run.sh here and
# tests/desktop/screenshots.sh share. Root makes a user; anybody else runs as himself, with folders of its own for all
# that libvirt keeps.

# own_session BUILD_DIR: makes $work and installs the program into $work/prefix, to be removed when the shell ends;
# the probe's disk and machine lie in $work/probe.raw and $work/test. FERRY_E2E_KEEP=1 keeps the folder of a failure.
own_session() {
  # Short, because sockets of libvirt and QEMU lie below: their names may have 107 bytes.
  work=$(mktemp -d "${TMPDIR:-/tmp}/ferry.XXXXXX")
  user=
  trap end_session EXIT
  DESTDIR='' cmake --install "$1" --prefix "$work/prefix" >/dev/null
  mkdir -p "$work/test" "$work/files"
  cp "$1/tests/probe/probe.raw" "$work/probe.raw"
  cp -r "$source_dir/fixtures/probe-machine" "$work/test/"
}

# as_own_user NAME FOLDER...: the folders, below $work, are the user's alone, who may read all else. Then
# "${as_user[@]}" env -i "${session_environment[@]}" COMMAND runs a command in the session.
as_own_user() {
  local name=$1
  shift
  chmod -R u=rwX,go=rX "$work"
  mkdir -m 700 "${@/#/$work/}"
  as_user=()
  if ((EUID == 0)); then
    user=$name-$$
    useradd --no-log-init --no-create-home --user-group --home-dir "$work/home" --shell /bin/bash "$user"
    chown "$user:$user" "$work" "${@/#/$work/}"
    as_user=(setpriv --reuid "$user" --regid "$user" --init-groups)
  fi
  session_environment=(HOME="$work/home" XDG_RUNTIME_DIR="$work/run" LANG=C.UTF-8 WORK="$work"
    PATH="$work/prefix/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
}

# Ends the daemons that the session has started: those whose process ids stand in its own folder.
stop_daemons() {
  local file pid
  for file in "$work"/run{,/app/*}/libvirt/{,*/}*.pid; do
    [[ -e $file ]] || continue
    pid=$(<"$file")
    case $(cat "/proc/$pid/comm" 2>/dev/null || true) in
      libvirtd | virtqemud | virtlogd | virtlockd | virt*d | dnsmasq | swtpm) kill "$pid" 2>/dev/null || true ;;
    esac
  done
}

# shellcheck disable=SC2317 # the trap calls it
end_session() {
  local status=$? until=$((SECONDS + 10))
  stop_daemons
  if [[ -n $user ]]; then
    # A process that is just ending (a daemon, the desktop's dconf) keeps the user for a moment.
    until userdel "$user" 2>/dev/null || ((SECONDS >= until)); do sleep 0.1; done
  fi
  if ((status != 0)) && [[ -n ${FERRY_E2E_KEEP:-} ]]; then
    echo "kept: $work"
  else
    rm -rf "$work"
  fi
}
