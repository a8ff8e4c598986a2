#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Where reports go, and where they never do: output_test.sh PROGRAM SOURCE_DIR.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/cli/program.sh
source "$here/program.sh"

says() { grep -q -e "$1" "${2:-err}" || fail "nothing says '$1'"; }

cp -r "$source_dir/fixtures/probe-machine" machine
truncate -s 1M machine/probe-flat.vmdk
settings=$(find machine -name '*.vbox' -o -name '*.vmx' | head -n 1)
profile=$folder/profile.json
cp "$source_dir/fixtures/hosts/debian-12.json" "$profile"
printf 'machines:\n  - %s\n' "$settings" >batch.yaml
ln -s "$settings" linked
ln machine/probe-flat.vmdk hard-linked
plan=(plan "$settings" --host-profile "$profile" --dest "$folder/images")
find machine batch.yaml profile.json -type f -exec sha256sum {} + | sort >before
unchanged() { sha256sum --quiet -c before >&2 || fail "a source was changed by: $*"; }

# What is read or made is never replaced, under no name, with no option.
for target in "$settings" machine/probe.vmdk machine/probe-flat.vmdk linked hard-linked "$profile"; do
  for force in '' --overwrite; do
    ends 3 "${plan[@]}" $force -o "$target"
    says 'the report would replace'
    unchanged plan -o "$target" $force
  done
done
ends 3 disk info machine/probe.vmdk -o machine/probe.vmdk
ends 3 disk info machine/probe.vmdk -o machine/probe-flat.vmdk
ends 3 disk info machine/probe.vmdk -o hard-linked
ends 3 inspect "$settings" -o machine/probe-flat.vmdk
ends 3 inspect "$settings" -o "$settings"
for force in '' --overwrite; do
  ends 3 batch batch.yaml --dry-run --host-profile "$profile" $force -o batch.yaml
  ends 3 batch batch.yaml --dry-run --host-profile "$profile" $force -o hard-linked
  ends 3 migrate "$settings" --no-define --dest "$folder/images" $force -o machine/probe-flat.vmdk
done
unchanged the rest
# Nor is the standard output, where the shell opened it to append.
status=0
"$program" "${plan[@]}" >>"$settings" 2>err || status=$?
((status == 3)) || fail "plan appended to its source: $status"
unchanged '>>'

# What the run makes has its name for itself, and nothing is done when that is asked for.
name=$("$program" "${plan[@]}" --format json | sed -n 's/^      "name": "\(.*\)",$/\1/p' | head -n 1)
mkdir images
for made in "$name.qcow2" "$name.xml"; do
  ends 3 migrate "$settings" --no-define --dest "$folder/images" --overwrite -o "images/$made"
  [[ -z $(ls -A images) ]] || fail "files were made: $(ls -A images)"
done

# Other people's files stay unless --overwrite is given; images and machines stay in any case.
echo 'my notes' >notes
ends 3 "${plan[@]}" -o notes
[[ $(<notes) == 'my notes' ]] || fail "the notes are gone"
ends 0 "${plan[@]}" --overwrite -o notes
says '^# virt-ferry-text/1' notes
cp "$settings" other.vbox
ends 3 "${plan[@]}" --overwrite -o other.vbox
cmp "$settings" other.vbox
# A recorded host is no report, whoever uses it.
printf 'defaults:\n  host-profile: %s\nmachines:\n  - no-such-machine\n' "$profile" >with-profile.yaml
ends 3 batch with-profile.yaml --dry-run -o "$profile"
ends 3 plan "$settings" --no-define --dest "$folder/images" -o "$profile"
ends 3 batch with-profile.yaml --dry-run --overwrite -o "$profile"
unchanged a plan of something else
# A report takes the place of another, in whichever form it was.
for form in json html text json; do
  ends 0 "${plan[@]}" --format "$form" -o report
  [[ ! -s out ]] || fail "the report went to stdout"
done
ends 0 disk info machine/probe.vmdk -o report
ends 0 inspect "$settings" -o report
ends 0 list -o report
ends 0 "${plan[@]}" -o report
# A link to a report is followed, one to nowhere too.
ln -s report to-report
ln -s nowhere to-nowhere
ends 0 "${plan[@]}" --format json -o to-report
[[ -L to-report && $(head -c 1 report) == '{' ]] || fail "the link was not followed"
ends 0 "${plan[@]}" -o to-nowhere
[[ -L to-nowhere && -s nowhere ]] || fail "the link to nowhere was not followed"

# Settings that nobody knows are listed by inspect, their values only when that is asked for, passwords never.
sed 's|</Hardware>|<Mystery colour="mauve" password="opensesame"/>&|' machine/probe.vbox >machine/odd.vbox
for form in text json; do
  ends 0 inspect machine/odd.vbox --format "$form"
  says 'Mystery/@colour' out
  ! grep -q -e mauve -e opensesame out || fail "a value of an unknown setting is shown"
  ends 0 inspect machine/odd.vbox --format "$form" --show-values
  says mauve out
  ! grep -q opensesame out || fail "a password is shown"
done
rm machine/odd.vbox

# A command that fails leaves no file, an earlier report as it was, and no temporary one.
ends 2 disk info /nowhere/x.vdi -o fresh
ends 2 inspect /nowhere/x.vbox -o fresh
ends 3 disk info "$settings" -o fresh
[[ ! -e fresh ]] || fail "a report of nothing was left"
ends 2 plan /nowhere/x.vbox -o fresh
says 'there is no such file' fresh
mkfifo fifo
ends 3 "${plan[@]}" -o fifo
ends 3 "${plan[@]}" -o /dev/null
ends 3 "${plan[@]}" -o images
ends 2 "${plan[@]}" -o missing/report
for own in - /dev/stdout; do
  ends 0 "${plan[@]}" -o "$own"
  [[ -s out ]] || fail "-o $own is not standard output"
done
[[ -z $(find . -name '.*ferry*') ]] || fail "temporary files are left: $(find . -name '.*ferry*')"

# --format json always gives a document: with the refusal, when there is nothing else to say.
refusal() {
  local wanted=$1 kind=$2
  shift 2
  ends "$wanted" "$@" --format json
  grep -q "\"kind\": \"$kind\"" out || fail "virt-ferry $*: no refusal of kind $kind"
  [[ -s err ]] || fail "virt-ferry $*: nothing on stderr"
}
echo 'what is this' >unknown
for command in plan 'migrate --no-define' 'migrate --dry-run' inspect; do
  # shellcheck disable=SC2086 # a command and its option
  refusal 3 malformed $command unknown
  # shellcheck disable=SC2086
  refusal 2 usage $command missing.vbox
  # shellcheck disable=SC2086
  refusal 2 usage $command ./missing
  # shellcheck disable=SC2086
  refusal 3 missing $command no-such-machine
done
mkdir empty
refusal 3 missing batch empty
refusal 2 usage disk info missing.vdi
refusal 2 usage batch missing
refusal 3 unsupported disk info other.vbox

# A folder's name is the report's, with a slash behind it or without.
mkdir nothing-here
for argument in nothing-here nothing-here/; do
  ends 3 plan "$argument" "$settings" --host-profile "$profile"
  says '^nothing-here: refused: ' out
done

# The result comes first; -q is nothing but that, -v has all. Colours only where they are wanted.
ends 0 "${plan[@]}"
[[ $(head -n 1 out) == "$name: can be migrated, "* ]] || fail "the first line is not the result: $(head -n 1 out)"
[[ -z $(awk 'length > 80 && !/\//' out) ]] || fail "lines are wider than a terminal"
brief=$(wc -l <out)
((brief < 25)) || fail "a plain machine takes $brief lines"
! grep -q 'smbios.uuid' out || fail "a mere note is told unasked"
head -n 1 out >first
ends 0 "${plan[@]}" -q
cmp first out || fail "-q is not the result alone"
ends 0 "${plan[@]}" --verbose
says '^  info: smbios.uuid at ' out
says '^  settings  *[0-9]*: [0-9]* kept' out
ends 2 "${plan[@]}" -q -v
ends 0 "${plan[@]}" --color always
says $'\x1b\\[1m' out
NO_COLOR=1 ends 0 "${plan[@]}" --color auto
! grep -q $'\x1b' out || fail "colours in a file"
ends 2 "${plan[@]}" --color sometimes

# Closed standard descriptors: an image or a journal is no place for messages.
ends 0 disk convert machine/probe.vmdk expected.raw --format raw
for closed in '0<&-' '1>&-' '2>&-' '0<&- 1>&- 2>&-'; do
  rm -rf out.raw images/* state
  status=0
  eval '"$program" disk convert machine/probe.vmdk out.raw --format raw --progress bar '"$closed"' 2>>err >>out' 2>/dev/null || status=$?
  ((status == 0)) || fail "disk convert $closed: exit $status"
  cmp expected.raw out.raw || fail "disk convert $closed: the image is another"
  eval '"$program" migrate "$settings" --no-define --dest images --progress json '"$closed" || status=$?
  ((status == 0)) || fail "migrate $closed: exit $status"
  for journal in state/virt-ferry/runs/*.jsonl; do
    ! grep -v '^{"event":' "$journal" || fail "migrate $closed: the journal has other lines"
  done
done

# Names that a terminal would obey.
hostile=$(printf 'gpj.\xe2\x80\xaeknil\x1b]0;owned\x07.vmdk')
cp machine/probe.vmdk "$hostile"
cp machine/probe-flat.vmdk .
for form in text json; do
  ends 0 disk info "$hostile" --format "$form"
  ! grep -q -e $'\x1b' -e $'\xe2\x80\xae' out err || fail "raw escapes in the $form of disk info"
done
ends 0 disk convert "$hostile" json.qcow2 --progress json
says '^{"machine":.*"finished":true' err
! LC_ALL=C grep -q '[^ -~]' err || fail "more than ASCII in the progress for programs"
ends 0 disk convert "$hostile" "$hostile.qcow2" --progress bar
grep -v -e $'^\r\x1b\[K' err >rest || true
! grep -q -e $'\x1b]' -e $'\xe2\x80\xae' out err || fail "raw escapes in what disk convert says"

# A manifest that says nothing of the disk does not vouch for it.
mkdir package
cp machine/probe.vmdk machine/probe-flat.vmdk package/
cat >package/web.ovf <<'XML'
<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">
<References><File ovf:href="probe.vmdk" ovf:id="f1"/></References>
<DiskSection><Info/><Disk ovf:diskId="d1" ovf:fileRef="f1" ovf:capacity="1048576" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html"/></DiskSection>
<VirtualSystem ovf:id="web"><Info/><VirtualHardwareSection><Info/>
<Item><rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>512</rasd:VirtualQuantity></Item>
<Item><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceType>6</rasd:ResourceType></Item>
<Item><rasd:InstanceID>4</rasd:InstanceID><rasd:ResourceType>17</rasd:ResourceType><rasd:Parent>3</rasd:Parent><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:HostResource>ovf:/disk/d1</rasd:HostResource></Item>
</VirtualHardwareSection></VirtualSystem></Envelope>
XML
listed() { (cd package && for file in "$@"; do echo "SHA256($file)= $(sha256sum "$file" | cut -d' ' -f1)"; done) >package/web.mf; }
listed web.ovf
ends 0 plan package/web.ovf --no-define --dest "$folder/images"
says 'ova.manifest-incomplete' out
says 'does not list "probe.vmdk"' out
listed web.ovf probe.vmdk probe-flat.vmdk
ends 0 plan package/web.ovf --no-define --dest "$folder/images"
! grep -q 'manifest-incomplete' out || fail "a manifest that lists the disk is called incomplete"
