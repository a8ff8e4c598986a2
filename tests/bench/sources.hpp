// SPDX-License-Identifier: Apache-2.0
// The disks that benchmarks convert: content like a file system's, the same in every run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace ferry::bench {

constexpr std::uint64_t kMib = 1U << 20U, kGib = 1U << 30U;

// 1 MiB of content number `seed`: text, tables of numbers, machine code-like bytes, already compressed data, and
// pieces of zeros, in runs of 4 to 256 KiB as files lie on a disk.
[[nodiscard]] std::vector<std::uint8_t> mixed_block(std::uint64_t seed);

// A dynamic VDI of `virtual_size` with `data` bytes of mixed content, spread in stretches of 64 MiB.
void make_vdi(const std::filesystem::path &path, std::uint64_t virtual_size, std::uint64_t data);

// A base and `snapshots` differencing VDIs, PATH-0.vdi ..., which together hold `data` bytes.
[[nodiscard]] std::vector<std::filesystem::path> make_chain(const std::filesystem::path &folder,
                                                            std::uint64_t virtual_size, std::uint64_t data,
                                                            unsigned snapshots);

}  // namespace ferry::bench
