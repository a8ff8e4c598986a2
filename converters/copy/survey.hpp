// SPDX-License-Identifier: Apache-2.0
// What lies before the copy engine, from the maps alone.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>

#include "converters/copy/clone_plan.hpp"
#include "converters/copy/sources.hpp"

namespace ferry::copy {

struct Survey {
  // Plain and deflated guest bytes that show, each distinct content once; Progress::advance() sums up to this (to
  // no more than this when it comes from a header).
  std::uint64_t data_bytes = 0;
  std::uint64_t deflated_bytes = 0;     // of data_bytes
  std::uint64_t clonable_bytes = 0;     // of data_bytes: in whole, aligned units of plain data
  std::uint64_t physical_bytes = 0;     // that the sources' files occupy on their disks
  std::unique_ptr<ClonePlan> clones{};  // what can be cloned; nullptr when nothing is to be
};

// `unit` and `alignment` as Sink::unit() and Sink::clone_alignment() (0: nothing is cloned), `threads` as
// Options::threads. Throws Error io, malformed (from the sources), cancelled.
[[nodiscard]] Survey survey(const Sources &sources, std::uint32_t unit, std::uint32_t alignment, unsigned threads = 0,
                            const std::stop_token &stop = {});

}  // namespace ferry::copy
