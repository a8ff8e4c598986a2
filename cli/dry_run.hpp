// SPDX-License-Identifier: Apache-2.0
// What `plan` does, and `migrate --dry-run`.
#pragma once

#include <string>
#include <vector>

#include "cli/output.hpp"
#include "migration/options.hpp"

namespace ferry::cli {

// Plans the sources, writes the report and returns the exit code.
int dry_run(const std::vector<std::string> &sources, const migration::Options &options, const OutputOptions &output);

}  // namespace ferry::cli
