// SPDX-License-Identifier: Apache-2.0
// Host clusters and their reference counts.
//
// One refcount block of 16-bit counts covers a group of cluster_size / 2 clusters. While data come in, each group
// begins with its own block (group 0: header first, then the block), so that a count's place in the file follows
// from the cluster's number. Clusters are mostly given out in order, so only the few groups that are being filled have
// their counts in memory; a block is written, once, when the last of its clusters has its count.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "converters/copy/target_file.hpp"

namespace ferry::qcow2 {

struct ClusterRange {
  std::uint64_t first = 0, count = 0;
};

class Allocator {
 public:
  Allocator(const copy::TargetFile &file, std::uint32_t cluster_size);

  // Gives out up to `wanted` consecutive clusters, at least one. Thread-safe.
  [[nodiscard]] ClusterRange claim(std::uint64_t wanted);
  // Takes back what claim() gave last; what is not the last stays out and becomes a hole that nothing refers to.
  void give_back(const ClusterRange &range);
  // Gives out exactly `count` consecutive clusters (at most cluster_size / 2 - 1); what is left of a group that is
  // too short stays free. Thread-safe.
  [[nodiscard]] std::uint64_t claim_whole(std::uint64_t count);
  // The reference counts of clusters that claim() gave. Each is set once, by whoever claimed it. Thread-safe.
  void set_refcounts(std::uint64_t first, std::span<const std::uint16_t> counts);
  void set_refcount_one(std::uint64_t first, std::uint64_t count);

  // The end: consecutive clusters of any number with one reference each; no claim() after this.
  [[nodiscard]] std::uint64_t claim_tail(std::uint64_t count);
  struct Tables {
    std::uint64_t offset = 0;    // of the refcount table, bytes
    std::uint64_t clusters = 0;  // of the refcount table
    std::uint64_t end = 0;       // of the file, bytes
  };
  // Places what is missing of refcount blocks and the refcount table, and writes them. Throws unsupported when
  // the file is beyond QEMU's limit.
  Tables finish();

 private:
  // The counts of a group that is being filled.
  struct Block {
    std::vector<std::uint8_t> raw;  // as they lie in the file
    std::uint64_t settled = 0;      // clusters that have their count, or never get one
  };
  void begin_group();  // steps over the group's refcount block where a group begins; under guard_
  [[nodiscard]] std::uint64_t block_cluster(std::uint64_t group) const;
  [[nodiscard]] bool has_block_in_place(std::uint64_t group) const;
  Block &block(std::uint64_t group);
  void settle(std::uint64_t group, std::uint64_t clusters);
  void write_block(std::uint64_t group, const Block &block) const;

  const copy::TargetFile &file_;
  const std::uint64_t cluster_size_;
  const std::uint64_t group_;  // clusters that one refcount block covers
  std::mutex guard_;
  std::uint64_t next_ = 2;  // cluster 0 is the header, 1 the first refcount block
  // Set by the first claim_tail(): groups from here on have their blocks in `tail_blocks_`.
  std::uint64_t in_place_groups_ = 0;
  std::vector<ClusterRange> tail_;
  std::vector<std::uint64_t> tail_blocks_;
  std::mutex blocks_guard_;
  std::map<std::uint64_t, Block> blocks_;  // by group
};

}  // namespace ferry::qcow2
