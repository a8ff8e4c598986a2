#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What 'cmake --install' gives a packager: the program, its manual page, its completion, the licence; and none of it
# leads back to the source tree.
#
#   install_test.sh SOURCE_DIR BUILD_DIR
set -euo pipefail

source_dir=$1
build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "FAILED: $*"
  exit 1
}

DESTDIR=$work/root cmake --install "$build" --prefix /usr >"$work/install.log" || fail "cmake --install: $(<"$work/install.log")"
root=$work/root/usr
program=$root/bin/virt-ferry
page=$root/share/man/man1/virt-ferry.1
completion=$root/share/bash-completion/completions/virt-ferry
zsh=$root/share/zsh/site-functions/_virt-ferry
fish=$root/share/fish/vendor_completions.d/virt-ferry.fish
manifest=$root/share/man/man5/virt-ferry-manifest.5
findings=$root/share/man/man7/virt-ferry-findings.7
for file in "$program" "$page" "$completion" "$zsh" "$fish" "$manifest" "$findings" "$root/share/doc/virt-ferry/LICENSE" \
  "$root/share/doc/virt-ferry/docs/report.schema.json"; do
  [[ -s $file ]] || fail "$file is not there: $(cd "$root" && find . -type f)"
done

# It runs away from the build, with nothing of this shell's environment, and plans a machine that lies elsewhere.
cp -r "$source_dir/fixtures/probe-machine" "$work/machine"
truncate -s 1M "$work/machine/probe-flat.vmdk" # a plan asks for its size alone
mkdir "$work/home"
(cd / && env -i HOME="$work/home" PATH=/usr/bin:/bin "$program" plan "$work/machine" --host-profile \
  "$source_dir/fixtures/hosts/debian-12.json") >"$work/plan" 2>&1 || fail "plan: $(<"$work/plan")"
grep -q "disk  *probe.qcow2" "$work/plan" || fail "the plan does not name the disk: $(<"$work/plan")"
# Debug information and assertions name sources; a build without assertions must not otherwise.
if grep -qE '^CMAKE_BUILD_TYPE:[A-Z]+=(Release|RelWithDebInfo|MinSizeRel)$' "$build/CMakeCache.txt"; then
  strip -o "$work/stripped" "$program"
  ! grep -a -o -F "$source_dir" "$work/stripped" >"$work/paths" || fail "the program names $source_dir"
fi

# The desktop's entry shows the plan and asks; without a yes nothing is done.
import=$root/libexec/virt-ferry/import
[[ -s $root/share/applications/virt-ferry-import.desktop && -s $root/share/metainfo/virt-ferry.metainfo.xml ]] ||
  fail "the desktop's files are not there"
printf 'no\n\n' | env -i HOME="$work/home" PATH=/usr/bin:/bin VIRT_FERRY="$program" "$import" "$work/machine" >"$work/asked" 2>&1 ||
  fail "import: $(<"$work/asked")"
grep -q 'can be migrated' "$work/asked" || fail "import does not show the plan: $(<"$work/asked")"
grep -q 'Nothing was done' "$work/asked" || fail "import did not take no for an answer: $(<"$work/asked")"
[[ -z $(find "$work/home" -name '*.qcow2') ]] || fail "import migrated without a yes"
status=0
env -i HOME="$work/home" PATH=/usr/bin:/bin VIRT_FERRY="$program" "$import" "$work/nothing" </dev/null >"$work/asked" 2>&1 || status=$?
[[ $status == 2 ]] || fail "import of nothing ends with $status: $(<"$work/asked")"

# Every option of every command is in the manual page and in the completion.
for command in inspect plan migrate batch list runs report undo test finish pull resume 'disk info' 'disk convert' host; do
  # shellcheck disable=SC2086 # two words
  while read -r option; do
    grep -q -F -- "${option//-/\\-}" "$page" || fail "the manual page does not have '$command $option'"
    grep -q -E -- "\"$command\"\\) options=\".*${option}[ \"]" "$completion" || fail "the completion does not have '$command $option'"
    sed -n "/^    '$command')/,/;;/p" "$zsh" | grep -E -- "'\\*$option(=)?\\[" >/dev/null || fail "zsh's completion does not have '$command $option'"
    grep -q -E -- "seen_subcommand_from ${command##* }' -l ${option#--} " "$fish" || fail "fish's completion does not have '$command $option'"
  done < <("$program" $command --help | sed -n 's/^  \(-.,\)\{0,1\}\(--[a-z-]*\).*/\2/p' | grep -v -x -e --help)
done
! grep -n -P '\t' "$page" || fail "the manual page has tabs"
[[ $(grep -c -x '.B \\-\\-snapshots keep|flatten|skip\\-unreadable' "$page") == 1 ]] || fail "an option of several commands is not explained once"
for id in nic.isolated host.no-kvm; do
  grep -q -F "${id//-/\\-}" "$findings" || fail "the page of findings does not have $id"
done
grep -q -x 'defaults:' "$manifest" || fail "the page of manifests has no example"
if command -v man >/dev/null; then
  for file in "$page" "$manifest" "$findings"; do
    LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$file" 2>"$work/warnings" >/dev/null
    [[ ! -s $work/warnings ]] || fail "$(basename "$file"): $(<"$work/warnings")"
  done
fi

# completes WORD... EXPECTED: what bash offers for the last word of the line.
# shellcheck disable=SC1090
source "$completion"
completes() {
  local expected=${*: -1}
  COMP_WORDS=(virt-ferry "${@:1:$#-1}")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _virt_ferry
  [[ ${COMPREPLY[*]} == "$expected" ]] || fail "'${COMP_WORDS[*]}' is completed with '${COMPREPLY[*]}', not '$expected'"
}
completes mig migrate
completes disk c convert
completes migrate --snap --snapshots
completes migrate --snapshots '' 'keep flatten skip-unreadable'
completes disk convert --compress z 'zlib zstd'
completes batch --format '' 'text json html'
completes plan ./some ''
# What there is: machines by name, runs.
mkdir -p "$work/state/virt-ferry/runs"
chmod 700 "$work/state/virt-ferry/runs"
cat >"$work/state/virt-ferry/runs/20261129-120557-bc49.jsonl" <<'JSON'
{"event":"begin","source":"/vms/web.vbox","files":[],"machine":"web","connect":"qemu:///session","dest":"/images","plan":"x"}
JSON
chmod 600 "$work/state/virt-ferry/runs/"*
mkdir -p "$work/home/.config/VirtualBox"
cat >"$work/home/.config/VirtualBox/VirtualBox.xml" <<'XML'
<VirtualBox xmlns="http://www.virtualbox.org/" version="1.12-linux"><Global><MachineRegistry>
<MachineEntry uuid="{11111111-2222-3333-4444-555555555555}" src="/vms/my web/my web.vbox"/></MachineRegistry></Global></VirtualBox>
XML
there() { env -u VBOX_USER_HOME -u XDG_CONFIG_HOME HOME="$work/home" XDG_STATE_HOME="$work/state" PATH="$root/bin:$PATH" "$@"; }
offered() { # WORD...: what bash offers, in a shell of its own
  # shellcheck disable=SC2016 # for that shell
  there bash -c 'source "$1"; shift; COMP_WORDS=(virt-ferry "$@"); COMP_CWORD=$#; _virt_ferry; echo "${COMPREPLY[*]}"' _ "$completion" "$@"
}
[[ $(offered undo 2026) == 20261129-120557-bc49 ]] || fail "bash offers '$(offered undo 2026)' for a run"
[[ $(offered migrate my) == 'my\ web' ]] || fail "bash offers '$(offered migrate my)' for a machine"
if command -v zsh >/dev/null; then zsh -n "$zsh" || fail "zsh does not take its completion"; fi
if command -v fish >/dev/null; then
  in_fish() { there fish --no-config -c "source $fish; complete -C '$1'" | cut -f 1 | tr '\n' ' '; }
  [[ $(in_fish 'virt-ferry mig') == 'migrate ' ]] || fail "fish offers '$(in_fish 'virt-ferry mig')'"
  [[ $(in_fish 'virt-ferry migrate --snapshots ') == 'flatten keep skip-unreadable ' ]] || fail "fish does not know the values of --snapshots"
  [[ $(in_fish 'virt-ferry report 2026') == '20261129-120557-bc49 ' ]] || fail "fish offers '$(in_fish 'virt-ferry report 2026')' for a run"
  [[ $(in_fish 'virt-ferry disk convert --compr') == '--compress ' ]] || fail "fish does not know 'disk convert --compress'"
fi
