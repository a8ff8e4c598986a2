// SPDX-License-Identifier: Apache-2.0
// The batch manifest (docs/batch-manifest.md). The one wrapper of yaml-cpp.
#pragma once

#include <filesystem>
#include <vector>

#include "migration/batch.hpp"

namespace ferry::migration {

// One entry for each item of `machines`, with `defaults` under the manifest's own defaults. Sources are not looked
// for yet. Throws Error usage with file, line and key.
[[nodiscard]] std::vector<BatchEntry> manifest_entries(const std::filesystem::path &file, const Options &defaults);

}  // namespace ferry::migration
