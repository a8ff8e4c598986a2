// SPDX-License-Identifier: Apache-2.0
// Whether the source's machine runs, or something writes to its images: a copy would then be of no moment in time.
#pragma once

#include <vector>

#include "migration/options.hpp"
#include "model/machine.hpp"

namespace ferry::migration {

// Throws Error unsafe when the source is in use, and says by whom; with options.allow_in_use that is a finding. Locks
// whose holder is gone are findings.
[[nodiscard]] std::vector<Finding> refuse_in_use(const Machine &machine, const Options &options);

}  // namespace ferry::migration
