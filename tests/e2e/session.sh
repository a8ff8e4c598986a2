#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What run.sh runs as the user: makes the source machine, migrates it, reads what the guest says, compares.
# $WORK is the case's folder. Fails with the first thing that is not as it should be, and says which.
set -euo pipefail

# shellcheck source=tests/e2e/sources.sh
source "$WORK/test/sources.sh"
# shellcheck source=tests/e2e/cases.sh
source "$WORK/test/cases.sh"

export LIBVIRT_DEFAULT_URI=qemu:///session
SOURCE=$WORK/source
IMAGES=$HOME/.local/share/libvirt/images
STORES=$HOME/.config/libvirt/qemu/nvram # UEFI variables
# Where the source machine's COM1 goes, and where virt-ferry lets it go: never to the source's path unasked.
SOURCE_SERIAL=$WORK/run/com1.log
SERIAL=$IMAGES/probe-serial1.log

fail() {
  echo "FAILED: $*"
  if [[ -s $WORK/run/ferry.log ]]; then
    echo "--- what virt-ferry said:"
    cat "$WORK/run/ferry.log"
  fi
  if [[ -s $SERIAL ]]; then
    echo "--- what the guest saw:"
    grep -v '^e820' "$SERIAL" || true
  fi
  exit 1
}

clean_up() {
  local domain
  for domain in $(virsh -q list --name 2>/dev/null); do virsh -q destroy "$domain" || true; done
}
trap clean_up EXIT

# The process id of this session's daemon, which is started where it does not run: another session, of another case or of
# the person who runs the tests, may have the same user.
session_daemon() {
  local file
  virsh -q list --all >/dev/null
  for file in "$XDG_RUNTIME_DIR"/libvirt/{libvirtd,virtqemud}.pid; do
    if [[ -s $file ]] && kill -0 "$(<"$file")" 2>/dev/null; then
      cat "$file"
      return
    fi
  done
  fail "the session's daemon is not there" >&2
}

# equal WHAT FOUND EXPECTED
equal() { [[ $2 == "$3" ]] || fail "$1 is '$2', not '$3'"; }

# Runs virt-ferry; ferry_status EXPECTED ARGUMENT... holds its exit code. Cases read the whole report.
ferry_status() {
  local expected=$1 status=0 whole=()
  shift
  case $1 in migrate | plan | batch) whole=(--verbose) ;; esac
  virt-ferry "$@" "${whole[@]}" >"$WORK/run/ferry.log" 2>&1 || status=$?
  equal "the exit code of virt-ferry $*" "$status" "$expected"
}

# Every file below the source with its content, size, mode and time.
fingerprint() {
  (cd "$SOURCE" && find . -printf '%P %y %s %m %T@\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum)
}

# The value of a line "KEY=VALUE" that the guest said; blanks at the end are left out.
saw() {
  local value
  value=$(sed -n "s|^$1=||p" "$SERIAL" | head -n 1)
  printf '%s' "${value%"${value##*[! ]}"}"
}

# CRC-32 of what comes in, as gzip's trailer has it and the guest prints it.
crc() { printf '0x%s' "$(gzip -1 -c | tail -c 8 | head -c 4 | od -An -tx4 | tr -d ' \n')"; }

# Waits until the guest has said all. It halts then, and the domain goes on running.
wait_for_guest() {
  local until=$((SECONDS + 300))
  until grep -q '^probe: done' "$SERIAL" 2>/dev/null; do
    ((SECONDS < until)) || fail "the guest has not said 'probe: done' within 300 seconds"
    [[ $(virsh domstate "$1" 2>/dev/null) == running ]] || fail "the domain $1 does not run"
    sleep 0.1
  done
}

# migrate SOURCE [OPTION...]: migrates with --start, waits, and checks what holds for every case: the domain runs,
# its disk has the source's content, the source is as before.
migrate() {
  local before
  before=$(fingerprint)
  ferry_status 0 migrate "$@" --start
  equal "the state of the domain $NAME" "$(virsh domstate "$NAME" | head -n 1)" running
  wait_for_guest "$NAME"
  equal "the source after the migration" "$(fingerprint)" "$before"
  [[ ! -e $SOURCE_SERIAL ]] || fail "the guest writes to the source's own $SOURCE_SERIAL"
  same_disk
}

# Disk 0 as the guest saw it, and the image as it lies in the session's folder, against $WORK/run/disk.raw.
same_disk() {
  local disk=$WORK/run/disk.raw sectors
  sectors=$(($(stat -c %s "$disk") / 512))
  equal "the disk's size in sectors" "$(($(saw disk0.sectors)))" "$sectors"
  equal "the checksum of the disk's beginning" "$(saw disk0.crc_first)" "$(head -c 65536 "$disk" | crc)"
  equal "the checksum of the disk's last sector" "$(saw disk0.crc_last)" "$(tail -c 512 "$disk" | crc)"
  if ((sectors <= 32768)); then equal "the checksum of the whole disk" "$(saw disk0.crc_all)" "$(crc <"$disk")"; fi
  local image=$IMAGES/$NAME.qcow2
  [[ -f $image ]] || fail "there is no $image"
  qemu-img check -q -U "$image" || fail "qemu-img check finds errors in $image"
  qemu-img compare -q -U -f qcow2 -F raw "$image" "$disk" || fail "the content of $image is not the source's"
}

# same_machine UUID-BYTES: and memory and processors as the source has them.
same_machine() {
  equal "the UUID's bytes in the SMBIOS table" "$(saw smbios.uuid)" "$1"
  equal "the memory in KiB" "$(($(saw memory.cmos_kib)))" $((MEMORY * 1024))
  equal "the number of processors" "$(($(saw acpi.cpus)))" "$CPUS"
}

# device SLOT ID [CLASS]: the PCI function at SLOT.
device() {
  local line
  line=$(saw "pci.$1")
  equal "the PCI device at $1" "${line% *}" "$2"
  [[ -z ${3:-} ]] || equal "the class of the PCI device at $1" "${line#* }" "$3"
}

"case_${1//-/_}"
