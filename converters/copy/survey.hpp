// SPDX-License-Identifier: Apache-2.0
// What lies before the copy engine, from the maps alone.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>

#include "converters/copy/clone_plan.hpp"
#include "converters/images/image.hpp"

namespace ferry::copy {

struct Survey {
  // Plain and deflated guest bytes that show, each distinct content once; Progress::advance() sums up to this (to
  // no more than this when it comes from a header).
  std::uint64_t data_bytes = 0;
  std::uint64_t deflated_bytes = 0;  // of data_bytes
  std::uint64_t clonable_bytes = 0;  // of data_bytes: in whole, aligned units of plain data
  std::uint64_t physical_bytes = 0;  // that the sources' files occupy on their disks
};

// What can be cloned is added to `clones`, where that is not null.
// `unit` and `alignment` as Sink::unit() and Sink::clone_alignment(), `threads` as Options::threads.
// Throws Error io, malformed (from the sources), cancelled.
[[nodiscard]] Survey survey(std::span<const image::Chain *const> states, std::uint32_t unit, std::uint32_t alignment,
                            ClonePlan *clones = nullptr, unsigned threads = 0, const std::stop_token &stop = {});

}  // namespace ferry::copy
