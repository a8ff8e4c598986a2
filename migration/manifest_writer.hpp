// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "exporters/report/report.hpp"

namespace ferry::migration {

// A manifest (docs/batch-manifest.md) of the machines of a plan: each with its source, the name that the plan gave it,
// and how much data it has. Those that were refused stand in comments. Throws Error missing when there are no others.
[[nodiscard]] std::string manifest_of(const report::Document &document, const std::filesystem::path &manifest);

}  // namespace ferry::migration
