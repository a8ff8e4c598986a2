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
for file in "$program" "$page" "$completion" "$root/share/doc/virt-ferry/LICENSE" \
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

# Every option of every command is in the manual page and in the completion.
for command in inspect plan migrate batch list runs report undo 'disk info' 'disk convert' host; do
  # shellcheck disable=SC2086 # two words
  while read -r option; do
    grep -q -F -- "${option//-/\\-}" "$page" || fail "the manual page does not have '$command $option'"
    grep -q -E -- "\"$command\"\\) options=\".*${option}[ \"]" "$completion" || fail "the completion does not have '$command $option'"
  done < <("$program" $command --help | sed -n 's/^  \(-.,\)\{0,1\}\(--[a-z-]*\).*/\2/p' | grep -v -x -e --help)
done
! grep -n -P '\t' "$page" || fail "the manual page has tabs"

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
completes plan ./some ''
