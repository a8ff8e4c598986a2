// SPDX-License-Identifier: Apache-2.0
#include "converters/qcow2/lanes.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "converters/copy/clone.hpp"
#include "converters/qcow2/format.hpp"

#include "support/error.hpp"

namespace ferry::qcow2 {

namespace {

constexpr std::size_t kMostWaiting = 32768;  // L2 entries: 768 KiB for each thread

// An L2 entry as it lies in the file.
std::uint64_t on_disk(std::uint64_t entry) {
  std::uint64_t out = 0;
  put(reinterpret_cast<std::uint8_t *>(&out), entry);
  return out;
}

}  // namespace

void L2Entries::add(std::uint32_t state, std::uint64_t unit, std::uint64_t entry) {
  if (waiting_.size() == kMostWaiting) write();
  waiting_.push_back({.state = state, .unit = unit, .on_disk = on_disk(entry)});
}

void L2Entries::write() {
  const auto before = [](const Entry &a, const Entry &b) {
    return a.state != b.state ? a.state < b.state : a.unit < b.unit;
  };
  if (!std::ranges::is_sorted(waiting_, before)) std::ranges::sort(waiting_, before);
  for (std::size_t first = 0; first < waiting_.size(); first += run_.size()) {
    run_.clear();
    while (first + run_.size() < waiting_.size()) {
      const Entry &next = waiting_[first + run_.size()];
      if (next.state != waiting_[first].state || next.unit != waiting_[first].unit + run_.size()) break;
      run_.push_back(next.on_disk);
    }
    writer_.write_l2(waiting_[first].state, waiting_[first].unit, run_);
  }
  waiting_.clear();
}

// ---- plain ----

void PlainLane::store(const copy::Batch &batch) {
  const std::uint64_t cluster = writer_.layout().cluster_size;
  const std::size_t total = batch.pieces.size();
  refcounts_.assign(total, 0);
  for (const copy::Placement &placement : batch.placements) ++refcounts_[placement.piece];
  host_.clear();
  while (host_.size() < total) {
    const std::size_t done = host_.size();
    const ClusterRange range = writer_.allocator().claim(total - done);
    vectors_.clear();
    for (std::uint64_t i = 0; i < range.count; ++i) {
      auto *piece = const_cast<std::uint8_t *>(batch.pieces[done + i]);
      host_.push_back((range.first + i) * cluster);
      // Pieces that lie one behind the other in memory go as one vector.
      if (!vectors_.empty() &&
          static_cast<std::uint8_t *>(vectors_.back().iov_base) + vectors_.back().iov_len == piece) {
        vectors_.back().iov_len += cluster;
      } else {
        vectors_.push_back({.iov_base = piece, .iov_len = cluster});
      }
    }
    writer_.file().write(range.first * cluster, vectors_);
    writer_.allocator().set_refcounts(range.first, std::span(refcounts_).subspan(done, range.count));
  }
  for (const copy::Placement &placement : batch.placements) {
    const bool copied = writer_.is_active(placement.state) && refcounts_[placement.piece] == 1;
    entries_.add(placement.state, placement.unit, host_[placement.piece] | (copied ? kEntryCopied : 0));
  }
}

std::uint64_t PlainLane::clone(const copy::CloneRun &run) {
  const std::uint64_t cluster = writer_.layout().cluster_size;
  if (run.placed) {
    refer(run, 0, {.first = *run.placed / cluster, .count = run.count});
    return run.count * cluster;
  }
  std::uint64_t cloned = 0;
  for (std::uint64_t done = 0; done < run.count;) {
    const ClusterRange range = writer_.allocator().claim(run.count - done);
    const std::uint64_t from = run.offset + done * cluster, to = range.first * cluster, bytes = range.count * cluster;
    if (copy::clone_range(run.fd, from, writer_.file().fd(), to, bytes)) {
      cloned += bytes;
    } else {
      copy::copy_range(run.fd, from, writer_.file().fd(), to, bytes);
    }
    refer(run, done, range);
    done += range.count;
  }
  return cloned;
}

void PlainLane::refer(const copy::CloneRun &run, std::uint64_t done, const ClusterRange &range) {
  const std::uint64_t cluster = writer_.layout().cluster_size;
  refcounts_.assign(range.count, static_cast<std::uint16_t>(run.states.size()));
  writer_.allocator().set_refcounts(range.first, refcounts_);
  for (const std::uint32_t state : run.states) {
    const bool copied = writer_.is_active(state) && run.states.size() == 1;
    for (std::uint64_t i = 0; i < range.count; ++i) {
      entries_.add(state, run.first_unit + done + i, (range.first + i) * cluster | (copied ? kEntryCopied : 0));
    }
  }
}

// ---- compressed ----

CompressedLane::CompressedLane(Writer &writer)
    : writer_(writer),
      plain_(writer),
      cluster_(writer.layout().cluster_size),
      compressor_(make_compressor(writer.layout().compression)),
      scratch_(cluster_ - 1),  // what does not fit in less than a cluster is not worth it
      arena_(std::max(std::clamp<std::uint64_t>(16 * cluster_, 256U << 10U, 1U << 20U), 2 * cluster_)),
      refcounts_(arena_.size() / cluster_),
      entries_(writer) {}

void CompressedLane::store(const copy::Batch &batch) {
  by_piece_.assign(batch.placements.begin(), batch.placements.end());
  std::ranges::stable_sort(by_piece_, {}, &copy::Placement::piece);
  plain_pieces_.clear();
  plain_placements_.clear();
  const std::span<const copy::Placement> all = by_piece_;
  for (std::size_t first = 0; first < all.size();) {
    std::size_t count = 1;
    while (first + count < all.size() && all[first + count].piece == all[first].piece) ++count;
    const std::span<const copy::Placement> placements = all.subspan(first, count);
    const std::uint8_t *piece = batch.pieces[all[first].piece];
    if (!pack(piece, placements)) {
      for (copy::Placement placement : placements) {
        placement.piece = static_cast<std::uint32_t>(plain_pieces_.size());
        plain_placements_.push_back(placement);
      }
      plain_pieces_.push_back(piece);
    }
    first += count;
  }
  if (plain_pieces_.empty()) return;
  std::ranges::sort(plain_placements_, [](const copy::Placement &a, const copy::Placement &b) {
    return a.state != b.state ? a.state < b.state : a.unit < b.unit;
  });
  plain_.store({.pieces = plain_pieces_, .placements = plain_placements_});
}

bool CompressedLane::pack(const std::uint8_t *piece, std::span<const copy::Placement> placements) {
  const std::size_t length = compressor_->compress({piece, cluster_}, scratch_);
  if (length == 0) return false;
  reserve(length, static_cast<std::uint32_t>(placements.size()));
  std::memcpy(arena_.data() + used_, scratch_.data(), length);
  for (const copy::Placement &placement : placements) {
    pending_.push_back({.state = placement.state, .packed = {used_, length}, .unit = placement.unit});
  }
  used_ += length;
  return true;
}

// Makes room for `length` bytes at used_ and counts their references.
void CompressedLane::reserve(std::uint64_t length, std::uint32_t references) {
  if (used_ % cluster_ != 0 && refcounts_[used_ / cluster_] + references > kMaxRefcount) {
    used_ = (used_ / cluster_ + 1) * cluster_;  // tiny pieces in many states: this cluster's count is full
  }
  if (used_ + length > arena_.size()) write_arena();
  for (std::uint64_t i = used_ / cluster_; i <= (used_ + length - 1) / cluster_; ++i) {
    refcounts_[i] = static_cast<std::uint16_t>(refcounts_[i] + references);
  }
}

std::uint64_t CompressedLane::entry(const Packed &packed, std::uint64_t host) const {
  // Bits 0 .. x-1 hold the offset in bytes, bits x .. 61 how many 512-byte sectors follow the first.
  const auto x = static_cast<unsigned>(62 - (std::countr_zero(cluster_) - 8));
  const std::uint64_t begin = host + packed.offset;
  const std::uint64_t sectors = (begin + packed.length - 1) / 512 - begin / 512;
  return kEntryCompressed | sectors << x | begin;
}

void CompressedLane::write_arena() {
  if (used_ == 0) return;
  const std::uint64_t clusters = (used_ + cluster_ - 1) / cluster_;
  const std::uint64_t first = writer_.allocator().claim_whole(clusters);
  const std::uint64_t host = first * cluster_;
  iovec whole{.iov_base = arena_.data(), .iov_len = used_};
  writer_.file().write(host, std::span(&whole, 1));
  writer_.allocator().set_refcounts(first, std::span(refcounts_).first(clusters));
  for (const Pending &piece : pending_) entries_.add(piece.state, piece.unit, entry(piece.packed, host));
  pending_.clear();
  std::ranges::fill(refcounts_, std::uint16_t{0});
  used_ = 0;
}

void CompressedLane::flush() {
  write_arena();
  entries_.write();
  plain_.flush();
}

std::uint64_t CompressedLane::clone(const copy::CloneRun &run) {
  // Sink::clone_alignment() is 0: the engine does not come here.
  throw Error(ErrorKind::internal,
              {.message = "compressed clusters cannot be cloned", .found = std::to_string(run.count) + " units"});
}

}  // namespace ferry::qcow2
