# shellcheck shell=bash disable=SC2034,SC2153,SC2154
# SPDX-License-Identifier: Apache-2.0
# Runs that are killed at every moment, with a session's libvirt: session.sh runs one of these (tests/e2e/run.sh).
# FERRY_TRIALS=long goes through every moment, otherwise every third is taken.

MIB=$((1024 * 1024))
SHIM=$WORK/files/libferry_stop_shim.so

stride() { if [[ ${FERRY_TRIALS:-} == long ]]; then echo 1; else echo 3; fi; }

# killed_at MOMENT ARGUMENT...: true when the run was killed; false when it came to its end, which must be a good one:
# with $end, or 0.
killed_at() {
  local status=0 moment=$1
  shift
  # In a shell of its own, which says "Killed" to nobody.
  (
    LD_PRELOAD=$SHIM FERRY_STOP_AT=$moment virt-ferry "$@" >"$WORK/run/ferry.log" 2>&1
    exit $?
  ) 2>/dev/null || status=$?
  ((status == 137)) && return 0
  equal "the exit code of a run that was not killed" "$status" "${end:-0}"
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
    "probe.qcow2 "
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

# A machine that is started at once: begun anew, finished or undone by the same commands, whenever it was cut off. What
# serves its source ends with it.
case_killed_starting_now() {
  make_disk $((4 * MIB))
  vbox_tree
  local before moment kills=0 line
  before=$(fingerprint)
  for ((moment = 1; ; moment += $(stride))); do
    killed_at "$moment" migrate "$SOURCE" --start-now || break
    kills=$((kills + 1))
    line=$(newest_run)
    if [[ $line == *"  reads its source "* || $line == *"  done "* ]]; then
      ferry_status 0 resume "${line%% *}"
    else
      if ((moment % 2)); then
        [[ -z $line ]] || ferry_status 0 undo "${line%% *}" --force
        rm -f "$SERIAL"
        no_machine "$moment"
      fi
      ferry_status 0 migrate "$SOURCE" --start-now
    fi
    ferry_status 0 pull "$NAME"
    equal "what the image reads besides, killed at $moment" \
      "$(qemu-img info -U "$IMAGES/probe.qcow2" | sed -n 's/^backing file: //p')" ""
    line=$(newest_run)
    ferry_status 0 undo "${line%% *}" --force
    rm -f "$SERIAL"
    no_machine "$moment"
    equal "the source, killed at $moment" "$(fingerprint)" "$before"
  done
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

# failing KIND NUMBER ARGUMENT...: runs virt-ferry with that call failing; its exit status is in $status. False when there
# is no such call any more: the run must have ended well then.
failing() {
  local kind=$1 number=$2
  shift 2
  status=0
  rm -f "$WORK/run/failed"
  LD_PRELOAD=$WORK/files/libferry_fault_shim.so FERRY_FAIL_KIND=$kind FERRY_FAIL_AT=$number FERRY_FAIL_WITH=5 \
    FERRY_FAIL_LOG=$WORK/run/failed virt-ferry "$@" >"$WORK/run/ferry.log" 2>&1 || status=$?
  [[ ! -e $WORK/run/failed ]] || return 0
  equal "the exit code of a run of which no call failed" "$status" 0
  return 1
}

# libvirt refuses one thing after the other.
case_failing_libvirt() {
  make_disk $((4 * MIB))
  vbox_tree
  local before number status tries=0 line
  before=$(fingerprint)
  for ((number = 1; ; number += $(stride))); do
    failing libvirt "$number" migrate "$SOURCE" || break
    tries=$((tries + 1))
    line=$(newest_run)
    if [[ $line == *"  done "* ]]; then
      whole_machine "call $number"
    else
      [[ $status == 1 || $status == 3 ]] || fail "call $number: exit $status"
      ferry_status 0 migrate "$SOURCE"
      whole_machine "call $number"
    fi
    line=$(newest_run)
    ferry_status 0 undo "${line%% *}"
    no_machine "call $number"
    rm -rf "$HOME/.local/state/virt-ferry/runs"
  done
  equal "the source" "$(fingerprint)" "$before"
  ((tries > 2)) || fail "the shim counts nothing: $tries calls"
  echo "calls of libvirt that failed: $tries"
}

# begin_stopping_daemon DAEMON: a run whose daemon is stopped as it is asked to define the machine; comes back then.
begin_stopping_daemon() {
  local until=$((SECONDS + 60))
  rm -f "$WORK/run/failed"
  env --default-signal=INT LD_PRELOAD="$WORK/files/libferry_fault_shim.so" FERRY_FAIL_KIND=define FERRY_FAIL_AT=1 \
    FERRY_FAIL_LOG="$WORK/run/failed" FERRY_FAIL_PROCESS="$1" FERRY_FAIL_SIGNAL=19 \
    virt-ferry migrate "$SOURCE" >"$WORK/run/ferry.log" 2>&1 &
  ferry_pid=$!
  until [[ $(sed 's/.*) //' "/proc/$1/stat") == T* ]]; do
    ((SECONDS < until)) || fail "the daemon was not stopped"
    kill -0 "$ferry_pid" 2>/dev/null || fail "virt-ferry has ended before it defined anything"
    sleep 0.02
  done
}

# The daemon dies in the middle of a call.
case_daemon_killed() {
  make_disk $((4 * MIB))
  vbox_tree
  local pid status=0
  pid=$(session_daemon)
  begin_stopping_daemon "$pid"
  kill -KILL "$pid"
  wait "$ferry_pid" || status=$?
  equal "the exit code" "$status" 1
  grep -q 'connection to libvirt was lost' "$WORK/run/ferry.log" || fail "nothing is said of the connection"
  ferry_status 0 migrate "$SOURCE"
  whole_machine "while it was defined"
}

# Ctrl-C while the daemon does not answer.
case_interrupted_while_libvirt_is_silent() {
  make_disk $((4 * MIB))
  vbox_tree
  local pid status=0 began line
  pid=$(session_daemon)
  begin_stopping_daemon "$pid"
  began=$(date +%s%N)
  kill -INT "$ferry_pid"
  wait "$ferry_pid" || status=$?
  ((($(date +%s%N) - began) / 1000000 < 3000)) || fail "it took more than three seconds to end"
  equal "the exit code" "$status" 130
  kill -CONT "$pid"
  line=$(newest_run)
  [[ $line != *"  done "* ]] || fail "the run is said to be done: $line"
  ferry_status 0 migrate "$SOURCE"
  whole_machine "interrupted"
}

# Told to stop while the machine starts, the run is not done, and nothing is left: libvirt may take longer to start it
# than anybody waits, and undo does the rest then.
case_interrupted_while_starting() {
  make_disk $((4 * MIB))
  image vdi "$SOURCE/probe.vdi"
  vbox AHCI probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")"
  local status=0 line
  LD_PRELOAD=$WORK/files/libferry_fault_shim.so FERRY_FAIL_KIND=start FERRY_FAIL_AT=1 FERRY_FAIL_LOG=$WORK/run/failed \
    FERRY_FAIL_PROCESS=0 FERRY_FAIL_SIGNAL=15 virt-ferry migrate "$SOURCE" --start >"$WORK/run/ferry.log" 2>&1 || status=$?
  equal "the exit code" "$status" 130
  line=$(newest_run)
  [[ $line != *"  done "* ]] || fail "the run is said to be done: $line"
  if grep -q "virt-ferry undo ${line%% *}" "$WORK/run/ferry.log"; then ferry_status 0 undo --force "${line%% *}"; fi
  rm -f "$SERIAL"
  no_machine "while it started"
}

# A machine with a TPM that was used, replaced: its content is set aside, comes back when that fails, and does not get
# into the new one.
case_overwriting_a_tpm() {
  if ! command -v swtpm >/dev/null || ! command -v swtpm_setup >/dev/null; then
    echo "skipped: swtpm is not installed"
    exit 77
  fi
  make_disk $((4 * MIB))
  BOARD='<TrustedPlatformModule type="v2_0" location=""/>'
  image vdi "$SOURCE/probe.vdi"
  vbox AHCI probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")"
  ferry_status 0 migrate "$SOURCE"
  [[ $(virsh dumpxml "$NAME") == *'<tpm '* ]] || fail "the machine has no TPM"
  use() {
    rm -f "$SERIAL"
    virsh -q start "$NAME"
    wait_for_guest "$NAME"
    virsh -q destroy "$NAME"
  }
  use
  local folder state number tries=0
  folder=$HOME/.config/libvirt/qemu/swtpm/$(virsh -q domuuid "$NAME")/tpm2
  [[ -s $folder/tpm2-00.permall ]] || fail "swtpm keeps nothing in $folder"
  old() { virsh dumpxml --inactive "$NAME"; sha256sum <"$folder/tpm2-00.permall"; sha256sum <"$IMAGES/probe.qcow2"; }
  local before status
  before=$(old)
  for ((number = 1; ; number += $(stride))); do
    failing libvirt "$number" migrate "$SOURCE" --overwrite || break
    tries=$((tries + 1))
    if ((status == 0)); then # that call was not needed: this is the old machine now
      use
      before=$(old)
    fi
    equal "the old machine, call $number" "$(old)" "$before"
  done
  ((tries > 2)) || fail "the shim counts nothing: $tries calls"
  use
  state=$(sha256sum <"$folder/tpm2-00.permall")
  rm -f "$SERIAL"
  ferry_status 0 migrate "$SOURCE" --overwrite --start
  wait_for_guest "$NAME"
  [[ $(sha256sum <"$folder/tpm2-00.permall") != "$state" ]] || fail "the new machine has the old one's TPM"
  virsh -q destroy "$NAME"
  local line
  line=$(newest_run)
  ferry_status 0 undo --force "${line%% *}"
  equal "the domains" "$(virsh -q list --all --name)" ""
  [[ ! -e $folder/tpm2-00.permall ]] || fail "undo left the TPM's content"
  echo "calls of libvirt that failed: $tries"
}

# ---- test and finish ----

# migrated_probe: one disk, on AHCI.
migrated_probe() {
  make_disk $((4 * MIB))
  image vdi "$SOURCE/probe.vdi"
  vbox AHCI probe.vdi VDI "$(vdi_uuid "$SOURCE/probe.vdi")"
  ferry_status 0 migrate "$SOURCE/probe.vbox"
}

# What a machine is: its definition, its files. Nothing that runs.
machine_now() {
  virsh dumpxml --inactive --security-info probe
  find "$IMAGES" -mindepth 1 -printf '%p %s\n' | sort
}

# A trial's machine ends with who has started it.
no_trial_runs() {
  local until=$((SECONDS + 30))
  until [[ -z $(virsh -q list --name) ]]; do
    ((SECONDS < until)) || fail "a trial's machine runs on without virt-ferry, $1"
    sleep 0.1
  done
}

no_trial_files() {
  equal "the trials' files" "$(find "$HOME/.local/state/virt-ferry/trials" -mindepth 1 2>/dev/null)" ""
}

# A test leaves nothing at whatever moment it is killed: of what had a name, the next one rids itself.
case_test_killed_anywhere() {
  migrated_probe
  local before moment kills=0 end=1
  before=$(machine_now)
  for ((moment = 1; ; moment += $(stride))); do
    killed_at "$moment" test probe --timeout 1 || break
    kills=$((kills + 1))
    no_trial_runs "killed at $moment"
    equal "the machine, killed at $moment" "$(machine_now)" "$before"
  done
  no_trial_files
  ((kills > 3)) || fail "the shim counts nothing: $kills kills"
  echo "kills: $kills"
}

# finish_killed_at_every_moment PHASE ARGUMENT...: the next call settles what was cut off. Then all of the phase is
# there, and can be taken back, or nothing is.
finish_killed_at_every_moment() {
  local phase=$1 before moment settled kills=0
  shift
  before=$(machine_now)
  for ((moment = 1; ; moment += $(stride))); do
    killed_at "$moment" finish probe "$@" || break
    kills=$((kills + 1))
    no_trial_runs "--$phase killed at $moment"
    settled=$(virt-ferry finish probe) || fail "what was cut off at $moment is not settled: $settled"
    if grep -q -e "done .*--$phase" <<<"$settled"; then ferry_status 0 finish probe --undo; fi
    equal "the machine, --$phase killed at $moment" "$(machine_now)" "$before"
  done
  ferry_status 0 finish probe --undo
  equal "the machine after --$phase was taken back" "$(machine_now)" "$before"
  equal "the records" "$(find "$HOME/.local/state/virt-ferry/finish" -type f)" ""
  no_trial_files
  ((kills > 1)) || fail "the shim counts nothing: $kills kills of --$phase"
  echo "kills of --$phase: $kills"
}

case_finish_prepare_killed_anywhere() {
  migrated_probe
  finish_killed_at_every_moment prepare --prepare
}

case_finish_switch_killed_anywhere() {
  migrated_probe
  finish_killed_at_every_moment switch --switch --force --timeout 1
}

# Taken back is taken back, whenever that was cut off.
case_finish_undo_killed_anywhere() {
  migrated_probe
  local before moment settled kills=0
  before=$(machine_now)
  for ((moment = 1; ; moment += $(stride))); do
    ferry_status 0 finish probe --prepare
    killed_at "$moment" finish probe --undo || break
    kills=$((kills + 1))
    settled=$(virt-ferry finish probe) || fail "what was cut off at $moment is not settled: $settled"
    if grep -q -e 'done .*--prepare' <<<"$settled"; then ferry_status 0 finish probe --undo; fi
    equal "the machine, --undo killed at $moment" "$(machine_now)" "$before"
  done
  equal "the machine" "$(machine_now)" "$before"
  ((kills > 1)) || fail "the shim counts nothing: $kills kills"
  echo "kills of --undo: $kills"
}

# libvirt refuses one thing after the other.
case_finish_failing_libvirt() {
  migrated_probe
  local before number status settled tries=0 phase
  before=$(machine_now)
  for phase in "--prepare" "--switch --force --timeout 1"; do
    for ((number = 1; ; number += $(stride))); do
      # shellcheck disable=SC2086
      failing libvirt "$number" finish probe $phase || break
      tries=$((tries + 1))
      [[ $status == 0 || $status == 1 || $status == 3 ]] || fail "$phase, call $number: exit $status"
      no_trial_runs "$phase, call $number"
      settled=$(virt-ferry finish probe) || fail "what failed at call $number is not settled: $settled"
      if grep -q -e 'done .*--' <<<"$settled"; then ferry_status 0 finish probe --undo; fi
      equal "the machine, $phase, call $number" "$(machine_now)" "$before"
    done
    ferry_status 0 finish probe --undo
    equal "the machine after $phase was taken back" "$(machine_now)" "$before"
  done
  no_trial_files
  ((tries > 4)) || fail "the shim counts nothing: $tries calls"
  echo "calls of libvirt that failed: $tries"
}

# content_is IMAGE LETTER: as in tests/e2e/cases.sh.
content_is() {
  local expected=$WORK/run/state.raw
  cp "$WORK/run/disk.raw" "$expected"
  head -c 1M /dev/zero | tr '\0' "$2" | dd of="$expected" bs=1M seek=2 conv=notrunc status=none
  qemu-img compare -q -U -f qcow2 -F raw "$1" "$expected" || fail "$1 does not hold the state '$2'"
}
