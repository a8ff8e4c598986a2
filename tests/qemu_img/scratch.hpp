// SPDX-License-Identifier: Apache-2.0
// A folder of a test's own, and programs in it.
#pragma once

#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

#include "tests/kit/folder.hpp"

namespace ferry::test {

class Scratch : public TempFolder {
 public:
  // A program that sh runs.
  std::string program(std::string_view name, std::string_view script) const {
    const auto file = write(name, "#!/bin/sh\n" + std::string(script) + "\n");
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file.string();
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto &entry : std::filesystem::directory_iterator(path()))
      out.push_back(entry.path().filename().string());
    return out;
  }
};

}  // namespace ferry::test
