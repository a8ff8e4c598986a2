#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: arrows.sh SOURCE_DIR
# Dependencies run one way: says each #include of ours that goes against it, and fails.
set -euo pipefail
cd -- "$1"

# A folder or file, and what its files may include beside themselves; the longest that matches a file counts.
# cli -> migration -> {importers, converters, exporters} -> model -> support; migration and cli -> hosts -> support.
# Which target there is, one file of the spine knows (and the list of all findings).
rules() {
  cat <<'TEXT'
support
hosts                      support
model                      support
importers                  model support
converters                 model support
exporters/target.hpp       model support
exporters/target.cpp       model support
exporters/bookkeeper.hpp   exporters/target.hpp model support
exporters/bookkeeper.cpp   exporters/target.hpp model support
exporters/boot_sequence.hpp    model
exporters/boot_sequence.cpp    model
exporters/choices.hpp      support
exporters/choices.cpp      support
exporters/report           model support
exporters/script           model support
exporters/kubevirt         exporters/target.hpp exporters/bookkeeper.hpp exporters/boot_sequence.hpp model support
exporters/libvirt          exporters/target.hpp exporters/choices.hpp model support
exporters/libvirt/host     exporters/target.hpp model support
exporters/virtio.hpp       support
exporters/libvirt/edit     exporters/target.hpp exporters/virtio.hpp model support
exporters/libvirt/map      exporters/bookkeeper.hpp exporters/boot_sequence.hpp exporters/libvirt/host exporters/libvirt/xml/domain.hpp exporters/libvirt/export.hpp exporters/libvirt/findings.hpp exporters/target.hpp model support
exporters/libvirt/xml      model support
migration                  importers converters exporters/target.hpp exporters/virtio.hpp exporters/choices.hpp exporters/report exporters/script model hosts support
migration/host.cpp         migration importers converters exporters model hosts support
migration/finding_catalog.cpp importers converters exporters model support
cli                        migration importers converters exporters/target.hpp exporters/virtio.hpp exporters/choices.hpp exporters/report exporters/script model hosts support
TEXT
}

# "FILE:LINE:INCLUDED" of every include with quotes below the folders that are there.
includes() {
  local folders=() folder
  for folder in support hosts model importers converters exporters migration cli; do
    [[ -d $folder ]] && folders+=("$folder")
  done
  grep -rnoE --include='*.cpp' --include='*.hpp' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]+"' "${folders[@]}" |
    sed -E 's/:[[:space:]]*#[[:space:]]*include[[:space:]]*"([^"]+)"/:\1/'
}

includes | awk -F: -v rules="$(rules)" '
  # Whether file is name, or lies below it.
  function below(file, name) { return file == name || index(file, name "/") == 1 }
  function parent(file) { sub("/[^/]*$", "", file); return file }
  BEGIN {
    count = split(rules, lines, "\n")
    for (i = 1; i <= count; ++i) {
      split(lines[i], words, " ")
      folder[i] = words[1]
      allowed[i] = substr(lines[i], length(words[1]) + 1)
    }
  }
  {
    best = 0
    for (i = 1; i <= count; ++i)
      if (below($1, folder[i]) && (best == 0 || length(folder[i]) > length(folder[best]))) best = i
    fine = best != 0 && below($3, folder[best])
    if (best != 0 && $1 == folder[best]) fine = parent($1) == parent($3)  # a file: those beside it
    number = split(allowed[best], may, " ")
    for (i = 1; i <= number && !fine; ++i) fine = below($3, may[i])
    if (!fine) { print $1 ":" $2 ": may not include \"" $3 "\""; bad = 1 }
    ++seen
  }
  END {
    if (seen == 0) { print "no includes found: is this the source folder?"; exit 1 }
    exit bad
  }
'
