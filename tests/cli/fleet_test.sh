#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Many machines on several hosts: a manifest is written, cut into shards, each is migrated, and their reports are put
# together: fleet_test.sh PROGRAM SOURCE_DIR.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/cli/program.sh
source "$here/program.sh"
mkdir vms

says() { grep -q -e "$1" "${2:-out}" || fail "nothing says '$1'"; }
json() { python3 -c 'import json, sys; print(eval(sys.argv[1], {"d": json.load(open(sys.argv[2]))}))' "$1" "${2:-out}"; }
is() { [[ $(json "$1" "${3:-out}") == "$2" ]] || fail "$1 is $(json "$1" "${3:-out}"), not $2"; }

for name in one two three four five; do
  cp -r "$source_dir/fixtures/probe-machine" "vms/$name"
  truncate -s 1M "vms/$name/probe-flat.vmdk"
done
echo '<VirtualBox' >vms/broken.vbox

# The manifest: each machine with a name of its own; what cannot be read is a comment.
ends 3 plan vms --manifest all.yaml --no-define --dest images
[[ $(grep -c '^  - source: "vms/' all.yaml) == 5 ]] || fail "the manifest has not five machines: $(<all.yaml)"
says '^    name: "probe-5"' all.yaml
says '^  # .*broken.vbox: ' all.yaml
says '^    bytes: [0-9]' all.yaml
cp all.yaml kept.yaml
ends 3 plan vms --manifest all.yaml --no-define # people edit manifests
says 'the manifest would replace a file' err
says 'Choose another file for the manifest' err
cmp all.yaml kept.yaml || fail "a manifest was replaced"

# Three tasks. One of them is run twice, as a cluster does with a task that it took for lost.
for i in 1 2 3; do
  ends 0 batch all.yaml --shard "$i/3" --no-define --dest images --state shared --format json -o "r-$i.json"
done
is 'd["shard"]["index"], d["shard"]["count"]' '(2, 3)' r-2.json
for i in 1 2 3 4 5; do
  suffix=; ((i == 1)) || suffix=-$i
  [[ -e images/probe$suffix.qcow2 ]] || fail "probe$suffix was not migrated"
done
[[ -d shared/runs && ! -e state/virt-ferry ]] || fail "--state is not where the journals are"
SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_COUNT=3 ends 0 batch all.yaml --shard auto --no-define \
  --dest images --state shared --format json
is '{m["status"] for m in d["machines"]}' "{'skipped'}"
is 'd["shard"]["index"]' 2
ends 0 runs --state shared
says 'done  *probe-5 '

# One report of all.
ends 2 report merge r-1.json r-3.json
says 'no shard 2' err
ends 2 report merge r-1.json r-2.json r-2.json r-3.json
says 'twice' err
ends 0 report merge r-1.json r-2.json r-3.json
says '^5 machines: 5 migrated'
ends 0 report merge r-*.json --format json
is 'sorted(m["name"] for m in d["machines"])' "['probe', 'probe-2', 'probe-3', 'probe-4', 'probe-5']"
ends 2 batch vms --shard 1/2 --no-define
says 'plan DIR --manifest FILE' err

# Whether to run it again: not for a machine that is broken, but where only the room is missing.
ends 4 batch vms/ --no-define --dest elsewhere --state other --format json
is '[m["refusal"]["retry"] for m in d["machines"] if "refusal" in m]' '[False]'
rm vms/broken.vbox
mkdir closed
if ((EUID != 0)); then
  chmod 500 closed
elif mount -t tmpfs -o size=64k none closed 2>/dev/null; then # root may write anywhere, where there is room
  trap 'umount "$folder/closed"; rm -rf -- "$folder"' EXIT
fi
if ((EUID != 0)) || mountpoint -q closed; then
  ends 5 batch vms --no-define --dest closed --state other --format json
  is '{m["refusal"]["retry"] for m in d["machines"]}' '{True}'
fi

# One machine of a task that is run again.
ends 0 migrate vms/one --no-define --dest single --progress none
ends 3 migrate vms/one --no-define --dest single --progress none
ends 0 migrate vms/one --no-define --dest single --progress none --if-done skip
says 'skipped'
echo "passed"
