// SPDX-License-Identifier: Apache-2.0
#include "converters/qcow2/allocator.hpp"

#include <algorithm>
#include <string>

#include "converters/qcow2/format.hpp"

#include "support/error.hpp"

namespace ferry::qcow2 {

Allocator::Allocator(const copy::TargetFile &file, std::uint32_t cluster_size)
    : file_(file), cluster_size_(cluster_size), group_(cluster_size / sizeof(std::uint16_t)) {}

void Allocator::begin_group() {
  if (next_ % group_ != 0) return;
  const std::lock_guard lock(blocks_guard_);
  block(next_ / group_);  // its own count is in it, also when no other cluster of the group gets one
  ++next_;
}

ClusterRange Allocator::claim(std::uint64_t wanted) {
  const std::lock_guard lock(guard_);
  begin_group();
  const ClusterRange out{.first = next_, .count = std::min(wanted, group_ - next_ % group_)};
  next_ += out.count;
  return out;
}

void Allocator::give_back(const ClusterRange &range) {
  const std::lock_guard lock(guard_);
  if (next_ == range.first + range.count) next_ = range.first;
}

std::uint64_t Allocator::claim_whole(std::uint64_t count) {
  const std::lock_guard lock(guard_);
  if (next_ % group_ != 0 && group_ - next_ % group_ < count) {
    const std::uint64_t unused = group_ - next_ % group_;
    const std::lock_guard blocks_lock(blocks_guard_);
    settle(next_ / group_, unused);
    next_ += unused;
  }
  begin_group();
  const std::uint64_t first = next_;
  next_ += count;
  return first;
}

bool Allocator::has_block_in_place(std::uint64_t group) const {
  return in_place_groups_ == 0 || group < in_place_groups_;
}

std::uint64_t Allocator::block_cluster(std::uint64_t group) const {
  if (group == 0) return 1;
  if (has_block_in_place(group)) return group * group_;
  return tail_blocks_.at(group - in_place_groups_);
}

Allocator::Block &Allocator::block(std::uint64_t group) {
  const auto [found, fresh] = blocks_.try_emplace(group);
  Block &block = found->second;
  if (fresh) {
    block.raw.resize(cluster_size_);
    // What stands at the group's start has one reference: the header, the block itself.
    const std::uint64_t own = group == 0 ? 2 : has_block_in_place(group) ? 1 : 0;
    for (std::uint64_t i = 0; i < own; ++i) put(block.raw.data() + i * sizeof(std::uint16_t), std::uint16_t{1});
    block.settled = own;
  }
  return block;
}

void Allocator::write_block(std::uint64_t group, const Block &block) const {
  file_.write(block_cluster(group) * cluster_size_, block.raw.data(), block.raw.size());
}

void Allocator::settle(std::uint64_t group, std::uint64_t clusters) {
  Block &filled = block(group);
  filled.settled += clusters;
  if (filled.settled < group_) return;
  // Blocks of the tail have no place before finish().
  if (!has_block_in_place(group)) return;
  write_block(group, filled);
  blocks_.erase(group);
}

void Allocator::set_refcounts(std::uint64_t first, std::span<const std::uint16_t> counts) {
  const std::lock_guard lock(blocks_guard_);
  while (!counts.empty()) {
    const std::uint64_t group = first / group_;
    const std::uint64_t count = std::min<std::uint64_t>(counts.size(), group_ - first % group_);
    std::uint8_t *into = block(group).raw.data() + first % group_ * sizeof(std::uint16_t);
    for (std::size_t i = 0; i < count; ++i) put(into + i * sizeof(std::uint16_t), counts[i]);
    settle(group, count);
    first += count;
    counts = counts.subspan(count);
  }
}

void Allocator::set_refcount_one(std::uint64_t first, std::uint64_t count) {
  const std::vector<std::uint16_t> ones(std::min<std::uint64_t>(count, 65536), 1);
  while (count > 0) {
    const std::uint64_t part = std::min<std::uint64_t>(count, ones.size());
    set_refcounts(first, std::span(ones).first(part));
    first += part;
    count -= part;
  }
}

std::uint64_t Allocator::claim_tail(std::uint64_t count) {
  if (in_place_groups_ == 0) in_place_groups_ = (next_ - 1) / group_ + 1;
  const std::uint64_t first = next_;
  next_ += count;
  tail_.push_back({.first = first, .count = count});
  return first;
}

Allocator::Tables Allocator::finish() {
  const std::uint64_t before = claim_tail(0);
  // Blocks and table cover themselves too: grow until they fit.
  std::uint64_t blocks = 0, table = 0;
  for (;;) {
    const std::uint64_t groups = (before + blocks + table + group_ - 1) / group_;
    const std::uint64_t table_needed = (groups * sizeof(std::uint64_t) + cluster_size_ - 1) / cluster_size_;
    const std::uint64_t blocks_needed = groups > in_place_groups_ ? groups - in_place_groups_ : 0;
    if (blocks_needed == blocks && table_needed == table) break;
    blocks = blocks_needed;
    table = table_needed;
  }
  if (table * cluster_size_ > kMaxRefcountTableBytes && table > 1) {
    throw Error(ErrorKind::unsupported, {.where = {.file = file_.final_path()},
                                         .message = "the image is too large for its cluster size",
                                         .found = std::to_string(before * cluster_size_) + " bytes in clusters of " +
                                                  std::to_string(cluster_size_),
                                         .advice = "Choose a larger --cluster-size."});
  }
  const std::uint64_t first_block = claim_tail(blocks), first_table = claim_tail(table);
  for (std::uint64_t i = 0; i < blocks; ++i) tail_blocks_.push_back(first_block + i);

  const Tables out{.offset = first_table * cluster_size_, .clusters = table, .end = next_ * cluster_size_};
  file_.resize(out.end);  // what is not written of the last clusters reads as zeros
  for (const ClusterRange &range : tail_) set_refcount_one(range.first, range.count);
  for (const auto &[group, left] : blocks_) write_block(group, left);
  blocks_.clear();

  std::vector<std::uint8_t> entries((in_place_groups_ + blocks) * sizeof(std::uint64_t));
  for (std::uint64_t group = 0; group < in_place_groups_ + blocks; ++group) {
    put(entries.data() + group * sizeof(std::uint64_t), block_cluster(group) * cluster_size_);
  }
  file_.write(out.offset, entries.data(), entries.size());
  return out;
}

}  // namespace ferry::qcow2
