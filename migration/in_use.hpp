// SPDX-License-Identifier: Apache-2.0
// Whether the source's machine runs, or something writes to its images: a copy would then be of no moment in time.
#pragma once

#include <filesystem>
#include <set>
#include <vector>

#include "migration/options.hpp"
#include "migration/reader.hpp"
#include "model/machine.hpp"

namespace ferry::migration {

// Throws Error unsafe when the source is in use, and says by whom; with options.allow_in_use that is a finding. Locks
// whose holder is gone are findings. `parts`: files that its images consist of, where a descriptor names them.
// `reader`: of the source.
[[nodiscard]] std::vector<Finding> refuse_in_use(const Machine &machine, const Options &options, Reader &reader,
                                                 const std::set<std::filesystem::path> &parts = {});

}  // namespace ferry::migration
