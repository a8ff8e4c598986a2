// SPDX-License-Identifier: Apache-2.0
#include "migration/seen/screen_text.hpp"

#include <algorithm>
#include <bit>
#include <optional>

namespace ferry::migration {
namespace {

constexpr unsigned kMostWrongDots = 6;     // of the 128 of a cell: fonts of one family differ in a serif
constexpr std::size_t kLeastShare = 70;    // percent of the cells with ink that must be characters
constexpr std::size_t kFewestLetters = 4;  // less is no text

// The dots of a cell that are not of its background; nullopt where there are more than two colours, which no text has.
struct Cell {
  bool blank = true;
  Glyph dots{};
};

std::optional<Cell> cell_at(const Picture &picture, std::size_t left, std::size_t top) {
  const Colour first = picture.at(left, top);
  std::optional<Colour> second;
  std::size_t of_second = 0;
  Cell out;
  for (std::size_t y = 0; y < kGlyphHeight; ++y) {
    for (std::size_t x = 0; x < kGlyphWidth; ++x) {
      const Colour &dot = picture.at(left + x, top + y);
      if (dot == first) continue;
      if (second && dot != *second) return std::nullopt;
      second = dot;
      ++of_second;
      out.dots[y] = static_cast<std::uint8_t>(out.dots[y] | 0x80U >> x);
    }
  }
  out.blank = of_second == 0;
  // Ink is the rarer colour: a corner of the cell may have it.
  if (of_second > kGlyphWidth * kGlyphHeight / 2)
    for (std::uint8_t &line : out.dots) line = static_cast<std::uint8_t>(~line);
  return out;
}

unsigned difference(const Glyph &a, const Glyph &b) {
  unsigned out = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    out += static_cast<unsigned>(std::popcount(static_cast<unsigned>(a[i] ^ b[i])));
  return out;
}

// The character whose glyph is nearest; nullopt where none is near.
std::optional<char> character(const Glyph &dots, const Font &font) {
  unsigned least = kMostWrongDots + 1;
  std::optional<char> out;
  for (std::size_t i = 1; i < font.glyphs.size(); ++i) {
    const unsigned wrong = difference(dots, font.glyphs[i]);
    if (wrong >= least) continue;
    least = wrong;
    out = static_cast<char>(' ' + i);
  }
  return out;
}

struct Reading {
  std::vector<std::string> lines;
  std::size_t inked = 0, read = 0;
};

Reading read_cells(const Picture &picture, const Font &font, std::size_t cell_width) {
  Reading out;
  for (std::size_t row = 0; row < picture.height / kGlyphHeight; ++row) {
    std::string line;
    for (std::size_t column = 0; column < picture.width / cell_width; ++column) {
      const auto cell = cell_at(picture, column * cell_width, row * kGlyphHeight);
      if (cell && cell->blank) {
        line += ' ';
        continue;
      }
      const auto found = cell ? character(cell->dots, font) : std::nullopt;
      ++out.inked;
      out.read += found ? 1U : 0U;
      line += found.value_or('?');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out.lines.push_back(std::move(line));
  }
  while (!out.lines.empty() && out.lines.back().empty()) out.lines.pop_back();
  return out;
}

}  // namespace

std::vector<std::string> screen_text(const Picture &picture, const Font &font) {
  Reading best;
  for (const std::size_t width : {kGlyphWidth + 1, kGlyphWidth}) {
    if (picture.width % width != 0) continue;
    Reading reading = read_cells(picture, font, width);
    if (reading.read > best.read) best = std::move(reading);
  }
  if (best.read < kFewestLetters || best.read * 100 < best.inked * kLeastShare) return {};
  return best.lines;
}

}  // namespace ferry::migration
