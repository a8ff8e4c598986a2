// SPDX-License-Identifier: Apache-2.0
// What the copy engine writes into. A sink stores guest units (qcow2 clusters, or blocks of a raw file) and
// remembers which states of the disk refer to them; it never reads a source.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace ferry::copy {

// In `state`, guest unit number `unit` holds piece number `piece` of the batch.
struct Placement {
  std::uint32_t state = 0;
  std::uint32_t piece = 0;
  std::uint64_t unit = 0;
};

struct Batch {
  std::span<const std::uint8_t *const> pieces;  // each of Sink::unit() bytes, none all zero
  std::span<const Placement> placements;        // by state, then unit; every piece has at least one
};

// `count` consecutive guest units whose bytes lie plainly from `offset` of descriptor `fd`, in all `states`.
struct CloneRun {
  int fd = -1;
  std::uint64_t offset = 0;  // bytes
  std::uint64_t first_unit = 0;
  std::uint64_t count = 0;  // units
  std::span<const std::uint32_t> states;
  std::optional<std::uint64_t> placed;  // bytes: where in the target Sink::clone_ahead() has put them already
};

// One thread's way into a sink; used by one thread only.
class Lane {
 public:
  virtual ~Lane() = default;
  virtual void store(const Batch &batch) = 0;
  // Clones the run's blocks into the target; what the file system refuses to clone is copied.
  // Returns the bytes that were cloned.
  virtual std::uint64_t clone(const CloneRun &run) = 0;
  // Writes what is still held back.
  virtual void flush() = 0;
};

class Sink {
 public:
  virtual ~Sink() = default;
  [[nodiscard]] virtual std::uint32_t unit() const = 0;  // bytes, a power of two
  // A target offset's alignment in bytes that clone() can keep; 0: this sink cannot clone.
  [[nodiscard]] virtual std::uint32_t clone_alignment() const = 0;
  [[nodiscard]] virtual std::unique_ptr<Lane> lane() = 0;  // thread-safe

  struct Placed {
    std::uint64_t offset = 0;  // in the target, bytes
    std::uint64_t units = 0;   // how many; 0: none
  };
  // Clones up to `units` units from `offset` of descriptor `fd` to a place in a row, before it is said which units of
  // the guest they are: that is Lane::clone()'s, once for each. None where a unit's place follows from its number, or
  // where the file system does not clone this.
  [[nodiscard]] virtual Placed clone_ahead(int fd, std::uint64_t offset, std::uint64_t units) = 0;
};

}  // namespace ferry::copy
