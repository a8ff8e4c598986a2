// SPDX-License-Identifier: Apache-2.0
// Small files that only their owner may read: variable stores and TPM states hold secrets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "model/medium.hpp"

namespace ferry::firmware {

// Reads a part of a file, at most `limit` bytes. Throws Error io, missing, and malformed when it is longer.
[[nodiscard]] std::vector<std::uint8_t> read_range(const FileRange &range, std::uint64_t limit);

// Writes a new file with mode 0600 under a temporary name beside it, flushes it to the disk and gives it its name.
// Throws Error conflict when `target` exists, io otherwise; in both cases nothing is left behind.
void publish_private(const std::filesystem::path &target, std::span<const std::uint8_t> bytes);

}  // namespace ferry::firmware
