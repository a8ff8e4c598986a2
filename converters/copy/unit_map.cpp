// SPDX-License-Identifier: Apache-2.0
#include "converters/copy/unit_map.hpp"

#include <algorithm>

#include "support/error.hpp"

namespace ferry::copy {

namespace {

// An inflated grain is at most this long: VMDK's largest grain in use is 64 KiB, its format's limit far below.
constexpr std::uint64_t kMaxInflated = 16U << 20U;

}  // namespace

UnitMap::UnitMap(std::span<const State> states, std::uint32_t unit) : states_(states), unit_(unit) {}

void UnitMap::load(std::uint64_t begin, std::uint64_t end) {
  first_unit_ = begin / unit_;
  parts_.clear();
  contents_.clear();
  earlier_.clear();
  uses_.clear();
  newest_.assign((end - begin + unit_ - 1) / unit_, kNone);
  for (std::uint32_t state = 0; state < states_.size(); ++state) add_extents(state, begin, end);
  list_states();
}

void UnitMap::add_extents(std::uint32_t state, std::uint64_t begin, std::uint64_t end) {
  extents_.clear();
  const image::Chain &chain = *states_[state].chain;
  if (begin >= chain.virtual_size()) return;
  chain.map(begin, std::min(end, chain.virtual_size()), extents_);
  open_unit_ = first_unit_;
  open_parts_.clear();
  for (const auto &visible : extents_) {
    if (visible.extent.kind != image::ExtentKind::plain && visible.extent.kind != image::ExtentKind::deflated) continue;
    const std::uint32_t file = states_[state].files.at(visible.extent.file);
    for (std::uint64_t at = visible.visible_begin; at < visible.visible_end;) {
      const std::uint64_t unit = at / unit_;
      if (unit != open_unit_) {
        close_unit(state);
        open_unit_ = unit;
      }
      const std::uint64_t to = std::min(visible.visible_end, (unit + 1) * unit_);
      add_piece(visible, at, to, file);
      at = to;
    }
  }
  close_unit(state);
}

void UnitMap::add_piece(const image::Chain::VisibleExtent &visible, std::uint64_t from, std::uint64_t to,
                        std::uint32_t file) {
  const image::Extent &extent = visible.extent;
  const std::uint64_t skip = from - extent.guest_offset;
  Part part{
      .begin = static_cast<std::uint32_t>(from % unit_), .length = static_cast<std::uint32_t>(to - from), .file = file};
  if (extent.kind == image::ExtentKind::plain) {
    part.file_offset = extent.file_offset + skip;
    // Maps of different chains may cut the same bytes differently; joined, they compare equal.
    if (!open_parts_.empty()) {
      Part &last = open_parts_.back();
      if (!last.deflated() && last.file == file && last.begin + last.length == part.begin &&
          last.file_offset + last.length == part.file_offset) {
        last.length += part.length;
        return;
      }
    }
  } else {
    if (extent.length > kMaxInflated) {
      throw Error(ErrorKind::unsupported, {.where = {.path = "guest offset " + std::to_string(extent.guest_offset)},
                                           .message = "a compressed grain is too large",
                                           .found = std::to_string(extent.length) + " bytes",
                                           .expected = "at most " + std::to_string(kMaxInflated)});
    }
    part.file_offset = extent.file_offset;
    // Deflate adds 5 bytes per 16 KiB at worst; a stream that claims much more is damaged and is found to be so.
    part.stored_length =
        std::min(extent.stored_length, static_cast<std::uint32_t>(extent.length + extent.length / 8 + 65536));
    part.inflated_length = static_cast<std::uint32_t>(extent.length);
    part.skip = static_cast<std::uint32_t>(skip);
  }
  open_parts_.push_back(part);
}

void UnitMap::close_unit(std::uint32_t state) {
  if (open_parts_.empty()) return;
  std::uint32_t &newest = newest_.at(open_unit_ - first_unit_);
  std::uint32_t found = newest;
  while (found != kNone && !std::ranges::equal(parts(contents_[found]), open_parts_)) found = earlier_[found];
  if (found == kNone) {
    found = static_cast<std::uint32_t>(contents_.size());
    contents_.push_back({.unit = open_unit_,
                         .first_part = static_cast<std::uint32_t>(parts_.size()),
                         .part_count = static_cast<std::uint32_t>(open_parts_.size())});
    parts_.insert(parts_.end(), open_parts_.begin(), open_parts_.end());
    earlier_.push_back(newest);
    newest = found;
  }
  uses_.push_back({found, state});
  open_parts_.clear();
}

void UnitMap::list_states() {
  // A counting sort by content; uses_ is by state, so each list comes out ascending.
  for (const Use &use : uses_) ++contents_[use.content].state_count;
  std::uint32_t next = 0;
  for (Content &content : contents_) {
    content.first_state = next;
    next += content.state_count;
    content.state_count = 0;
  }
  state_lists_.resize(uses_.size());
  for (const Use &use : uses_) {
    Content &content = contents_[use.content];
    state_lists_[content.first_state + content.state_count++] = use.state;
  }
}

std::uint64_t UnitMap::data_bytes(const Content &content) const {
  std::uint64_t sum = 0;
  for (const Part &part : parts(content)) sum += part.length;
  return sum;
}

bool is_clonable(const UnitMap &map, const Content &content, const Sources &sources, std::uint32_t unit,
                 std::uint32_t alignment) {
  if (alignment == 0 || content.part_count != 1) return false;
  const Part &part = map.parts(content).front();
  const auto base = sources.base(part.file);
  return !part.deflated() && part.length == unit && base && (*base + part.file_offset) % alignment == 0;
}

}  // namespace ferry::copy
