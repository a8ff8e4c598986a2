// SPDX-License-Identifier: Apache-2.0
// Gzip streams (RFC 1952, one or more members) that are read forwards and can be entered again in their middle. Deflate
// can be entered only at a block's start, with the 32 KiB before it at hand; an index keeps such places. Their spacing
// doubles whenever the index is full, so its size is bounded and its use is not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

namespace ferry::gzip {

// What is compressed. Reads are positional.
class Input {
 public:
  virtual ~Input() = default;
  // Fills `length` bytes from `offset`; throws Error io or malformed when fewer are there.
  virtual void read(std::uint64_t offset, void *into, std::size_t length) const = 0;
  [[nodiscard]] virtual std::uint64_t size() const = 0;  // bytes
  [[nodiscard]] virtual const std::filesystem::path &path() const = 0;
};

struct RestartPoint {
  std::uint64_t plain = 0;       // offset in the inflated data
  std::uint64_t compressed = 0;  // offset of the next byte to read
  int bits = 0;                  // of the byte before it that belong to the next block
  bool member = false;           // a gzip member begins here: no window is needed
  std::vector<std::uint8_t> window;
};

// Of a whole stream whose checksums were right.
struct Index {
  std::vector<RestartPoint> points;  // by offset; the first is the stream's start. At most 32 MiB
  std::uint64_t size = 0;            // bytes, inflated
};

// Goes forward through the stream from a restart point. `input` must outlive it. Throws Error malformed.
class Inflater {
 public:
  Inflater(const Input &input, const RestartPoint &from);
  ~Inflater();
  Inflater(const Inflater &) = delete;
  Inflater &operator=(const Inflater &) = delete;

  [[nodiscard]] std::uint64_t plain() const;       // offset of the next inflated byte
  [[nodiscard]] std::uint64_t compressed() const;  // offset of the next byte to read
  [[nodiscard]] bool ended() const;
  // Inflates up to `length` bytes, at most to the next block's end when `by_block`; gives how many.
  std::size_t step(std::uint8_t *into, std::size_t length, bool by_block);
  // Where one could restart now; nullopt inside a block.
  [[nodiscard]] std::optional<RestartPoint> restart_point();

 private:
  class Stream;
  std::unique_ptr<Stream> stream_;
};

// Goes through a stream once from its start and makes the index on the way.
class Indexer {
 public:
  explicit Indexer(const Input &input);

  // Inflates up to `length` bytes; fewer, also none, do not mean the end: that is ended(). Throws Error malformed also
  // for a stream that is all but empty however long it gets (a bomb), before it got long.
  std::size_t step(std::uint8_t *into, std::size_t length);
  [[nodiscard]] bool ended() const { return inflater_.ended(); }
  // Inflates what is left, so that the checksums are verified, and gives the index.
  [[nodiscard]] Index finish();

 private:
  void refuse_bomb() const;

  Index index_;
  const Input &input_;
  Inflater inflater_;
  std::uint64_t spacing_;  // bytes of inflated data between points
};

// Whether the file begins as a gzip stream does. Throws what Input::read does.
[[nodiscard]] bool is_gzip(const Input &input);

}  // namespace ferry::gzip
