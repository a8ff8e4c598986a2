// SPDX-License-Identifier: Apache-2.0
// What is to be cloned, in the order in which it lies in the source's files. A guest fills its disk in any order;
// cloned in the guest's order, each block would be a clone call and an extent of its own. In the files' order what lies
// in a row there is one call and one extent, and the target's tables say which guest unit is where.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "converters/copy/sink.hpp"
#include "converters/copy/sources.hpp"
#include "converters/images/image.hpp"

namespace ferry::copy {

// First add() for everything, then carry_out(), then take() for everything. Memory: a bit for each unit of the
// source's files, 24 bytes for each row (at most 12 MiB), and in the sink what a unit that waits to be referred to
// takes (qcow2: two bytes, at most 32 MiB).
class ClonePlan {
 public:
  explicit ClonePlan(std::uint32_t unit) : unit_(unit) {}

  // `length` bytes (whole units) that lie plainly from `offset` of file number `file`. Thread-safe.
  void add(std::uint32_t file, std::uint64_t offset, std::uint64_t length);

  // Clones what was added. Leaves out what the sink does not place or the file system does not clone, units of a file
  // that lie at other multiples of the unit than those that were added first, and what is too much for the memory.
  void carry_out(const Sources &sources, Sink &sink, const std::stop_token &stop);

  struct Taken {
    std::optional<std::uint64_t> target;  // the first unit's offset in the target in bytes, the others follow;
                                          // none: they were not cloned, or are taken
    std::uint64_t units = 0;              // of which this holds, at least one
  };
  // The place of the units that lie from `offset` of `file`. Each unit is given out once. Thread-safe.
  [[nodiscard]] Taken take(std::uint32_t file, std::uint64_t offset, std::uint64_t units);

 private:
  struct Range {
    std::uint64_t first = 0, count = 0;  // units of the file
    std::uint64_t target = 0;            // bytes
  };
  struct File {
    std::uint64_t remainder = 0;       // of the units' offsets, divided by the unit
    std::vector<std::uint64_t> units;  // a bit for each: added, and not taken yet
    std::vector<Range> cloned;         // by first
  };
  // The end of the units that were added in a row from `first` on.
  [[nodiscard]] static std::uint64_t end_of_row(const File &file, std::uint64_t first);
  // Clones the row [first, end); returns the end of what was cloned.
  std::uint64_t clone_row(File &file, const image::SourceFile::Descriptor &source, std::uint64_t first,
                          std::uint64_t end, Sink &sink, const std::stop_token &stop);

  std::uint32_t unit_;
  std::mutex guard_;  // for add()
  std::vector<File> files_;
  std::uint64_t cloned_units_ = 0, cloned_ranges_ = 0;
};

}  // namespace ferry::copy
