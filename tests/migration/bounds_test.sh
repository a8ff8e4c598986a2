#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What no real source holds is refused within two seconds of a processor and half a GiB of addresses: bounds_test.sh PROGRAM.
set -euo pipefail
program=$1
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
cd "$folder"
export HOME=$folder XDG_STATE_HOME=$folder/state

# refused EXIT ARGUMENT...: ends with this status, inside of the limits.
refused() {
  local wanted=$1 status=0
  shift
  # 10 s by the clock: the machine may be busy; the processor's time is what is bounded.
  (ulimit -v 524288 -t 2 && exec timeout 10 "$program" "$@" --no-define --dest "$folder/dest") >out 2>message || status=$?
  if ((status != wanted)); then
    printf '%s: exit %s, not %s\n' "$*" "$status" "$wanted" >&2
    head -c 2000 message out >&2
    exit 1
  fi
}

head='<?xml version="1.0"?><VirtualBox xmlns="http://www.virtualbox.org/" version="1.16-linux"><Machine uuid="{aabbccdd-0011-2233-4455-66778899aabb}" name="m" OSType="Debian_64">'
tail='<Hardware><Memory RAMSize="64"/></Hardware></Machine></VirtualBox>'

{ # 30 MB of extra data
  printf '%s<ExtraData>' "$head"
  seq -f '<ExtraDataItem name="GUI/LastWindowPosition" value="1,2,3,%.0f"/>' 470000
  printf '</ExtraData>%s' "$tail"
} >many.vbox
refused 3 plan many.vbox

{ # one element with very many attributes
  printf '%s<ExtraData ' "$head"
  seq -f 'a%.0f="1"' 400000
  printf '/>%s' "$tail"
} >wide.vbox
refused 3 plan wide.vbox

{ # port forwards
  printf '%s<Hardware><Memory RAMSize="64"/><Network><Adapter slot="0" enabled="true"><NAT>' "$head"
  seq -f '<Forwarding name="f%.0f" proto="1" hostport="1000" guestport="22"/>' 200000
  printf '</NAT></Adapter></Network></Hardware></Machine></VirtualBox>'
} >forwards.vbox
refused 3 plan forwards.vbox

{ # a .vmx of many settings
  printf 'config.version = "8"\n'
  seq -f 'a%.0f = "1"' 100000
} >many.vmx
refused 3 plan many.vmx

printf 'machines: &m\n  - source: a.vmx\n    mac: *m\n' >self.yaml
refused 2 batch self.yaml
{
  printf 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n'
  for n in 1 2 3 4 5 6 7 8 9; do
    p=$((n - 1))
    printf 'a%s: &a%s [*a%s, *a%s, *a%s, *a%s, *a%s, *a%s, *a%s, *a%s, *a%s, *a%s]\n' $n $n $p $p $p $p $p $p $p $p $p $p
  done
  printf 'machines: [a.vmx]\n'
} >grows.yaml
refused 2 batch grows.yaml
{ printf 'machines: '; head -c 100000 /dev/zero | tr '\0' '['; } >deep.yaml
refused 2 batch deep.yaml

mkfifo fifo
refused 2 batch fifo
refused 2 batch /dev/zero
refused 2 plan many.vmx --host-profile fifo
refused 2 plan many.vmx --host-profile /dev/zero
refused 3 plan fifo
