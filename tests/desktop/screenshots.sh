#!/usr/bin/env bash
# shellcheck disable=SC2317 # functions that traps call
# SPDX-License-Identifier: Apache-2.0
# Pictures of migrated machines in virt-manager and in GNOME Boxes, to be looked at by a person.
#
#   screenshots.sh BUILD_DIR OUT_DIR
#
# Two machines are migrated with the built program and started: the repository's probe machine, and a VirtualBox
# machine with two snapshots. Then both programs are started under Xvfb, and OUT_DIR gets PNG files. Root makes a user
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
  stop_daemons
  if [[ -n $user ]]; then
    # Processes of the desktop (dconf, at-spi) end when their bus is gone, which takes a moment.
    for _ in {1..100}; do
      userdel "$user" 2>/dev/null && break
      sleep 0.1
    done
  fi
  rm -rf "$work"
}
trap clean_up EXIT

DESTDIR='' cmake --install "$build" --prefix "$work/prefix" >/dev/null
mkdir -p "$work/test"
cp "$here/desktop.sh" "$here/../e2e/sources.sh" "$work/test/"
cp "$build/tests/probe/probe.raw" "$work/probe.raw"
cp -r "$source_dir/fixtures/probe-machine" "$work/test/"
chmod -R u=rwX,go=rX "$work"
mkdir -m 700 "$work/home" "$work/run" "$work/source" "$work/pictures"

as_user=()
if ((EUID == 0)); then
  user=ferry-desktop-$$
  useradd --no-log-init --no-create-home --user-group --home-dir "$work/home" --shell /bin/bash "$user"
  chown "$user:$user" "$work" "$work/home" "$work/run" "$work/source" "$work/pictures"
  as_user=(setpriv --reuid "$user" --regid "$user" --init-groups)
fi

cd "$work"
status=0
# Software rendering and no accessibility bus: there is no graphics card and nobody who needs a screen reader.
"${as_user[@]}" env -i \
  HOME="$work/home" XDG_RUNTIME_DIR="$work/run" PATH="$work/prefix/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" \
  LANG=C.UTF-8 WORK="$work" LIBGL_ALWAYS_SOFTWARE=1 GDK_BACKEND=x11 NO_AT_BRIDGE=1 GTK_A11Y=none \
  dbus-run-session -- bash "$work/test/desktop.sh" || status=$?
cp "$work"/pictures/* "$out/" 2>/dev/null || true
exit "$status"
