// SPDX-License-Identifier: Apache-2.0
// Screens that tests draw.
#pragma once

#include <string>
#include <vector>

#include "migration/seen/font.hpp"

#include "support/picture.hpp"

namespace ferry::tests {

inline Picture blank_screen(std::size_t width, std::size_t height, Colour colour = {}) {
  return {.width = width, .height = height, .pixels = std::vector<Colour>(width * height, colour)};
}

inline void fill(Picture &picture, std::size_t left, std::size_t top, std::size_t width, std::size_t height,
                 Colour colour) {
  for (std::size_t y = top; y < top + height; ++y)
    for (std::size_t x = left; x < left + width; ++x) picture.pixels[y * picture.width + x] = colour;
}

// A font of the tests' own: each glyph is told from all others by many dots, the blank one has none.
inline migration::Font test_font() {
  migration::Font out;
  std::uint32_t state = 12345;
  for (std::size_t i = 1; i < out.glyphs.size(); ++i) {
    for (std::size_t line = 2; line < 13; ++line) {
      state = state * 1664525U + 1013904223U;
      out.glyphs[i][line] = static_cast<std::uint8_t>(state >> 24U & 0x7EU);
    }
  }
  return out;
}

inline void draw_text(Picture &picture, const migration::Font &font, std::size_t cell_width, std::size_t row,
                      std::size_t column, const std::string &text, Colour ink, Colour paper) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t left = (column + i) * cell_width, top = row * migration::kGlyphHeight;
    fill(picture, left, top, cell_width, migration::kGlyphHeight, paper);
    const migration::Glyph &glyph = font.glyphs[static_cast<std::size_t>(text[i] - ' ')];
    for (std::size_t y = 0; y < glyph.size(); ++y)
      for (std::size_t x = 0; x < migration::kGlyphWidth; ++x)
        if ((glyph[y] & 0x80U >> x) != 0) picture.pixels[(top + y) * picture.width + left + x] = ink;
  }
}

}  // namespace ferry::tests
