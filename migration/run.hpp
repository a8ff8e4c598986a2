// SPDX-License-Identifier: Apache-2.0
// Executes a plan as a transaction: everything is made in a staging folder inside the destination and published by
// rename; the journal says what was made. What stands there before (--overwrite) is moved aside and comes back unless
// the run ends well. The source is only read.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "converters/progress.hpp"
#include "migration/host.hpp"
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

// Nothing is defined where `host` has no machines or the options say so. Throws Error: what preflight() throws;
// conflict (a machine that is to be overwritten is in use); verify (the source changed meanwhile); cancelled; what
// converters throw; with
// --overwrite also what libvirt says. On a throw all is as it was before, but for the journal, or the error says what
// is not.
[[nodiscard]] RunResult run_plan(const MachinePlan &plan, const Options &options, const Host &host, Progress *progress,
                                 const std::stop_token &stop);

// Goes on with a run of the same plan that made all files and then was cut off, or was without libvirt.
[[nodiscard]] RunResult finish_run(const std::string &run, const MachinePlan &plan, const Options &options,
                                   const Host &host, const std::stop_token &stop);

}  // namespace ferry::migration
