// SPDX-License-Identifier: Apache-2.0
// What a plan makes on the disk, by its parts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "migration/plan.hpp"

namespace ferry::migration {

// The variable stores of all states.
[[nodiscard]] std::vector<const FirmwarePlan *> stores(const MachinePlan &plan);

// All that a run makes, in the order in which it is made.
[[nodiscard]] std::vector<std::filesystem::path> files_of(const MachinePlan &plan);

// Bytes that a run needs at most; parts whose size cannot be read count as nothing.
[[nodiscard]] std::uint64_t space_of(const MachinePlan &plan);

}  // namespace ferry::migration
