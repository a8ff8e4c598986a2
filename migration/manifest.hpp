// SPDX-License-Identifier: Apache-2.0
// The batch manifest (docs/batch-manifest.md). The one wrapper of yaml-cpp.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "migration/batch.hpp"

namespace ferry::migration {

// One entry for each item of `machines`, with `defaults` under the manifest's own defaults. Sources are not looked
// for yet. Throws Error usage with file, line and key.
[[nodiscard]] std::vector<BatchEntry> manifest_entries(const std::filesystem::path &file, const Options &defaults);

// The SHA-256 of the file, in hex: shards of one batch have one.
[[nodiscard]] std::string manifest_digest(const std::filesystem::path &file);

}  // namespace ferry::migration
