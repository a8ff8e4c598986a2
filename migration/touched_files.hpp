// SPDX-License-Identifier: Apache-2.0
// The files that a migration reads or makes: where a report must never be written.
#pragma once

#include <filesystem>
#include <vector>

#include "migration/options.hpp"
#include "migration/plan.hpp"
#include "model/machine.hpp"

namespace ferry::migration {

// What the machine consists of: its settings and what belongs to them, the images of all its states, CDs, firmware and
// saved states; also what this host's VirtualBox knows its machines by, and the recorded profile that `options` name.
[[nodiscard]] std::vector<std::filesystem::path> input_files(const Machine &machine, const Options &options);

// The images with their parents and extents as they were found, and all that the plan makes.
[[nodiscard]] std::vector<std::filesystem::path> planned_files(const MachinePlan &plan);

}  // namespace ferry::migration
