// SPDX-License-Identifier: Apache-2.0
// Counts how often each file is opened and how many bytes are read of it, by anything in this process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>

namespace ferry::test {

struct Reads {
  std::uint64_t opens = 0;
  std::uint64_t bytes = 0;  // by read, pread and their kin, and of mappings their whole length
};

// From here on, of files below `folder`; what was counted before is forgotten.
void count_reads(const std::filesystem::path &folder);
[[nodiscard]] std::map<std::filesystem::path, Reads> counted_reads();

}  // namespace ferry::test
