// SPDX-License-Identifier: Apache-2.0
// What the writers of all formats share: a layer's blocks in the order in which they are stored, and their bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/kit/byte_writer.hpp"
#include "tests/kit/disk_images.hpp"

namespace ferry::test {

constexpr std::uint64_t kSector = 512;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

// Whether the layer has data of its own in the sector at `offset`.
[[nodiscard]] bool here(const Layer &layer, std::uint64_t offset);
// The numbers of the blocks that have data, in the order in which they are stored.
[[nodiscard]] std::vector<std::size_t> storage_order(const Layer &layer);
// A block's bytes; beyond the disk's end rubbish, which no guest may see.
[[nodiscard]] Bytes block_bytes(const Layer &layer, std::size_t block);
// Writes `data` at `at`; `bytes` grows as it must.
void put_at(Bytes &bytes, std::uint64_t at, const Bytes &data);

}  // namespace ferry::test
