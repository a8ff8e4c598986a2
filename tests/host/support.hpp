// SPDX-License-Identifier: Apache-2.0
// What was recorded from hosts, and folders for what a test writes.
#pragma once

#include <filesystem>
#include <string>

#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

namespace ferry::libvirt::testing {

using ferry::test::read_text;

inline std::string recorded(const std::string &name) {
  return read_text(std::filesystem::path(FERRY_SOURCE_DIR) / "tests" / "host" / "data" / name);
}

using Folder = ferry::test::TempFolder;

}  // namespace ferry::libvirt::testing
