// SPDX-License-Identifier: Apache-2.0
// Writes a fresh qcow2 in one pass, from many threads: each cluster is given out once, tables and reference
// counts are written as the clusters are, and finish() puts the header on top.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "converters/compression.hpp"
#include "converters/copy/sink.hpp"
#include "converters/copy/target_file.hpp"
#include "converters/qcow2/allocator.hpp"

namespace ferry::qcow2 {

using disk::Compression;

struct Snapshot {
  std::string name;
  std::int64_t created = 0;        // seconds since 1970
  std::uint64_t virtual_size = 0;  // bytes
};

struct Backing {
  std::string file;    // as QEMU is to open it: an absolute path
  std::string format;  // QEMU's driver name
};

struct Layout {
  std::uint32_t cluster_size = 65536;  // bytes, a power of two from 4096 to 2 MiB
  Compression compression = Compression::none;
  std::uint64_t virtual_size = 0;    // of the current state; bytes, rounded up to 512
  std::vector<Snapshot> snapshots;   // states 0 .. n-1 of the sink; state n is the current one
  std::optional<Backing> backing{};  // what is not stored is read from there; no snapshots then
};

// Lanes may be used at the same time; finish() comes after all of them.
class Writer final : public copy::Sink {
 public:
  // Throws unsupported when the layout is beyond what QEMU opens (disk too large for its cluster size, too many
  // snapshots), usage for a cluster size that qcow2 does not have.
  Writer(const copy::TargetFile &file, Layout layout);

  [[nodiscard]] std::uint32_t unit() const override { return layout_.cluster_size; }
  [[nodiscard]] std::uint32_t clone_alignment() const override;
  [[nodiscard]] std::unique_ptr<copy::Lane> lane() override;
  [[nodiscard]] Placed clone_ahead(int fd, std::uint64_t offset, std::uint64_t units) override;

  // Units of the current state from `first` on read as zeros, whatever a backing file holds. For units that no lane
  // gets, and not beside lanes.
  void zero(std::uint64_t first, std::uint64_t count);

  // Writes L1 tables, snapshot table, refcount table and header. Returns the file's size in bytes.
  std::uint64_t finish();

  // For lanes. Clusters are numbered in the file.
  [[nodiscard]] const copy::TargetFile &file() const { return file_; }
  [[nodiscard]] const Layout &layout() const { return layout_; }
  [[nodiscard]] Allocator &allocator() { return allocator_; }
  [[nodiscard]] bool is_active(std::uint32_t state) const { return state == layout_.snapshots.size(); }
  // Puts `entries` (big-endian) at guest units from `first_unit` into the state's L2 tables.
  void write_l2(std::uint32_t state, std::uint64_t first_unit, std::span<const std::uint64_t> entries);

 private:
  [[nodiscard]] std::uint64_t l2_table(std::uint32_t state, std::uint64_t index);
  [[nodiscard]] std::uint64_t write_l1(std::uint32_t state);
  [[nodiscard]] std::vector<std::uint8_t> snapshot_table(const std::vector<std::uint64_t> &l1_offsets) const;
  [[nodiscard]] std::vector<std::uint8_t> header(std::uint64_t l1_offset, std::uint64_t snapshots_offset,
                                                 const Allocator::Tables &tables) const;

  const copy::TargetFile &file_;
  Layout layout_;
  Allocator allocator_;
  std::mutex l1_guard_;
  std::vector<std::vector<std::uint64_t>> l1_;  // per state: host offsets of its L2 tables, 0 where there is none
};

}  // namespace ferry::qcow2
