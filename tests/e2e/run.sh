#!/usr/bin/env bash
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

# shellcheck source=tests/e2e/own_session.sh
source "$here/own_session.sh"
own_session "$build"
cp "$here"/*.sh "$work/test/"
[[ -z $suite ]] || cp "$suite"/*.sh "$work/test/"
[[ -z $files ]] || find "$files" -maxdepth 1 -type f -exec cp --sparse=always -t "$work/files" {} +

# The one case that is root's own: a session is refused to root, and nothing is made.
if [[ $case == root-is-refused ]]; then
  if ((EUID != 0)); then
    echo "skipped: this case is for root"
    exit 77
  fi
  mkdir "$work/home" "$work/run"
  status=0
  HOME=$work/home "$work/prefix/bin/virt-ferry" migrate "$work/test/probe-machine" >"$work/run/ferry.log" 2>&1 || status=$?
  cat "$work/run/ferry.log"
  ((status == 2)) || { echo "FAILED: the exit code is $status, not 2"; exit 1; }
  grep -q 'qemu:///session' "$work/run/ferry.log" || { echo "FAILED: the message does not name the connection"; exit 1; }
  [[ -z $(find "$work/home" -type f) ]] || { echo "FAILED: files were made"; find "$work/home"; exit 1; }
  exit 0
fi

as_own_user ferry-e2e home run source

cd "$work"
status=0
"${as_user[@]}" env -i "${session_environment[@]}" \
  ASAN_OPTIONS="${ASAN_OPTIONS:-}" UBSAN_OPTIONS="${UBSAN_OPTIONS:-}" \
  FERRY_TRIALS="${FERRY_TRIALS:-}" \
  bash "$work/test/session.sh" "$case" || status=$?
exit "$status"
