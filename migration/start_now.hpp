// SPDX-License-Identifier: Apache-2.0
// --start-now: a machine that runs at once from its untouched source, and is copied behind it.
#pragma once

#include <vector>

#include "migration/options.hpp"
#include "migration/plan.hpp"
#include "migration/reader.hpp"
#include "migration/run_record.hpp"

namespace ferry::migration {

// The options as they hold for this machine: overlays, and the current state alone; an ordinary copy where its
// snapshots are to be kept. Throws usage for options that contradict --start-now. Without it, the options as they are.
[[nodiscard]] Options with_start_now(const Options &options, const Machine &machine, std::vector<Finding> &findings);

// Those of the plan's disks that QEMU does not read by itself, under the names by which their overlays ask for them.
[[nodiscard]] std::vector<DiskToServe> disks_to_serve(const MachinePlan &plan);
// What is to be copied behind a machine that was planned so. `options`: those that its source was read with.
[[nodiscard]] PullRecord pull_of(const MachinePlan &plan, const Options &options);

}  // namespace ferry::migration
