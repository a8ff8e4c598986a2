// SPDX-License-Identifier: Apache-2.0
// Fills units' buffers from their parts, with as few and as large reads as the parts allow.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "converters/copy/unit_map.hpp"

struct libdeflate_decompressor;

namespace ferry::copy {

// One thread's reader; its buffers are used again and again.
class PieceReader {
 public:
  explicit PieceReader(const Sources &sources);
  ~PieceReader();
  PieceReader(const PieceReader &) = delete;
  PieceReader &operator=(const PieceReader &) = delete;

  // Notes that the `unit` bytes at `into` are to become the content that `parts` describe.
  void add(std::span<const Part> parts, std::uint8_t *into, std::uint32_t unit);
  // Does what was noted. Throws Error io or malformed, naming file and offset.
  void read();

 private:
  struct Job {
    std::uint64_t file_offset = 0;
    std::uint8_t *into = nullptr;
    std::uint64_t length = 0;
    std::uint32_t file = 0;
    std::uint32_t stored_length = 0, inflated_length = 0, skip = 0;  // as Part's
  };
  // Bytes of a file, by its descriptor's offsets, that the kernel said to be data.
  struct Data {
    std::uint32_t file = 0;
    std::uint64_t begin = 0, end = 0;
  };
  void read_plain(const Job &job);
  std::size_t read_deflated(std::size_t first);
  void inflate(const Job &job, const std::uint8_t *stream, std::size_t length);

  const Sources &sources_;
  Data data_;  // the last that was asked for: blocks mostly follow each other
  std::vector<Job> jobs_;
  std::vector<std::uint8_t> stored_;    // compressed bytes as they lie in the file
  std::vector<std::uint8_t> inflated_;  // a grain of which only a part is wanted
  std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor *)> decompressor_;
};

}  // namespace ferry::copy
