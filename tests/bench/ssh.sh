#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2029  # functions are called by their names; names of ours are meant on the other side
# How fast machines of another computer are copied, against ssh itself, with an sshd on the loopback device.
#
#   ssh.sh PROGRAM [GIB] [ROUNDS]
#
# A flat disk of GIB (2) of data against `ssh HOST cat`: goal at most 1.3 times its time. A thin flat disk of three
# times that, with a quarter of data, against `ssh HOST tar -cS`: at most 1.5 times. The first with 20 ms of round trip:
# at most twice the time of `ssh HOST cat`. Prints the medians of ROUNDS (3) and their ratio; 1 where a goal is missed.
# The data is in memory when it is read: nothing but ssh and the programs is measured.
set -euo pipefail

program=$(realpath -- "$1")
gib=${2:-2}
rounds=${3:-3}
source_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/hosts/own_sshd.sh
source "$source_dir/tests/hosts/own_sshd.sh"
WORK=$(mktemp -d -p "${TMPDIR:-/var/tmp}")
clean_up() {
  end_own_sshd
  rm -rf "$WORK"
}
trap clean_up EXIT
own_sshd "$WORK"
# What is said between ssh and sshd arrives 10 ms later, in each direction.
cat >"$WORK/later.py" <<'PYTHON'
import collections, os, socket, sys, threading, time
far = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def relay(read, write, close):
    waiting, changed = collections.deque(), threading.Condition()
    def deliver():
        while True:
            with changed:
                changed.wait_for(lambda: waiting)
                due, data = waiting.popleft()
            time.sleep(max(0, due - time.monotonic()))
            if not data:
                return close()
            while data:
                data = data[write(data):]
    thread = threading.Thread(target=deliver)
    thread.start()
    while True:
        data = read(1 << 18)
        with changed:
            waiting.append((time.monotonic() + 0.01, data))
            changed.notify()
        if not data:
            return thread.join()
threading.Thread(target=relay, daemon=True, args=(
    lambda n: os.read(0, n), far.send, lambda: far.shutdown(socket.SHUT_WR))).start()
relay(far.recv, lambda data: os.write(1, data), lambda: os.close(1))
PYTHON
port=$(sed -n 's/^ *Port //p' "$WORK/config")
distant=$(sed 's/^Host far/Host distant/' "$WORK/config")
printf '%s\n  ProxyCommand python3 %s/later.py %s\n' "$distant" "$WORK" "$port" >>"$WORK/config"
export PATH="$WORK/bin:$PATH" HOME="$WORK/home" XDG_STATE_HOME="$WORK/state" XDG_RUNTIME_DIR="$WORK"
mkdir "$WORK/home"

# machine NAME SIZE: SIZE in MiB; the flat file is made by the caller.
machine() {
  mkdir "$WORK/$1"
  cp "$source_dir"/fixtures/probe-machine/probe.v* "$WORK/$1"
  sed -i "s/^RW 2048 FLAT/RW $(($2 * 2048)) FLAT/" "$WORK/$1/probe.vmdk"
}
# data: an endless stream that does not compress.
data() { openssl enc -aes-128-ctr -pass pass:x -nosalt -pbkdf2 </dev/zero 2>/dev/null || true; }
machine full $((gib * 1024))
data | head -c "${gib}G" >"$WORK/full/probe-flat.vmdk"
machine thin $((gib * 3072))
truncate -s $((gib * 3))G "$WORK/thin/probe-flat.vmdk"
for part in 0 1 2 3 4 5; do
  data | dd of="$WORK/thin/probe-flat.vmdk" bs=1M count=$((gib * 128)) seek=$((part * gib * 512)) conv=notrunc \
    iflag=fullblock status=none
done

ours() {
  "$program" migrate "ssh://$2$WORK/$1" --no-define --dest "$WORK/out" >"$WORK/said" || { cat "$WORK/said"; exit 1; }
}
by_cat() { ssh "$2" cat "$WORK/$1/probe-flat.vmdk" >"$WORK/out.raw"; }
by_tar() { mkdir "$WORK/out" && ssh "$2" "tar -cS -C $WORK/$1 probe-flat.vmdk" | tar -xC "$WORK/out"; }

seconds() {
  local begin=$EPOCHREALTIME
  "$@"
  awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN {print b - a}'
  rm -rf "$WORK/out" "$WORK/out.raw"
}
median() { sort -n | sed -n "$(((rounds + 1) / 2))p"; }

missed=0
# against WHAT GOAL PEER MACHINE HOST
against() {
  local round mine='' peers='' a b how=met
  for ((round = 0; round < rounds; ++round)); do
    mine+=$(seconds ours "$4" "$5")$'\n'
    peers+=$(seconds "$3" "$4" "$5")$'\n'
  done
  a=$(printf %s "$mine" | median)
  b=$(printf %s "$peers" | median)
  if awk -v a="$a" -v b="$b" -v goal="$2" 'BEGIN {exit !(a > b * goal)}'; then
    how=MISSED
    missed=1
  fi
  awk -v what="$1" -v a="$a" -v b="$b" -v goal="$2" -v how="$how" \
    'BEGIN {printf "%-34s %6.2f s, the peer %6.2f s: %.2f, goal at most %.1f: %s\n", what, a, b, a / b, goal, how}'
}
against "flat, against cat" 1.3 by_cat full far
against "thin, against tar -cS" 1.5 by_tar thin far
against "flat with 20 ms, against cat" 2.0 by_cat full distant
exit "$missed"
