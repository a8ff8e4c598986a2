// SPDX-License-Identifier: Apache-2.0
// Pictures of screens: QEMU gives them as portable pixmaps (P6) or PNG; we keep PNG.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ferry {

struct Colour {
  std::uint8_t red = 0, green = 0, blue = 0;
  friend bool operator==(const Colour &, const Colour &) = default;
};

struct Picture {
  std::size_t width = 0, height = 0;
  std::vector<Colour> pixels;  // line by line from the top

  [[nodiscard]] const Colour &at(std::size_t x, std::size_t y) const { return pixels[y * width + x]; }
  friend bool operator==(const Picture &, const Picture &) = default;
};

// A portable pixmap of 255 values a channel, or a PNG of 8 bits a channel that is not interlaced (of its chunks, only
// those that the pixels need). Throws Error malformed for anything else, and for more than 16384 pixels in a direction.
[[nodiscard]] Picture read_picture(std::span<const std::uint8_t> bytes);

[[nodiscard]] std::vector<std::uint8_t> as_png(const Picture &picture);

}  // namespace ferry
