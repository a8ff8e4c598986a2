#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: arrows_test.sh SOURCE_DIR
# Holds the sources to arrows.sh, and arrows.sh to made-up sources that go against each of its rules.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# expect good|bad FILE INCLUDED
expect() {
  local result=good
  rm -rf -- "$work/tree"
  mkdir -p -- "$work/tree/$(dirname -- "$2")"
  printf '#pragma once\n#include <string>\n#include "%s"\n' "$3" >"$work/tree/$2"
  "$here/arrows.sh" "$work/tree" >"$work/said" || result=bad
  if [[ $result != "$1" ]] || { [[ $1 == bad ]] && ! grep -qF "$3" "$work/said"; }; then
    printf '%s that includes %s: %s expected, %s found\n' "$2" "$3" "$1" "$result"
    exit 1
  fi
}

expect good cli/main.cpp migration/migrate.hpp
expect bad migration/plan.cpp cli/output.hpp
expect good migration/plan.cpp converters/disk.hpp
expect bad migration/plan.cpp exporters/libvirt/export.hpp
expect good migration/plan.cpp exporters/target.hpp
expect good migration/host.cpp exporters/libvirt/target.hpp
expect bad migration/host.hpp exporters/libvirt/target.hpp
expect bad migration/run.cpp exporters/libvirt/host/connection.hpp
expect bad migration/undo.hpp exporters/libvirt/host/domain_files.hpp
expect good migration/run.cpp exporters/target.hpp
expect bad cli/host.cpp exporters/libvirt/host/connection.hpp
expect good cli/output.cpp exporters/report/report.hpp
expect bad migration/plan_disks.hpp exporters/libvirt/target.hpp
expect good migration/host.cpp migration/host.hpp
expect bad importers/vbox/import.cpp converters/disk.hpp
expect bad converters/disk.cpp exporters/report/report.hpp
expect bad exporters/report/report.hpp importers/common.hpp
expect bad exporters/report/report.hpp exporters/libvirt/export.hpp
expect bad exporters/target.hpp exporters/libvirt/export.hpp
expect bad importers/common.hpp migration/source.hpp
expect good importers/common.hpp model/machine.hpp
expect bad model/json.cpp importers/common.hpp
expect bad support/text.cpp model/machine.hpp
expect good support/text.cpp support/text.hpp
expect good exporters/libvirt/export.cpp exporters/libvirt/map/mapping.hpp
expect good exporters/libvirt/map/cpu.cpp exporters/libvirt/host/host_profile.hpp
expect good exporters/libvirt/map/cpu.cpp exporters/libvirt/xml/domain.hpp
expect bad exporters/libvirt/map/cpu.cpp exporters/libvirt/xml/domain_xml.hpp
expect bad exporters/libvirt/host/probe.cpp exporters/libvirt/map/mapping.hpp
expect bad exporters/libvirt/host/probe.cpp exporters/libvirt/xml/domain.hpp
expect bad exporters/libvirt/xml/domain_xml.cpp exporters/libvirt/host/host_profile.hpp
expect bad exporters/libvirt/xml/domain_xml.cpp exporters/libvirt/map/mapping.hpp

"$here/arrows.sh" "$1"
