// SPDX-License-Identifier: Apache-2.0
// Real machines and disks that are not in the repository. Tests that want them are skipped without.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <unistd.h>

#include "tests/paths.hpp"

namespace ferry::test {

// $FERRY_CORPUS, or ../shared/corpus beside the repository; empty when there is none that this user may read.
[[nodiscard]] inline std::filesystem::path corpus() {
  const char *given = std::getenv("FERRY_CORPUS");
  const std::filesystem::path folder = given != nullptr
                                           ? std::filesystem::path(given)
                                           : std::filesystem::path(FERRY_SOURCE_DIR) / ".." / "shared" / "corpus";
  if (access((folder / "real").c_str(), R_OK | X_OK) != 0) return {};
  return std::filesystem::canonical(folder);
}

}  // namespace ferry::test
