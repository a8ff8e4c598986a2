// SPDX-License-Identifier: Apache-2.0
#include "converters/copy/survey.hpp"

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "converters/copy/parallel.hpp"
#include "converters/copy/unit_map.hpp"

namespace ferry::copy {

namespace {

// With one state, whole extents tell what their units would.
Survey survey_one(const State &state, const Sources &sources, std::span<const image::Chain::VisibleExtent> extents,
                  std::uint32_t unit, std::uint32_t alignment, ClonePlan *clones) {
  Survey out;
  for (const image::Chain::VisibleExtent &visible : extents) {
    const image::Extent &extent = visible.extent;
    const std::uint64_t length = visible.visible_end - visible.visible_begin;
    if (extent.kind == image::ExtentKind::deflated) out.deflated_bytes += length;
    if (extent.kind != image::ExtentKind::plain && extent.kind != image::ExtentKind::deflated) continue;
    out.data_bytes += length;
    if (extent.kind != image::ExtentKind::plain || alignment == 0) continue;
    const std::uint32_t file = state.files.at(extent.file);
    const auto base = sources.base(file);
    const std::uint64_t first = (visible.visible_begin + unit - 1) / unit * unit,
                        last = visible.visible_end / unit * unit;
    const std::uint64_t at = extent.file_offset + (first - extent.guest_offset);
    if (!base || first >= last || (*base + at) % alignment != 0) continue;
    out.clonable_bytes += last - first;
    if (clones != nullptr) clones->add(file, at, last - first);
  }
  return out;
}

// A content that several states show counts once.
Survey survey_many(const UnitMap &map, const Sources &sources, std::uint32_t unit, std::uint32_t alignment,
                   ClonePlan *clones) {
  Survey out;
  for (const Content &content : map.contents()) {
    const std::uint64_t bytes = map.data_bytes(content);
    out.data_bytes += bytes;
    for (const Part &part : map.parts(content)) out.deflated_bytes += part.deflated() ? part.length : 0;
    if (!is_clonable(map, content, sources, unit, alignment)) continue;
    out.clonable_bytes += bytes;
    const Part &whole = map.parts(content).front();
    if (clones != nullptr) clones->add(whole.file, whole.file_offset, unit);
  }
  return out;
}

}  // namespace

Survey survey(const Sources &sources, std::uint32_t unit, std::uint32_t alignment, unsigned threads,
              const std::stop_token &stop) {
  const std::span<const State> states = sources.states();
  threads = thread_count(threads);
  const std::uint64_t total = sources.longest();
  const std::uint64_t window = window_size(total, unit, states.size(), threads, true);
  Survey out{.physical_bytes = sources.physical_bytes()};
  if (alignment != 0) out.clones = std::make_unique<ClonePlan>(unit);
  ClonePlan *clones = out.clones.get();
  std::mutex guard;
  const auto add = [&](const Survey &part) {
    const std::lock_guard lock(guard);
    out.data_bytes += part.data_bytes;
    out.deflated_bytes += part.deflated_bytes;
    out.clonable_bytes += part.clonable_bytes;
  };
  for_each_window(threads, total, window, stop, [&]() -> WindowWork {
    if (states.size() == 1) {
      return [&, extents = std::vector<image::Chain::VisibleExtent>()](std::uint64_t begin, std::uint64_t end) mutable {
        extents.clear();
        states.front().chain->map(begin, end, extents);
        add(survey_one(states.front(), sources, extents, unit, alignment, clones));
      };
    }
    return [&, map = std::make_shared<UnitMap>(states, unit)](std::uint64_t begin, std::uint64_t end) {
      map->load(begin, end);
      add(survey_many(*map, sources, unit, alignment, clones));
    };
  });
  return out;
}

}  // namespace ferry::copy
