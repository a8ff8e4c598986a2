// SPDX-License-Identifier: Apache-2.0
// How long work tells how far it is. Implementations must be thread-safe: many threads report.
#pragma once

#include <cstdint>
#include <string_view>

namespace ferry {

class Progress {
 public:
  virtual ~Progress() = default;
  // A step begins: "disk.qcow2: converting". total is in bytes of guest data to go through; 0: not known.
  virtual void begin(std::string_view step, std::uint64_t total) = 0;
  // `bytes` more are done.
  virtual void advance(std::uint64_t bytes) = 0;
  virtual void end() = 0;
};

}  // namespace ferry
