// SPDX-License-Identifier: Apache-2.0
// The snapshot list (.vmsd) and the settings inside snapshot state files (.vmsn).
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "importers/vmx/reader.hpp"

namespace ferry::vmx {

// Reads the list beside `machine.source.file`, when there is one, into machine.snapshots and current_snapshot.
// `reader` is the machine's; its hardware must have been read. A list that cannot be read is a finding.
void read_snapshots(Reader &reader, Ledger &ledger, Machine &machine, bool needed);

// What a .vmsn or .vmss file says of itself.
struct StateFile {
  std::string configuration;  // the text of the .vmx at that time; empty when it is not in there
  bool running = false;       // memory and CPU state are in it or belong to it
};
// nullopt when the file is not there, cannot be read or is not of a known form. Reads no more than it needs. Throws
// Error unreachable alone.
[[nodiscard]] std::optional<StateFile> read_state_file(const std::filesystem::path &file);

}  // namespace ferry::vmx
