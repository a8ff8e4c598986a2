#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: once_test.sh SOURCE_DIR
# What stands once: services of the ground floor in one file each, and platforms in their importers.
set -euo pipefail
cd -- "$1"
bad=0

# once PATTERN FILE: of all our sources only FILE has it, and FILE has it.
once() {
  local found
  found=$(grep -rlE --include='*.cpp' --include='*.hpp' "$1" support model importers converters exporters migration cli | tr '\n' ' ')
  [[ $found == "$2 " ]] && return
  printf '%s: expected in %s, found in %s\n' "$1" "$2" "${found:-no file}"
  bad=1
}
once 'RENAME_NOREPLACE' support/file.cpp
once 'getenv\("HOME"\)' support/folders.cpp
once 'getenv\("PATH"\)' support/subprocess.cpp
once 'EVP_' support/digest.cpp
once 'mkdtemp' support/temporary.cpp
once 'dlopen\(' support/shared_library.cpp

# never FOLDER PATTERN WHY
never() {
  grep -rnE --include='*.cpp' --include='*.hpp' "$2" "$1" || return 0
  printf '%s\n' "$3"
  bad=1
}
never exporters 'SourceKind|source\.kind|from_(virtualbox|vmware|qemu)|i440bx_vmware' \
  'what a platform does is decided in its importer: a target reads facts of the model'
exit "$bad"
