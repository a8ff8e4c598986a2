#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: names_test.sh SOURCE_DIR
# Tests are called as GoogleTest wants it, without underscores: TEST(Suite, WhatItSays). Says those that are not.
set -euo pipefail

# Says the tests below a folder whose suite or name is not in PascalCase.
misnamed() { grep -rnE --include='*.cpp' '^TEST(_F|_P)?\((\w*_\w*|[a-z]\w*),|^TEST(_F|_P)?\(\w+, *([a-z]\w*|\w*_\w*)\)' "$1"; }

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
expect() { # good|bad TEXT
  local result=bad
  printf '%s {\n' "$2" >"$work/a_test.cpp"
  misnamed "$work" >"$work/said" || result=good
  [[ $result == "$1" ]] || { printf '%s: %s expected, %s found\n' "$2" "$1" "$result"; exit 1; }
}
expect good 'TEST(Plan, SaysWhatItTakes)'
expect good 'TEST_F(Plan, Of250Snapshots)'
expect bad 'TEST(Plan, says_what_it_takes)'
expect bad 'TEST_P(Plan, saysWhat)'
expect bad 'TEST(Plan, Says_what)'
expect bad 'TEST(plan, SaysWhat)'

if misnamed "$1/tests"; then
  echo 'tests are called in PascalCase, without underscores'
  exit 1
fi
