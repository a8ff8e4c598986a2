#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Scripts that mean ill: the program ends soon, in little memory, with a word of its own.
#
#   hostile_test.sh PROGRAM SOURCE_DIR
# shellcheck disable=SC2016,SC2059 # the texts are scripts' own
set -euo pipefail

program=$1
profile=$2/fixtures/hosts/debian-12.json
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work
seconds=10              # of a processor: a debug build takes one or two
memory=$((400 * 1024))  # KiB of addresses, of which the libraries take most

# A build with sanitizers has more addresses than memory.
if ! (ulimit -v "$memory" && "$program" --version) >/dev/null 2>&1; then
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
    ulimit -v "$memory" -t "$seconds"
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
