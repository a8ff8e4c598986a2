// SPDX-License-Identifier: Apache-2.0
#include "migration/seen/font.hpp"

#include <algorithm>

#include "support/file.hpp"

namespace ferry::migration {
namespace {

constexpr std::size_t kMostOfABios = std::size_t{1} << 20U;  // bytes; SeaBIOS's have 40 KiB

// Character 0 is blank, 1 a face in an outline: the first lines of every copy of the PC's font.
constexpr std::array<std::uint8_t, 23> kBeginning = {0, 0, 0, 0, 0, 0, 0,    0,    0,    0,    0,   0,
                                                     0, 0, 0, 0, 0, 0, 0x7E, 0x81, 0xA5, 0x81, 0x81};

}  // namespace

std::optional<Font> font_in(std::span<const std::uint8_t> video_bios) {
  constexpr std::size_t kSize = 256 * kGlyphHeight;
  const auto at = std::search(video_bios.begin(), video_bios.end(), kBeginning.begin(), kBeginning.end());
  if (static_cast<std::size_t>(video_bios.end() - at) < kSize) return std::nullopt;
  Font out;
  for (std::size_t i = 0; i < out.glyphs.size(); ++i) {
    const auto glyph = at + static_cast<std::ptrdiff_t>((' ' + i) * kGlyphHeight);
    std::copy(glyph, glyph + kGlyphHeight, out.glyphs[i].begin());
  }
  return out;
}

std::optional<Font> vga_font(const std::vector<std::filesystem::path> &folders) {
  for (const std::filesystem::path &folder : folders) {
    for (const char *name : {"vgabios-stdvga.bin", "vgabios-qxl.bin", "vgabios-virtio.bin", "vgabios.bin"}) {
      try {
        const std::string bios = file::read_start(folder / name, kMostOfABios);
        if (auto font = font_in({reinterpret_cast<const std::uint8_t *>(bios.data()), bios.size()})) return font;
      } catch (const Error &) {  // it is not there: the next place may have one
      }
    }
  }
  return std::nullopt;
}

}  // namespace ferry::migration
