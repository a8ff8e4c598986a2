#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What was done is listed, told again and taken back, by run and by batch: runs_test.sh PROGRAM SOURCE_DIR.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/cli/program.sh
source "$here/program.sh"
mkdir vms

says() { grep -q -e "$1" "${2:-out}" || fail "nothing says '$1'"; }
json() { python3 -c 'import json, sys; print(eval(sys.argv[1], {"d": json.load(open("out"))}))' "$1"; }
is() { [[ $(json "$1") == "$2" ]] || fail "$1 is $(json "$1"), not $2"; }

ends 0 runs
says 'nothing was migrated yet' err
ends 3 report
for name in one two three; do
  cp -r "$source_dir/fixtures/probe-machine" "vms/$name"
  truncate -s 1M "vms/$name/probe-flat.vmdk"
done
echo '<VirtualBox' >vms/broken.vbox

# One machine: the report of its run is what migrate said, in each form.
ends 0 migrate vms/one --no-define --dest images --set 'secret=opensesame' --progress none
cp out said
[[ $(head -n 1 out) == 'probe: migrated in '* ]] || fail "the result does not come first"
ends 0 report
cmp said out || fail "the report of the newest run is another than migrate's"
run=$(sed -n 's/^  virt-ferry undo \([^ ]*\).*/\1/p' said)
ends 0 report "$run" -q
[[ $(<out) == "$(head -n 1 said)" ]] || fail "-q is not the result"
ends 0 report "$run" --format html -o report.html
says '<title>virt-ferry ' report.html
ends 0 report "$run" --format json
is 'd["machines"][0]["run"]' "$run"
is 'd["command"]' "virt-ferry migrate vms/one --no-define --dest images --set 'secret=(secret)' --progress none"
! grep -q -r opensesame state || fail "a value of --set is kept"
ends 3 report no-such-run
says "$run (probe)" err
ends 0 undo "$run" --format json
is 'sorted(d["runs"][0]["removed"])' "['$folder/images/probe.qcow2', '$folder/images/probe.xml']"
ends 0 runs
says "^$run  undone  *probe "

# The list of machines says what they are, and which run has migrated one.
mkdir -p config/VirtualBox
cat >config/VirtualBox/VirtualBox.xml <<XML
<VirtualBox xmlns="http://www.virtualbox.org/" version="1.12-linux"><Global><MachineRegistry>
<MachineEntry uuid="{11111111-2222-3333-4444-555555555555}" src="$folder/vms/one/probe.vbox"/>
<MachineEntry uuid="{11111111-2222-3333-4444-555555555556}" src="$folder/vms/gone/gone.vbox"/>
<MachineEntry uuid="{11111111-2222-3333-4444-555555555557}" src="$folder/vms/broken.vbox"/></MachineRegistry></Global></VirtualBox>
XML
ends 0 list
says '^NAME  *PLATFORM  *GUEST  *SIZE  *SNAPSHOTS  *STATE  *FILE$'
says '^probe  *VirtualBox  *Other (32-bit)  *1.0 MiB  *-  *off '
says '^gone .* missing '
says '^broken .* unreadable '
says 'broken.vbox' err
ends 0 migrate probe --no-define --dest images --progress none
run=$(sed -n 's/^  virt-ferry undo \([^ ]*\).*/\1/p' out)
ends 0 list
says "^probe .*  migrated (run $run)  "
ends 0 list --format json
is 'd["machines"][0]["run"]' "$run"
is '(d["machines"][0]["guest_os"], d["machines"][0]["size"] == 1048576, d["machines"][0]["snapshots"])' "('Other (32-bit)', True, 0)"
ends 0 undo "$run"

# Many: one id for all of them.
ends 4 batch vms --no-define --dest images --jobs 2 --progress none
says '^4 machines: 3 migrated, 1 refused; '
[[ $(grep -A 1 '^MACHINE' out | tail -n 1) == broken* ]] || fail "the worst machine is not the first"
says '\[4/4\] ' err
batch=$(sed -n 's/^  virt-ferry undo \(batch-[^ ]*\)$/\1/p' out)
cp out said
ends 0 report "$batch"
cmp said out || fail "the report of the batch is another than batch's"
ends 0 report
cmp said out || fail "the newest is not the batch"
ends 0 runs --format json
is 'len([r for r in d["runs"] if r.get("batch") == "'"$batch"'" and r["state"] == "done"])' 3
is '[len(b["machines"]) for b in d["batches"]]' '[4]'
ends 0 runs
says "^$batch  4 machines: 3 migrated, 1 refused$"

# Once more: all is done, and the report says by which run.
ends 4 batch vms --no-define --dest images --progress none
says '^4 machines: 3 skipped, 1 refused$'
says '^probe  *skipped .*  20[0-9-]*-[0-9a-f]*  done by that run'
second=$(sed -n 's/^  virt-ferry report \(batch-[^ ]*\) .*/\1/p' out)
! grep -q 'virt-ferry undo' out || fail "a batch that made nothing is said to be undone"
ends 0 undo "$second"
says 'has no runs'
[[ -s images/probe.qcow2 && -s images/probe-3.qcow2 ]] || fail "undoing the second batch took what the first made"

# Undo goes on where one of them is in use; the rest follows later.
exec 9<>images/probe-2.qcow2
ends 4 undo "$batch" --format json
is '[bool(r["removed"]) for r in d["runs"]].count(True)' 2
is '[r.get("refused", "").split(": ")[-1].count("use") > 0 for r in d["runs"]].count(True)' 1
[[ -s images/probe-2.qcow2 ]] || fail "an image in use was removed"
exec 9>&-
ends 0 undo "$batch"
[[ -z $(ls -A images) ]] || fail "undo left $(ls -A images)"
