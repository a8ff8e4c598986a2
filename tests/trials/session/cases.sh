# shellcheck shell=bash disable=SC2034,SC2153,SC2154
# SPDX-License-Identifier: Apache-2.0
# Runs that are killed at every moment, with a session's libvirt: session.sh runs one of these (tests/e2e/run.sh).
# FERRY_TRIALS=long goes through every moment, otherwise every third is taken.

MIB=$((1024 * 1024))
SHIM=$WORK/files/libferry_stop_shim.so

stride() { if [[ ${FERRY_TRIALS:-} == long ]]; then echo 1; else echo 3; fi; }

# killed_at MOMENT ARGUMENT...: true when the run was killed; false when it came to its end, which must be a good one.
killed_at() {
  local status=0 moment=$1
  shift
  # In a shell of its own, which says "Killed" to nobody.
  (
    LD_PRELOAD=$SHIM FERRY_STOP_AT=$moment virt-ferry "$@" >"$WORK/run/ferry.log" 2>&1
    exit $?
  ) 2>/dev/null || status=$?
  ((status == 137)) && return 0
  equal "the exit code of a run that was not killed" "$status" 0
  return 1
}

newest_run() { virt-ferry undo --list | tail -n 1; }

no_machine() {
  equal "the domains, killed at $1" "$(virsh -q list --all --name)" ""
  equal "the files, killed at $1" "$(find "$IMAGES" -mindepth 1 2>/dev/null || true)" ""
}

whole_machine() {
  equal "the domains, killed at $1" "$(virsh -q list --all --name)" "$NAME"
  equal "the snapshots, killed at $1" "$(virsh -q snapshot-list "$NAME" --tree | tr -d '\n ')" "s1|+-s2+-s3"
  equal "the current snapshot, killed at $1" "$(virsh -q snapshot-current "$NAME" --name)" s2
  equal "the files, killed at $1" "$(cd "$IMAGES" && find . -mindepth 1 -printf '%P\n' | sort | tr '\n' ' ')" \
    "probe.qcow2 probe.xml "
  qemu-img check -q "$IMAGES/probe.qcow2" || fail "qemu-img check finds errors, killed at $1"
}

# What was cut off is finished or begun anew by the same command, and can be undone.
case_killed_anywhere() {
  make_disk $((4 * MIB))
  vbox_tree
  local before moment kills=0 line
  before=$(fingerprint)
  for ((moment = 1; ; moment += $(stride))); do
    killed_at "$moment" migrate "$SOURCE" || break
    kills=$((kills + 1))
    line=$(newest_run)
    if [[ $line == *"  done "* ]]; then
      # It is there already, and what a kill behind 'done' left goes.
      ferry_status 3 migrate "$SOURCE"
    else
      if ((moment % 2)); then
        [[ -z $line ]] || ferry_status 0 undo "${line%% *}"
        no_machine "$moment"
      fi
      ferry_status 0 migrate "$SOURCE"
    fi
    whole_machine "$moment"
    line=$(newest_run)
    ferry_status 0 undo "${line%% *}"
    no_machine "$moment"
  done
  equal "the source" "$(fingerprint)" "$before"
  ((kills > 8)) || fail "the shim counts nothing: $kills kills"
  echo "kills: $kills"
}

# The old machine, with snapshots, or the new one: never neither, never a mixture.
case_killed_while_overwriting() {
  make_disk $((4 * MIB))
  vbox_tree
  local moment kills=0 line old first image=$IMAGES/probe.qcow2
  definition() { virsh dumpxml --inactive "$NAME"; virsh -q snapshot-list "$NAME" --tree; sha256sum <"$image"; }
  for ((moment = 1; ; moment += $(stride))); do
    ferry_status 0 migrate "$SOURCE"
    line=$(newest_run)
    first=${line%% *}
    old=$(definition)
    # --snapshots flatten makes another machine of the same name and UUID.
    if ! killed_at "$moment" migrate "$SOURCE" --snapshots flatten --overwrite; then break; fi
    kills=$((kills + 1))
    line=$(newest_run)
    if [[ ${line%% *} == "$first" ]]; then
      equal "the old machine, killed at $moment" "$(definition)" "$old"
    elif [[ $line == *"  done "* ]] || ((moment % 2)); then
      [[ $line == *"  done "* ]] || ferry_status 0 migrate "$SOURCE" --snapshots flatten --overwrite
      equal "the snapshots, killed at $moment" "$(virsh -q snapshot-list "$NAME" --name)" ""
      content_is "$image" d
      line=$(newest_run)
    else
      ferry_status 0 undo "${line%% *}"
      equal "the old machine, killed at $moment" "$(definition)" "$old"
      line=$(newest_run)
    fi
    ferry_status 0 undo "${line%% *}"
    no_machine "$moment"
    rm -rf "$HOME/.local/state/virt-ferry/runs"
  done
  ((kills > 8)) || fail "the shim counts nothing: $kills kills"
  echo "kills: $kills"
}

# content_is IMAGE LETTER: as in tests/e2e/cases.sh.
content_is() {
  local expected=$WORK/run/state.raw
  cp "$WORK/run/disk.raw" "$expected"
  head -c 1M /dev/zero | tr '\0' "$2" | dd of="$expected" bs=1M seek=2 conv=notrunc status=none
  qemu-img compare -q -U -f qcow2 -F raw "$1" "$expected" || fail "$1 does not hold the state '$2'"
}
