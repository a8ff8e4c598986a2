// SPDX-License-Identifier: Apache-2.0
// Executes a plan as a transaction: everything is made in a staging folder inside the destination and published
// by rename; the journal says what was made. The source is only read.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "converters/progress.hpp"
#include "exporters/libvirt/host/connection.hpp"
#include "migration/plan.hpp"

namespace ferry::migration {

struct RunResult {
  std::string run;
  std::map<std::filesystem::path, disk::ConvertResult> disks;  // by final place
  std::vector<Finding> findings;                               // that only the work could tell
  bool defined = false, started = false;
  std::vector<std::string> next_steps;  // commands that the user may type now
  std::optional<Error> libvirt_error;   // everything is made and kept, but libvirt did not define or start it
};

// `connection` may be null: then nothing is defined. Throws Error: what preflight() throws, conflict (the machine to be
// overwritten runs), cancelled, and what converters throw. On a throw nothing is left behind but the journal.
[[nodiscard]] RunResult run_plan(const MachinePlan &plan, const Options &options, libvirt::Connection *connection,
                                 Progress *progress, const std::stop_token &stop);

}  // namespace ferry::migration
