// SPDX-License-Identifier: Apache-2.0
// The copy engine: takes the states of a disk, as chains of extent maps, into a sink. It knows no format.
#pragma once

#include <cstdint>
#include <stop_token>

#include "converters/copy/clone_plan.hpp"
#include "converters/copy/sink.hpp"
#include "converters/copy/sources.hpp"
#include "converters/progress.hpp"

namespace ferry::copy {

enum class Sharing {
  never,  // read and write
  where_possible,
  required,  // an Error unsupported when aligned plain data cannot be cloned
};

struct Options {
  unsigned threads = 0;  // 0: see thread_count()
  Sharing sharing = Sharing::never;
  ClonePlan *clones = nullptr;  // as survey() made it of the same sources; without one, what is shared is cloned in the
                                // guest's order
  Progress *progress = nullptr;  // advanced by data bytes; begin() and end() are the caller's
  std::stop_token stop;
};

struct Outcome {
  std::uint64_t bytes_stored = 0;  // written by reading and writing, in whole units
  std::uint64_t bytes_shared = 0;  // cloned
};

// Copies all states; state i of the sink is the sources' i-th. Holes and zeros are not read, units that turn out to be
// all zero are not stored. Memory: a few MiB per thread, whatever the disk's size.
// Throws Error io, malformed (from the sources), no_space, io (from the sink), cancelled, unsupported (sharing).
Outcome copy(const Sources &sources, Sink &sink, const Options &options);

}  // namespace ferry::copy
