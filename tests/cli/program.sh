# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The program in a world of its own, and what a test says of it. Sourced with PROGRAM and SOURCE_DIR as the arguments;
# leaves the test in an empty folder that goes away at its end.
# shellcheck disable=SC2034 # for those who source it
program=$1 source_dir=$2
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
cd "$folder" || exit 1
export HOME=$folder/home XDG_STATE_HOME=$folder/state XDG_CONFIG_HOME=$folder/config XDG_DATA_HOME=$folder/data
unset VBOX_USER_HOME LIBVIRT_DEFAULT_URI
mkdir home

fail() {
  echo "FAILED: $*" >&2
  [[ ! -s out ]] || cat out >&2
  [[ ! -s err ]] || cat err >&2
  exit 1
}

# ends STATUS ARGUMENT...: runs the program; its output is in out and err.
ends() {
  local wanted=$1 status=0
  shift
  "$program" "$@" >out 2>err || status=$?
  ((status == wanted)) || fail "virt-ferry $*: exit $status, not $wanted"
}
