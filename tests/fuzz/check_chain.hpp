// SPDX-License-Identifier: Apache-2.0
// What must hold of every chain and part that was accepted, whatever the bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "converters/images/image.hpp"

namespace ferry::fuzz {

inline void demand(bool holds) {
  if (!holds) std::abort();
}

// Two descriptions of the same guest bytes must say the same of each.
inline bool same_bytes(const image::Extent &a, const image::Extent &b, std::uint64_t at) {
  if (a.kind != b.kind) return false;
  if (a.kind == image::ExtentKind::deflated) return a == b;
  if (a.kind != image::ExtentKind::plain) return true;
  return a.file == b.file && a.file_offset + (at - a.guest_offset) == b.file_offset + (at - b.guest_offset);
}

// The whole map is sorted and without gaps; what it names lies in its file; a window of it, chosen by `seed`, says
// the same; the disk's start and end can be read or give an Error.
inline void check_chain(const image::Chain &chain, std::uint64_t seed) {
  using Visible = image::Chain::VisibleExtent;
  const std::uint64_t size = chain.virtual_size();
  std::vector<Visible> whole;
  chain.map(0, size, whole);
  std::uint64_t at = 0;
  for (const Visible &visible : whole) {
    const image::Extent &extent = visible.extent;
    demand(visible.visible_begin == at && visible.visible_end > at);
    demand(extent.guest_offset <= at && extent.guest_offset + extent.length >= visible.visible_end);
    demand(extent.kind != image::ExtentKind::parent);
    if (extent.kind == image::ExtentKind::plain || extent.kind == image::ExtentKind::deflated) {
      const std::uint64_t length =
          extent.kind == image::ExtentKind::plain ? visible.visible_end - extent.guest_offset : extent.stored_length;
      const std::uint64_t file_size = chain.files().at(extent.file)->size();
      demand(extent.file_offset <= file_size && length <= file_size - extent.file_offset);
    }
    at = visible.visible_end;
  }
  demand(at == size);
  if (size == 0) return;

  const std::uint64_t begin = seed % size;
  const std::uint64_t end = begin + 1 + (seed >> 17U) % (size - begin);
  std::vector<Visible> window;
  chain.map(begin, end, window);
  auto inside = std::ranges::upper_bound(whole, begin, {}, &Visible::visible_begin) - 1;
  at = begin;
  for (const Visible &visible : window) {
    demand(visible.visible_begin == at && visible.visible_end > at);
    while (at < visible.visible_end) {
      demand(same_bytes(visible.extent, inside->extent, at));
      at = std::min(visible.visible_end, inside->visible_end);
      if (at == inside->visible_end) ++inside;
    }
  }
  demand(at == end);

  std::vector<std::uint8_t> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(size, 1U << 14U)));
  chain.read(0, buffer.data(), buffer.size());
  chain.read(size - buffer.size(), buffer.data(), buffer.size());
}

}  // namespace ferry::fuzz
