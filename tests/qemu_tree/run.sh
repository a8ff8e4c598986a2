#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The machine that QEMU makes of a command, and the one that it makes of the domain that virt-ferry makes of the
# command, are the same: every device with its place and its properties, images, cards and what they are connected to,
# CPU features. cases/NAME.sh are the commands; tree.py compares.
#
#   run.sh BUILD_DIR CASE...
#
# As tests/e2e/run.sh: an ordinary user's session. Ends with 77 when something that is needed is not installed.
set -euo pipefail

build=$1
shift
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(cd -- "$here/../.." && pwd)

for program in virsh qemu-system-x86_64 qemu-img python3; do
  if ! command -v "$program" >/dev/null; then
    echo "skipped: $program is not installed (./run test installs it)"
    exit 77
  fi
done
# What a device's properties are and which place it gets is QEMU's, and the importer's defaults are of 7.2.
if ! qemu-system-x86_64 --version | grep -q 'version 7\.2'; then
  echo "skipped: the cases are written for QEMU 7.2"
  exit 77
fi

# shellcheck source=tests/e2e/own_session.sh
source "$source_dir/tests/e2e/own_session.sh"
own_session "$build"
cp -r "$here/cases" "$here/tree.py" "$work/test/"
as_own_user ferry-tree home run source
cd "$work"
status=0
"${as_user[@]}" env -i "${session_environment[@]}" LIBVIRT_DEFAULT_URI=qemu:///session \
  python3 "$work/test/tree.py" "$@" || status=$?
exit "$status"
