#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Pictures of migrated machines in virt-manager and in GNOME Boxes, to be looked at by a person.
#
#   screenshots.sh BUILD_DIR OUT_DIR
#
# Three machines are migrated with the built program and started: the repository's probe machine, a VirtualBox machine
# with two snapshots, and that of a QEMU script for macOS. Then both programs are started under Xvfb, and OUT_DIR gets PNG files. Root makes a user
# for the time of it; anybody else runs it as himself, with folders of its own for all that libvirt and the desktop
# keep. Ends with 77 when something that is needed is not installed. What runs as the user is desktop.sh.
set -euo pipefail

if (($# != 2)); then
  echo "usage: screenshots.sh BUILD_DIR OUT_DIR" >&2
  exit 2
fi
build=$(realpath -- "$1")
mkdir -p -- "$2"
out=$(realpath -- "$2")
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(cd -- "$here/../.." && pwd)

for needed in virsh:libvirt-clients qemu-img:qemu-utils virt-manager:virt-manager gnome-boxes:gnome-boxes Xvfb:xvfb \
  dbus-run-session:dbus xdotool:xdotool gsettings:libglib2.0-bin \
  import:imagemagick; do
  if ! command -v "${needed%%:*}" >/dev/null; then
    echo "skipped: ${needed%%:*} is not installed (apt-get install ${needed##*:})"
    exit 77
  fi
done

# virt-manager opens SPICE displays by it; Debian only recommends it.
if ! compgen -G '/usr/lib*/*/girepository-1.0/SpiceClientGtk-3.0.typelib' >/dev/null; then
  echo "skipped: virt-manager's SPICE client is not installed (apt-get install gir1.2-spiceclientgtk-3.0)"
  exit 77
fi

# shellcheck source=tests/e2e/own_session.sh
source "$here/../e2e/own_session.sh"
own_session "$build"
cp "$here/desktop.sh" "$here/../e2e/sources.sh" "$work/test/"
as_own_user ferry-desktop home run source pictures

cd "$work"
status=0
# Software rendering and no accessibility bus: there is no graphics card and nobody who needs a screen reader.
"${as_user[@]}" env -i "${session_environment[@]}" \
  LIBGL_ALWAYS_SOFTWARE=1 GDK_BACKEND=x11 NO_AT_BRIDGE=1 GTK_A11Y=none \
  dbus-run-session -- bash "$work/test/desktop.sh" || status=$?
cp "$work"/pictures/* "$out/" 2>/dev/null || true
exit "$status"
