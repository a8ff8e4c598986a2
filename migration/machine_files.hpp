// SPDX-License-Identifier: Apache-2.0
// Which files a machine of the target stands on: those that its definition names, and those that its images name in
// turn. Of a machine that is off, a definition has the topmost image of a chain only.
#pragma once

#include <filesystem>
#include <set>

#include "exporters/target.hpp"

namespace ferry::migration {

class MachineFiles {
 public:
  explicit MachineFiles(const target::MachineFacts &machine);
  // Under whatever path: a symbolic or a hard link is the same file.
  [[nodiscard]] bool contains(const std::filesystem::path &file) const;

 private:
  std::set<std::filesystem::path> files_;
};

}  // namespace ferry::migration
