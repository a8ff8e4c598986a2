// SPDX-License-Identifier: Apache-2.0
// What `plan` does, and `migrate --dry-run`; and what both and `batch` do with a source that is refused.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/output.hpp"
#include "migration/options.hpp"

namespace ferry::cli {

// Plans the sources, writes the report and returns the exit code.
int dry_run(const std::vector<std::string> &sources, const migration::Options &options, const OutputOptions &output);

// What the command line itself names: no report goes there.
[[nodiscard]] std::vector<std::filesystem::path> named_files(const std::vector<std::string> &sources,
                                                             const migration::Options &options);

// Says why nothing can be done with any of the sources, on stderr and in the report that was asked for. Returns the
// exit code.
int refused_as_whole(const std::vector<std::string> &sources, const Error &error, const OutputOptions &output);

}  // namespace ferry::cli
