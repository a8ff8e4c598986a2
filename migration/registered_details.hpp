// SPDX-License-Identifier: Apache-2.0
// What a registered machine is, for a list of them: its settings are read, its disks' sizes asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "migration/registered.hpp"
#include "migration/run_record.hpp"

namespace ferry::migration {

struct RegisteredDetails {
  std::string guest_os;
  std::uint64_t size = 0;  // bytes of data on its disks; those that cannot be read count nothing
  std::size_t snapshots = 0;
  std::string state;           // "off", "suspended", "encrypted", "missing", "unreadable"
  std::optional<Error> error;  // why it is unreadable
  bool read_by_run = false;    // its machine still reads this one's disks
  std::string run;             // the newest that migrated it and was not undone; empty: none
};
// Throws nothing of a machine's own: what is wrong with it is in its state. `runs`: all_runs().
[[nodiscard]] RegisteredDetails details_of(const RegisteredMachine &machine, const std::vector<RunRecord> &runs);

}  // namespace ferry::migration
