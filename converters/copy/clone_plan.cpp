// SPDX-License-Identifier: Apache-2.0
#include "converters/copy/clone_plan.hpp"

#include <algorithm>
#include <atomic>
#include <bit>

#include "converters/copy/parallel.hpp"

namespace ferry::copy {

namespace {

constexpr std::uint64_t kWordBits = 64;
constexpr std::uint64_t kMaxFileUnits = std::uint64_t{1} << 26U;  // 8 MiB of bits: 4 TiB in units of 64 KiB
// The units are referred to in the guest's order: their reference counts wait in memory, two bytes each.
constexpr std::uint64_t kMaxClonedUnits = std::uint64_t{1} << 24U;
constexpr std::uint64_t kMaxRanges = std::uint64_t{1} << 19U;

}  // namespace

void ClonePlan::add(std::uint32_t file, std::uint64_t offset, std::uint64_t length) {
  const std::lock_guard lock(guard_);
  if (files_.size() <= file) files_.resize(file + 1);
  File &into = files_[file];
  if (into.units.empty()) into.remainder = offset % unit_;
  const std::uint64_t first = offset / unit_, end = first + length / unit_;
  if (offset % unit_ != into.remainder || end > kMaxFileUnits) return;
  if (into.units.size() * kWordBits < end)
    into.units.resize(std::max((end - 1) / kWordBits + 1, into.units.size() * 2));
  for (std::uint64_t unit = first; unit < end;) {
    const std::uint64_t bit = unit % kWordBits, count = std::min(kWordBits - bit, end - unit);
    into.units[unit / kWordBits] |= (~std::uint64_t{0} >> (kWordBits - count)) << bit;
    unit += count;
  }
}

std::uint64_t ClonePlan::end_of_row(const File &file, std::uint64_t first) {
  std::uint64_t unit = first;
  for (; unit / kWordBits < file.units.size();) {
    const auto ones = static_cast<std::uint64_t>(std::countr_one(file.units[unit / kWordBits] >> unit % kWordBits));
    unit += ones;
    if (ones == 0 || unit % kWordBits != 0) break;
  }
  return unit;
}

std::uint64_t ClonePlan::clone_row(File &file, const image::SourceFile::Descriptor &source, std::uint64_t first,
                                   std::uint64_t end, Sink &sink, const std::stop_token &stop) {
  while (first < end && cloned_ranges_ < kMaxRanges && cloned_units_ < kMaxClonedUnits) {
    throw_if_stopped(stop);
    const std::uint64_t wanted = std::min(end - first, kMaxClonedUnits - cloned_units_);
    const Sink::Placed placed = sink.clone_ahead(source.fd, source.base + first * unit_ + file.remainder, wanted);
    if (placed.units == 0) break;
    file.cloned.push_back({.first = first, .count = placed.units, .target = placed.offset});
    first += placed.units;
    cloned_units_ += placed.units;
    ++cloned_ranges_;
  }
  return first;
}

void ClonePlan::carry_out(const Sources &sources, Sink &sink, const std::stop_token &stop) {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    File &file = files_[i];
    if (file.units.empty()) continue;
    const image::SourceFile::Descriptor source = sources.file(static_cast<std::uint32_t>(i)).descriptor();
    for (std::uint64_t unit = 0; unit / kWordBits < file.units.size();) {
      const std::uint64_t word = file.units[unit / kWordBits] >> unit % kWordBits;
      unit += word == 0 ? kWordBits - unit % kWordBits : static_cast<std::uint64_t>(std::countr_zero(word));
      if (word == 0) continue;
      const std::uint64_t end = end_of_row(file, unit);
      if (clone_row(file, source, unit, end, sink, stop) < end) break;
      unit = end;
    }
  }
}

ClonePlan::Taken ClonePlan::take(std::uint32_t number, std::uint64_t offset, std::uint64_t units) {
  if (number >= files_.size() || offset % unit_ != files_[number].remainder) return {.target = {}, .units = units};
  File &file = files_[number];
  const std::uint64_t first = offset / unit_;
  const auto next = std::ranges::upper_bound(file.cloned, first, {}, &Range::first);
  const bool inside = next != file.cloned.begin() && first < std::prev(next)->first + std::prev(next)->count;
  if (!inside) {
    return {.target = {}, .units = next == file.cloned.end() ? units : std::min(units, next->first - first)};
  }
  const Range &range = *std::prev(next);
  const auto take_one = [&](std::uint64_t unit) {
    const std::uint64_t bit = std::uint64_t{1} << unit % kWordBits;
    return (std::atomic_ref(file.units[unit / kWordBits]).fetch_and(~bit) & bit) != 0;
  };
  // Two of the guest's units from one place of a file: the second one is cloned by itself.
  if (!take_one(first)) return {.target = {}, .units = 1};
  Taken out{.target = range.target + (first - range.first) * unit_, .units = 1};
  const std::uint64_t most = std::min(units, range.first + range.count - first);
  while (out.units < most && take_one(first + out.units)) ++out.units;
  return out;
}

}  // namespace ferry::copy
