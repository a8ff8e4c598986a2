// SPDX-License-Identifier: Apache-2.0
// What earlier runs of the same machine left, and what becomes of it: finished, taken back, or in the way.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "exporters/target.hpp"
#include "migration/options.hpp"
#include "migration/plan.hpp"
#include "migration/run_record.hpp"

namespace ferry::migration {

// Runs with the same digest make the same machine, files and definition alike.
[[nodiscard]] std::string plan_digest(const MachinePlan &plan, const Options &options);

// Those of `runs` that did not come to their end while they made `machine` of `source` in `dest`: cut off, or without
// libvirt at the last.
[[nodiscard]] std::vector<RunRecord> unfinished_runs(const std::vector<RunRecord> &runs,
                                                     const std::filesystem::path &source,
                                                     const std::filesystem::path &dest, const std::string &machine);

// Plans as if the machines that these runs have defined were not there.
void forget_machines_of(target::Taken &taken, const std::vector<RunRecord> &runs);

// What is to be done before, or instead of, a new run.
struct Earlier {
  std::optional<RunRecord> finish;   // made all that the plan wants: to be gone on with
  std::vector<RunRecord> take_back;  // of no use to anybody
};
// `unfinished`: of this plan's source, place and name. Runs that ended without libvirt are left alone when they cannot
// be finished: their user may have defined the machine by hand.
[[nodiscard]] Earlier earlier_of(const std::vector<RunRecord> &unfinished, const MachinePlan &plan,
                                 const std::string &digest);

}  // namespace ferry::migration
