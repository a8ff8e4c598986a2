// SPDX-License-Identifier: Apache-2.0
// Machines that an earlier run migrated already, and that need not be migrated again.
#pragma once

#include <filesystem>
#include <vector>

#include "migration/migrate.hpp"
#include "migration/run_record.hpp"

namespace ferry::migration {

// Whether one of `runs` migrated this machine to `dest` with its source as it is now, and all that it made is there
// still (with Options::check_earlier sound, too). If so, the machine counts as skipped, with that run, and has no plan
// any more: it was refused for the very names that the run took, or planned anew. Never with Options::overwrite.
[[nodiscard]] bool skip_if_done(Planned &planned, const Options &options, const std::vector<RunRecord> &runs,
                                const std::filesystem::path &dest, const target::Taken &taken);

}  // namespace ferry::migration
