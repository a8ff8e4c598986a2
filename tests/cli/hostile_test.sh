#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Scripts that mean ill: the program ends soon, in little memory, with a word of its own.
#
#   hostile_test.sh PROGRAM SOURCE_DIR SECONDS
# shellcheck disable=SC2016,SC2059 # the texts are scripts' own
set -euo pipefail

program=$1
profile=$2/fixtures/hosts/debian-12.json
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work
# For each process of the program: seconds of a processor, and KiB of heap and stacks. Addresses say nothing: glibc
# reserves 64 MiB of them for each thread's heap, and the libraries have theirs.
seconds=$3 # one, and two in a build without optimization
memory=$((100 * 1024))

# A build with sanitizers takes more for itself.
if ! (ulimit -d "$memory" && "$program" --version) >/dev/null 2>&1; then
  echo "skipped: this program does not start in $memory KiB"
  exit 77
fi

# again N TEXT
again() { printf "%${1}s" '' | sed "s/ /$2/g"; }

# bad NAME EXIT-CODE: the script comes in.
bad() {
  local name=$1 expected=$2 status=0
  cat >"$work/$name"
  (
    ulimit -d "$memory" -t "$seconds"
    exec timeout 120 "$program" plan "$work/$name" --host-profile "$profile" --dest "$work/out" --no-define
  ) >"$work/said" 2>&1 || status=$?
  if [[ $status != "$expected" ]] || grep -qiE 'out of memory|bad_alloc|terminate called' "$work/said"; then
    echo "FAILED: $name ends with $status, not $expected:"
    head -c 2000 "$work/said"
    exit 1
  fi
}

head='#!/bin/bash\n'
{ printf "${head}A=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"; again 60 'A=$A$A$A$A\n'; echo 'kvm -name $A'; } | bad bomb.sh 3
{ printf "${head}a=(x)\n"; again 40 'a+=("${a[@]}" "${a[@]}")\n'; echo 'kvm "${a[@]}"'; } | bad array.sh 3
{ printf "${head}kvm"; again 400000 ' a'; } | bad words.sh 3
{ printf "${head}kvm -name x"; again 520000 ' a'; } | bad million.sh 3
{ printf "${head}kvm -name "; again 5000 '$(echo '; } | bad substitutions.sh 3
{ printf "$head"; again 5000 'if a; then '; } | bad conditions.sh 3
{ printf "${head}kvm -name "; again 5000 '${a:-'; echo x; } | bad defaults.sh 3
{ printf "$head"; again 5000 '('; } | bad brackets.sh 3
printf "${head}cat <<END\nkvm -m 1\n" | bad here.sh 3
{ printf "$head"; again 1000 'cat <<A <<B <<C\n'; } | bad heres.sh 3
printf "${head}while true; do x=\$x\$x\$x.; done\nkvm -m 1\n" | bad loop.sh 3
printf "${head}for ((;;)); do a+=xxxxxxxxxxxxxxxxxxxxxxxxxxxx; done\nkvm -nic none\n" | bad counted.sh 0
printf "${head}kvm {1..1000}{1..1000}{1..1000}\n" | bad braces.sh 3
printf "${head}A='eval \"\$A\$A\"'\neval \"\$A\"\nkvm -nic none\n" | bad eval.sh 3
{ printf "${head}f0() { :; }\n"; for i in {1..40}; do echo "f$i() { f$((i - 1)); f$((i - 1)); }"; done; echo 'f40'; } |
  bad functions.sh 3
{ printf "${head}A="; again 100000 a; printf '\n'; again 200 'B=$(echo $A | sed "s\/a*a*a*a*b\/\/g" | tr a b | sort)\n'; } |
  bad pipelines.sh 3
printf "${head}./self.sh; ./self.sh; ./other.sh; . ./other.sh; ./other.sh\n" | bad other.sh 3
printf "${head}./other.sh; ./other.sh\n. ./other.sh\n" | bad self.sh 3
{ printf "${head}kvm "; again 4000 '-device usb-hub '; } | bad devices.sh 3
{ printf "${head}kvm -device '"; again 20000 '{"a":'; echo "'"; } | bad json.sh 3
printf "${head}kvm -smp 99999999999,cores=9999999999 -m 99999999T\n" | bad numbers.sh 3
{ printf '@echo off\r\nset A=aaaaaaaaaa\r\n'; again 60 'set A=%A%%A%%A%\r\n'; echo 'qemu-system-x86_64.exe -name %A%'; } | bad bomb.bat 3
{ printf 'qemu-system-x86_64\0-m\0'; again 400000 '1x' | tr x '\0'; } | bad cmdline 3
{ printf '@echo off\r\nqemu-system-x86_64.exe '; again 50000 '^\r\n -m 1 '; } | bad long.bat 3
{ printf '@echo off\r\nset A=1\r\nfor /L %%i in (1,1,1000000000) do set A=%%A%%x\r\nqemu-system-x86_64.exe -nic none\r\n'; } | bad for.bat 0
{ again 900 '[device "x"]\n  driver = "usb-hub"\n'; } >"$work/many.cfg"
{ printf "${head}kvm "; again 2000 '-readconfig many.cfg '; } | bad config.sh 3
{ printf "${head}x="; again 40000 a; printf '\n[[ $x =~ ^(a+)+$b ]] && kvm -m 1\nif [[ $x =~ (a|aa)+c ]]; then :; fi\nkvm -nic none\n'; } |
  bad regex.sh 3
{ printf "${head}x="; again 50000 a; printf '\ncase $x in *a*a*a*a*a*a*a*a*a*b) :;; esac\ny=${x##*a*a*a*a*a*b}\nkvm -nic none\n'; } |
  bad patterns.sh 0
printf "${head}printf -v x '%%999999999s' y\nA=\$(printf '%%0999999999d' 1)\nkvm -nic none -name \"\$A\"\n" | bad padding.sh 3
printf "${head}for i in \$(seq 1 1000000000); do :; done\nfor i in {1..1000000000}; do :; done\nkvm -nic none\n" | bad counting.sh 0
printf "${head}a[999999999]=x\na[2147483647]=y\nkvm -nic none -name \"\${a[999999999]}\"\n" | bad index.sh 0
{ printf "${head}x=aaaaaaaaaaaaaaaa\n"; again 30 'x=${x\/\/a\/aaaa}\n'; echo 'kvm -name $x'; } | bad replace.sh 3
{ printf "${head}x=\$(("; again 20000 '+('; printf 1; again 20000 ')'; printf '))\nkvm -m $x\n'; } | bad sums.sh 3
{ printf "${head}kvm -device e1000"; again 100000 ',a=b'; echo; } | bad keys.sh 0
{ printf "${head}kvm -name "; again 900000 ','; echo; } | bad commas.sh 0
{ printf "${head}cat <<A\n"; again 3000 '$(cat <<B\n'; } | bad inner.sh 3
