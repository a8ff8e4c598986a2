#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What no real source holds is refused within two seconds of a processor and 256 MiB of addresses, with all that the
# program maps at its start. On a slow machine it is three times what gzip takes to inflate as much as a bomb may: what is
# bounded is the work. A build without optimization has twice that: bounds_test.sh PROGRAM FACTOR.
set -euo pipefail
program=$1 factor=$2
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
cd "$folder"

# Seconds of a processor that this machine takes for 512 MiB.
TIMEFORMAT=%U
head -c 512M /dev/zero | gzip -1 >zeros
inflating=$({ time gzip -dc zeros >/dev/null; } 2>&1)
rm zeros
seconds=$(awk -v one="$inflating" -v factor="$factor" 'BEGIN { s = 3 * one; if (s < 2) s = 2; print int(factor * s + 0.999) }')
export HOME=$folder XDG_STATE_HOME=$folder/state

# refused EXIT ARGUMENT...: ends with this status, inside of the limits.
refused() {
  local wanted=$1 status=0
  shift
  # 60 s by the clock: the machine may be busy; the processor's time is what is bounded.
  (ulimit -v 262144 -t "$seconds" && exec timeout 60 "$program" "$@" --no-define --dest "$folder/dest") >out 2>message || status=$?
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

{ # as many port forwards as the bounds of XML let through
  printf '%s<Hardware><Memory RAMSize="64"/><Network><Adapter slot="0" enabled="true"><NAT>' "$head"
  seq -f '<Forwarding name="f%.0f" proto="1" hostport="1000"/>' 30000
  printf '</NAT></Adapter></Network></Hardware></Machine></VirtualBox>'
} >more-forwards.vbox
refused 3 plan more-forwards.vbox

{ # the same as VirtualBox before 3.2 wrote them
  printf '%s<ExtraData>' "$head"
  seq -f '<ExtraDataItem name="VBoxInternal/Devices/pcnet/0/LUN#0/Config/r%.0f/HostPort" value="80"/>' 30000
  printf '</ExtraData><Hardware><Memory RAMSize="64"/><Network><Adapter slot="0" enabled="true" type="Am79C973"><NAT/></Adapter>'
  printf '</Network></Hardware></Machine></VirtualBox>'
} >old-forwards.vbox
refused 3 plan old-forwards.vbox

{ # snapshots side by side
  printf '%s<Snapshot uuid="{aabbccdd-0011-2233-4455-000000000000}" name="s"><Hardware><Memory RAMSize="64"/></Hardware><Snapshots>' "$head"
  seq -f '<Snapshot uuid="{aabbccdd-0011-2233-4455-%012.0f}" name="s"><Hardware><Memory RAMSize="64"/></Hardware></Snapshot>' 1 15000
  printf '</Snapshots></Snapshot>%s' "$tail"
} >snapshots.vbox
refused 3 plan snapshots.vbox

{ # an endless text
  printf '%s<Description>' "$head"
  head -c 40M /dev/zero | tr '\0' x
  printf '</Description>%s' "$tail"
} >text.vbox
refused 3 plan text.vbox

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

# Packages that inflate for half a minute behind a head that is in order. Members of gzip that are put one behind the
# other are one stream, so that a long bomb is quickly made.
cat >web.ovf <<'XML'
<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">
<References><File ovf:href="disk.vmdk" ovf:id="f1"/></References>
<DiskSection><Info/><Disk ovf:diskId="d1" ovf:fileRef="f1" ovf:capacity="1048576" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/></DiskSection>
<VirtualSystem ovf:id="web"><Info/><VirtualHardwareSection><Info/>
<Item><rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>512</rasd:VirtualQuantity></Item>
</VirtualHardwareSection></VirtualSystem></Envelope>
XML
head -c 64M /dev/zero | gzip -9 >zeros
bomb() { # bomb NAME MEMBER: web.ovf, and a member of 32 GiB of zeros
  truncate -s 32G "$2"
  { tar --format=gnu -cf - web.ovf "$2" 2>/dev/null || true; } | head -c 8192 | gzip >"$1"
  for ((i = 0; i < 512; i++)); do cat zeros; done >>"$1"
  rm "$2"
}
bomb disk.ova disk.vmdk
refused 3 plan disk.ova
bomb other.ova read.me
refused 3 plan other.ova
{ # behind the tar's end
  echo x >disk.vmdk
  tar -cf - web.ovf disk.vmdk | gzip
  for ((i = 0; i < 512; i++)); do cat zeros; done
} >behind.ova
rm disk.vmdk
refused 3 plan behind.ova

{ # a manifest that does not end
  tar -cf - web.ovf | head -c $((512 + ($(stat -c %s web.ovf) + 511) / 512 * 512)) # without the end of the archive
  truncate -s 8G web.mf
  tar -cf - web.mf 2>/dev/null | head -c 65536 || true
} >manifest.ova
truncate -s 9G manifest.ova
refused 3 plan manifest.ova
refused 3 plan web.ovf
