// SPDX-License-Identifier: Apache-2.0
// What is looked at on this host before any work is begun, so that a plan already says what would stop it.
#pragma once

#include <filesystem>
#include <set>

#include "migration/options.hpp"
#include "migration/plan.hpp"

namespace ferry::migration {

// Throws Error usage (the destination's name is not UTF-8), conflict (a target exists; with --overwrite: what
// refuse_targets_of_others() refuses), no_space, io (the destination cannot be written). Targets in `leftovers` will
// be gone by then.
void preflight(const MachinePlan &plan, const Options &options, const std::set<std::filesystem::path> &leftovers = {});

}  // namespace ferry::migration
