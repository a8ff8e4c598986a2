#!/usr/bin/env bash
# shellcheck disable=SC2317 # functions that traps call
# SPDX-License-Identifier: Apache-2.0
# One end-to-end case: the installed program, as an ordinary user with a session libvirt of his own.
#
#   run.sh BUILD_DIR CASE [SUITE_FOLDER FILES_FOLDER]
#
# SUITE_FOLDER: a folder with other cases (cases.sh and what it sources). FILES_FOLDER: its plain files are the cases',
# in $WORK/files; without it the suite cannot run, which is said.
# Root makes a user for the time of the case; anybody else runs it as himself, with folders of its own for all that
# libvirt keeps. Ends with 77 when something that is needed is not installed. What runs as the user is session.sh.
set -euo pipefail

build=$1
case=$2
suite=${3:-}
files=${4:-}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(cd -- "$here/../.." && pwd)

for program in virsh qemu-system-x86_64 qemu-img tar sha256sum; do
  if ! command -v "$program" >/dev/null; then
    echo "skipped: $program is not installed (./run test installs it)"
    exit 77
  fi
done
if [[ ! -x /usr/sbin/libvirtd && ! -x /usr/sbin/virtqemud ]]; then
  echo "skipped: libvirt's daemon is not installed (./run test installs it)"
  exit 77
fi
if [[ -n $files && ! -d $files ]]; then
  echo "skipped: there is no $files, which another test makes"
  exit 77
fi

# Short, because sockets of libvirt and QEMU lie below: their names may have 107 bytes.
work=$(mktemp -d "${TMPDIR:-/tmp}/ferry.XXXXXX")
user=

# Ends the daemons that the session has started: those whose process ids stand in its own folder.
stop_daemons() {
  local file pid
  for file in "$work"/run/libvirt/*.pid "$work"/run/libvirt/*/*.pid; do
    [[ -e $file ]] || continue
    pid=$(<"$file")
    case $(cat "/proc/$pid/comm" 2>/dev/null || true) in
      libvirtd | virtqemud | virtlogd | virtlockd | virt*d | dnsmasq | swtpm) kill "$pid" 2>/dev/null || true ;;
    esac
  done
}

clean_up() {
  local status=$?
  stop_daemons
  if [[ -n $user ]]; then
    # A process that is just ending keeps the user for a moment.
    for _ in {1..50}; do
      userdel "$user" 2>/dev/null && break
      sleep 0.1
    done
  fi
  if ((status != 0)) && [[ -n ${FERRY_E2E_KEEP:-} ]]; then
    echo "kept: $work"
  else
    rm -rf "$work"
  fi
}
trap clean_up EXIT

DESTDIR='' cmake --install "$build" --prefix "$work/prefix" >/dev/null
mkdir -p "$work/test"
cp "$here"/*.sh "$work/test/"
[[ -z $suite ]] || cp "$suite"/*.sh "$work/test/"
mkdir "$work/files"
[[ -z $files ]] || find "$files" -maxdepth 1 -type f -exec cp --sparse=always -t "$work/files" {} +
cp "$build/tests/probe/probe.raw" "$work/probe.raw"
cp -r "$source_dir/fixtures/probe-machine" "$work/test/"
chmod -R u=rwX,go=rX "$work"
mkdir -m 700 "$work/home" "$work/run" "$work/source"

# The one case that is root's own: a session is refused to root, and nothing is made.
if [[ $case == root-is-refused ]]; then
  if ((EUID != 0)); then
    echo "skipped: this case is for root"
    exit 77
  fi
  status=0
  HOME=$work/home "$work/prefix/bin/virt-ferry" migrate "$work/test/probe-machine" >"$work/run/ferry.log" 2>&1 || status=$?
  cat "$work/run/ferry.log"
  ((status == 2)) || { echo "FAILED: the exit code is $status, not 2"; exit 1; }
  grep -q 'qemu:///session' "$work/run/ferry.log" || { echo "FAILED: the message does not name the connection"; exit 1; }
  [[ -z $(find "$work/home" -type f) ]] || { echo "FAILED: files were made"; find "$work/home"; exit 1; }
  exit 0
fi

as_user=()
if ((EUID == 0)); then
  user=ferry-e2e-$$
  useradd --no-log-init --no-create-home --user-group --home-dir "$work/home" --shell /bin/bash "$user"
  chown "$user:$user" "$work" "$work/home" "$work/run" "$work/source"
  as_user=(setpriv --reuid "$user" --regid "$user" --init-groups)
fi

cd "$work"
status=0
"${as_user[@]}" env -i \
  HOME="$work/home" XDG_RUNTIME_DIR="$work/run" PATH="$work/prefix/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" \
  LANG=C.UTF-8 WORK="$work" ASAN_OPTIONS="${ASAN_OPTIONS:-}" UBSAN_OPTIONS="${UBSAN_OPTIONS:-}" \
  bash "$work/test/session.sh" "$case" || status=$?
exit "$status"
