// SPDX-License-Identifier: Apache-2.0
// Writes small disk images of every format, as tests need them: blocks in any order, absent, zeroed, partly
// written; chains; and what a guest must read from them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/kit/files.hpp"

#include "support/identity.hpp"

namespace ferry::test {

// What one image says of one of its blocks. partial: its even sectors are here, its odd ones are not.
enum class Block { absent, zero, data, partial };

struct Layer {
  std::uint64_t size = 0;        // bytes
  std::uint64_t block_size = 0;  // bytes
  std::vector<Block> blocks;     // one per block_size of size, rounded up
  unsigned tag = 1;              // gives every layer data of its own
  // Order in which data blocks lie in the file: positions are taken in this order of block numbers. Empty: in order.
  std::vector<std::size_t> order;
};

// The byte that layer `tag` stores at guest offset `offset`; never 0.
[[nodiscard]] std::uint8_t byte_at(unsigned tag, std::uint64_t offset);
// What a guest reads from the layers laid over each other, base first; the size is the last one's.
[[nodiscard]] Bytes expected_content(const std::vector<Layer> &layers);
// Bytes of a layer that are data.
[[nodiscard]] std::uint64_t stored_bytes(const Layer &layer, bool whole_partial_blocks);

struct Identity {
  Uuid id{}, modification{}, parent{}, parent_modification{};
  std::uint32_t cid = 0x12345678, parent_cid = 0xffffffff;
  std::uint32_t time_stamp = 1000, parent_time_stamp = 0;
  std::string parent_name;
  std::string vhd_creator = "vbox";
  [[nodiscard]] bool has_parent() const { return !parent.is_nil() || parent_cid != 0xffffffff; }
};
// A UUID made from a number.
[[nodiscard]] Uuid uuid_of(unsigned number);

struct VdiOptions {
  std::uint32_t version = 0x00010001;
  std::uint32_t type = 0;   // 0: by the identity, 1 or 4
  std::uint32_t extra = 0;  // bytes before each block's data
  bool cut_tail = false;    // the last block is stored only as far as the disk reaches
};
[[nodiscard]] Bytes make_vdi(const Layer &layer, const Identity &identity = {}, const VdiOptions &options = {});

struct SparseOptions {
  std::string descriptor;       // embedded; empty: none
  bool compressed = false;      // with markers, as streamOptimized
  bool footer = false;          // grain directory's offset in a footer
  bool redundant = false;       // a second grain directory and tables
  bool cut_last_grain = false;  // compressed: the last grain holds only what the capacity needs
  std::uint32_t entries_per_table = 512;
};
[[nodiscard]] Bytes make_hosted_sparse(const Layer &layer, const SparseOptions &options);
[[nodiscard]] Bytes make_cowd(const Layer &layer);
[[nodiscard]] Bytes make_sesparse(const Layer &layer);  // block_size must be 4096

// Descriptor text with `extents` as its extent lines.
[[nodiscard]] std::string vmdk_descriptor(const std::string &create_type, const std::string &extents,
                                          const Identity &identity = {}, bool virtualbox = false);

[[nodiscard]] Bytes make_vhd(const Layer &layer, const Identity &identity = {});  // dynamic or differencing
[[nodiscard]] Bytes make_fixed_vhd(const Bytes &content, const Identity &identity = {});

struct VhdxOptions {
  std::string parent_linkage_key = "parent_linkage";
  // The BAT's first 4 KiB and a stretch of zeros stand in the log only, in two entries that wrap around its end.
  bool dirty_log = false;
};
[[nodiscard]] Bytes make_vhdx(const Layer &layer, const Identity &identity = {}, const VhdxOptions &options = {});

// gzip'd, in members of `member` plain bytes each.
[[nodiscard]] Bytes make_gzip(const Bytes &plain, std::size_t member);

}  // namespace ferry::test
