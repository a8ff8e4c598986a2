// SPDX-License-Identifier: Apache-2.0
// The text descriptor of a VMDK: what it says, not yet what it means.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/error.hpp"

namespace ferry::image {

struct VmdkExtentLine {
  enum class Access { read_write, read_only, none };
  Access access = Access::read_write;
  std::uint64_t sectors = 0;
  std::string type;          // upper case: FLAT, SPARSE, ZERO, VMFS, VMFSSPARSE, SESPARSE, ...
  std::string name;          // UTF-8; empty for ZERO
  std::string raw_name;      // as the bytes stand there
  std::uint64_t offset = 0;  // sectors in the named file
  std::uint64_t line = 0;    // in the descriptor, from 1
};

struct VmdkDescriptor {
  std::string create_type;
  std::uint32_t cid = 0xffffffff;
  std::uint32_t parent_cid = 0xffffffff;  // all ones: no parent by content id
  std::string parent_hint;                // UTF-8
  std::vector<VmdkExtentLine> extents;
  std::map<std::string, std::string> database;  // "ddb." keys in lower case, without quotes
  [[nodiscard]] std::uint64_t sectors() const;  // of all extents; their sum is checked when parsing
};

// The longest descriptor that is read, in bytes: 31 thousand extents of 2 GiB (62 TiB) make 1.5 MiB.
inline constexpr std::uint64_t kLongestDescriptor = std::uint64_t{4} << 20U;

// True when `start`, the first bytes of a file, begin a descriptor.
[[nodiscard]] bool is_descriptor(std::string_view start);

// Parses descriptor text. `place` is the file it is in. Throws malformed with the line.
[[nodiscard]] VmdkDescriptor parse_descriptor(std::string_view text, const Place &place);

}  // namespace ferry::image
