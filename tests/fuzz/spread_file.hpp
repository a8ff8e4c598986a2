// SPDX-License-Identifier: Apache-2.0
// A fuzzer's input as a file in memory. Formats with wide empty stretches (VHDX: megabytes) are fuzzed by the bytes
// that matter only: the input fills the format's windows one after the other, and the rest of the file is zeros.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "converters/images/image.hpp"

#include "support/error.hpp"

namespace ferry::fuzz {

struct Window {
  std::uint64_t offset = 0, length = 0;  // bytes
};

// How the input of a format's target lies in the file.
struct Spread {
  std::vector<Window> windows;  // by offset; the last one takes what is left of the input
  std::uint64_t size = 0;       // of the file; 0: up to the last window's content, plus `gap`
  std::uint64_t gap = 0;        // zeros after the content, so that blocks which it names lie in the file
  std::uint64_t tail = 0;       // the input's last bytes that stand after the gap: a footer
};

inline Spread spread_of(std::string_view format) {
  constexpr std::uint64_t all = ~std::uint64_t{0}, kibibyte = 1024, mebibyte = 1024 * kibibyte;
  if (format == "vhdx") {
    return {.windows = {{64 * kibibyte, 96},                   // header
                        {128 * kibibyte, 96},                  // its copy
                        {192 * kibibyte, 112},                 // region table
                        {256 * kibibyte, 112},                 // its copy
                        {mebibyte, 8192},                      // log
                        {2 * mebibyte - 12288, 12288},         // its end: entries wrap around
                        {2 * mebibyte, 256},                   // metadata table
                        {2 * mebibyte + 64 * kibibyte, 1536},  // metadata items
                        {3 * mebibyte, 256},                   // BAT
                        {4 * mebibyte, all}},                  // data, sector bitmap
            .size = 7 * mebibyte};
  }
  // Tables of a fixed size, of which the start is used.
  if (format == "cowd") return {.windows = {{0, 28}, {4 * 512, 16}, {5 * 512, 128}, {37 * 512, all}}, .gap = 65536};
  if (format == "sesparse") {
    return {.windows = {{0, 208}, {512, 32}, {8192, 16}, {32768, 256}, {65536, all}}, .gap = 65536};
  }
  if (format == "vhd") return {.windows = {{0, all}}, .gap = 16384, .tail = 512};
  if (format == "vmdk_stream") return {.windows = {{0, all}}, .gap = 0, .tail = 0};
  if (format == "gzip" || format == "vmdk_descriptor") return {.windows = {{0, all}}};
  return {.windows = {{0, all}}, .gap = 65536};
}

class SpreadFile final : public image::SourceFile {
 public:
  // Keeps `input`, which must outlive it.
  SpreadFile(const Spread &spread, std::span<const std::uint8_t> input, std::filesystem::path path)
      : path_(std::move(path)) {
    const auto tail = input.last(std::min<std::size_t>(input.size(), spread.tail));
    auto rest = input.first(input.size() - tail.size());
    std::uint64_t end = 0;
    for (const Window &window : spread.windows) {
      const auto part = rest.first(static_cast<std::size_t>(std::min<std::uint64_t>(window.length, rest.size())));
      rest = rest.subspan(part.size());
      if (part.empty()) break;
      pieces_.push_back({window.offset, part});
      end = window.offset + part.size();
    }
    if (!tail.empty()) pieces_.push_back({end + spread.gap, tail});
    size_ = spread.size != 0 ? spread.size : end + spread.gap + tail.size();
  }

  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    if (offset > size_ || length > size_ - offset) throw Error(ErrorKind::malformed, {.message = "the file ends"});
    if (length == 0) return;
    std::memset(into, 0, length);
    for (const Piece &piece : pieces_) {
      const std::uint64_t begin = std::max(offset, piece.offset);
      const std::uint64_t end = std::min(offset + length, piece.offset + piece.bytes.size());
      if (begin >= end) continue;
      std::memcpy(static_cast<std::uint8_t *>(into) + (begin - offset), piece.bytes.data() + (begin - piece.offset),
                  static_cast<std::size_t>(end - begin));
    }
  }
  [[nodiscard]] Descriptor descriptor() const override { return {}; }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] const std::filesystem::path &path() const override { return path_; }

 private:
  struct Piece {
    std::uint64_t offset;
    std::span<const std::uint8_t> bytes;
  };
  std::filesystem::path path_;
  std::vector<Piece> pieces_;
  std::uint64_t size_ = 0;
};

}  // namespace ferry::fuzz
