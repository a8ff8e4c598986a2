// SPDX-License-Identifier: Apache-2.0
// The fonts that consoles draw text with, 8 x 16 dots a character, as this host's packages have them. The one that a
// PC's VGA shows stands in QEMU's video BIOS (SeaBIOS: vgabios-*.bin): code page 437, sixteen bytes for each of 256
// characters, the highest bit leftmost.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ferry::migration {

inline constexpr std::size_t kGlyphWidth = 8, kGlyphHeight = 16;  // dots

using Glyph = std::array<std::uint8_t, kGlyphHeight>;  // a byte for each line

struct Font {
  std::array<Glyph, 95> glyphs{};  // of the characters from ' ' to '~'
};

// The font in a video BIOS; nullopt where there is none.
[[nodiscard]] std::optional<Font> font_in(std::span<const std::uint8_t> video_bios);

// Of the first video BIOS in the folders where distributions put them.
[[nodiscard]] std::optional<Font> vga_font(const std::vector<std::filesystem::path> &folders = {
                                               "/usr/share/seabios", "/usr/share/qemu", "/usr/share/seavgabios",
                                               "/usr/share/vgabios"});

}  // namespace ferry::migration
