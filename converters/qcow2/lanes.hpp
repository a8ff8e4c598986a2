// SPDX-License-Identifier: Apache-2.0
// One thread's way into a qcow2: clusters as they are, or compressed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "converters/copy/sink.hpp"
#include "converters/qcow2/compressor.hpp"
#include "converters/qcow2/writer.hpp"

namespace ferry::qcow2 {

// L2 entries that wait to be written: a window's worth goes into the file at once, instead of a few with each batch.
class L2Entries {
 public:
  explicit L2Entries(Writer &writer) : writer_(writer) {}
  // `entry` as qcow2 defines it, in the host's byte order.
  void add(std::uint32_t state, std::uint64_t unit, std::uint64_t entry);
  void write();

 private:
  struct Entry {
    std::uint32_t state = 0;
    std::uint64_t unit = 0;
    std::uint64_t on_disk = 0;
  };
  Writer &writer_;
  std::vector<Entry> waiting_;
  std::vector<std::uint64_t> run_;  // working space of write()
};

class PlainLane final : public copy::Lane {
 public:
  explicit PlainLane(Writer &writer) : writer_(writer), entries_(writer) {}
  void store(const copy::Batch &batch) override;
  std::uint64_t clone(const copy::CloneRun &run) override;
  void flush() override { entries_.write(); }

 private:
  // The run's units from number `done` on are in `range`.
  void refer(const copy::CloneRun &run, std::uint64_t done, const ClusterRange &range);

  Writer &writer_;
  std::vector<std::uint64_t> host_;  // per piece: its cluster
  std::vector<std::uint16_t> refcounts_;
  std::vector<iovec> vectors_;
  L2Entries entries_;
};

// Packs compressed clusters one behind the other, regardless of cluster boundaries, into an arena that becomes
// a run of host clusters when it is full. Several pieces share a host cluster: its reference count is the number
// of L2 entries that name any of them. What does not shrink is stored as it is.
class CompressedLane final : public copy::Lane {
 public:
  explicit CompressedLane(Writer &writer);
  void store(const copy::Batch &batch) override;
  std::uint64_t clone(const copy::CloneRun &run) override;
  void flush() override;

 private:
  struct Packed {
    std::uint64_t offset = 0;  // in the arena, bytes
    std::uint64_t length = 0;  // bytes
  };
  struct Pending {
    std::uint32_t state = 0;
    Packed packed;
    std::uint64_t unit = 0;
  };
  [[nodiscard]] bool pack(const std::uint8_t *piece, std::span<const copy::Placement> placements);
  void reserve(std::uint64_t length, std::uint32_t references);
  void write_arena();
  [[nodiscard]] std::uint64_t entry(const Packed &packed, std::uint64_t host) const;

  Writer &writer_;
  PlainLane plain_;
  const std::uint64_t cluster_;
  std::unique_ptr<Compressor> compressor_;
  std::vector<std::uint8_t> scratch_;
  std::vector<std::uint8_t> arena_;
  std::uint64_t used_ = 0;                // bytes of the arena
  std::vector<std::uint16_t> refcounts_;  // per cluster of the arena
  std::vector<Pending> pending_;
  // Working space of store().
  std::vector<copy::Placement> by_piece_, plain_placements_;
  std::vector<const std::uint8_t *> plain_pieces_;
  L2Entries entries_;
};

}  // namespace ferry::qcow2
