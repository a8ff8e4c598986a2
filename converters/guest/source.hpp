// SPDX-License-Identifier: Apache-2.0
// Bytes with random access, read through a cache of blocks and within limits: a guest's disk, a part of it, a file in
// it. All that looks into a guest reads by way of this.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "converters/images/image.hpp"

namespace ferry::guest {

using Bytes = std::vector<std::uint8_t>;

// What a look at all disks of a machine may cost.
struct Limits {
  std::uint64_t bytes = std::uint64_t{256} << 20U;  // of the guest's disks
  std::chrono::milliseconds time = std::chrono::seconds(20);
};

class Source {
 public:
  virtual ~Source() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // Fills `into`. Throws Error malformed beyond the end, io, and unsupported when the limits are reached.
  virtual void read(std::uint64_t offset, std::span<std::uint8_t> into) const = 0;
  // Where on the disk the byte at `offset` lies as it is; nullopt where it does not.
  [[nodiscard]] virtual std::optional<std::uint64_t> place(std::uint64_t offset) const = 0;
};
using SourcePtr = std::shared_ptr<const Source>;

// `length` bytes from `offset`, or up to the end where that comes first.
[[nodiscard]] Bytes read_up_to(const Source &source, std::uint64_t offset, std::size_t length);
// Exactly `length` bytes. Throws malformed when fewer are there.
[[nodiscard]] Bytes read_exactly(const Source &source, std::uint64_t offset, std::size_t length);
// A whole file as text, at most `most` bytes of it.
[[nodiscard]] std::string read_text(const Source &source, std::size_t most = std::size_t{1} << 20U);

// Counts what is read, for all disks of a machine together.
class Budget {
 public:
  explicit Budget(const Limits &limits) : limits_(limits) {}
  // Throws Error unsupported when there is no more.
  void take(std::uint64_t bytes);
  // The same, of time alone: what computes without reading asks now and then.
  void check_time() const;
  [[nodiscard]] std::uint64_t taken() const { return taken_; }

 private:
  using Clock = std::chrono::steady_clock;
  Limits limits_;
  std::uint64_t taken_ = 0;
  Clock::time_point begun_ = Clock::now();
};

// A disk. Not thread-safe.
class Disk final : public Source {
 public:
  Disk(const image::Chain &chain, Budget &budget) : chain_(chain), budget_(budget), size_(chain.virtual_size()) {}
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::uint8_t> into) const override;
  [[nodiscard]] std::optional<std::uint64_t> place(std::uint64_t offset) const override { return offset; }

 private:
  using Block = std::pair<std::uint64_t, Bytes>;  // its number
  [[nodiscard]] const Bytes &block(std::uint64_t number) const;

  const image::Chain &chain_;
  Budget &budget_;
  std::uint64_t size_;
  mutable std::list<Block> blocks_;  // used last, first
  mutable std::unordered_map<std::uint64_t, std::list<Block>::iterator> by_number_;
};

// A range of another.
class Part final : public Source {
 public:
  Part(SourcePtr whole, std::uint64_t start, std::uint64_t length);
  [[nodiscard]] std::uint64_t size() const override { return length_; }
  void read(std::uint64_t offset, std::span<std::uint8_t> into) const override;
  [[nodiscard]] std::optional<std::uint64_t> place(std::uint64_t offset) const override;

 private:
  SourcePtr whole_;
  std::uint64_t start_, length_;
};

// A run of a file's bytes: on the volume, or nowhere (zeros).
struct Run {
  std::uint64_t offset = 0;              // in the file, bytes
  std::uint64_t length = 0;              // bytes
  std::optional<std::uint64_t> at = {};  // on the volume, bytes
};

// A file whose content lies on a volume in runs, which are sorted; what no run has is zeros. Beyond `initialized` all
// is zeros, whatever lies there.
class RunFile final : public Source {
 public:
  RunFile(SourcePtr volume, std::vector<Run> runs, std::uint64_t size, std::uint64_t initialized);
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::uint8_t> into) const override;
  [[nodiscard]] std::optional<std::uint64_t> place(std::uint64_t offset) const override;

 private:
  [[nodiscard]] std::vector<Run>::const_iterator run_at(std::uint64_t offset) const;

  SourcePtr volume_;
  std::vector<Run> runs_;
  std::uint64_t size_, initialized_;
};

// A file whose content lies in memory (inside of a table).
class MemoryFile final : public Source {
 public:
  explicit MemoryFile(Bytes bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t offset, std::span<std::uint8_t> into) const override;
  [[nodiscard]] std::optional<std::uint64_t> place(std::uint64_t) const override { return std::nullopt; }

 private:
  Bytes bytes_;
};

// `message` is about the file system at hand; whoever catches it knows which.
[[noreturn]] void malformed(const std::string &message, std::string found = {}, std::string expected = {});

}  // namespace ferry::guest
