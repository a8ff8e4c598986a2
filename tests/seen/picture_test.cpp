// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <string>

#include "tests/seen/drawn.hpp"

#include "support/error.hpp"

namespace ferry {
namespace {

std::vector<std::uint8_t> bytes_of(const std::string &text) { return {text.begin(), text.end()}; }

Picture stripes() {
  Picture out = tests::blank_screen(37, 11);
  for (std::size_t i = 0; i < out.pixels.size(); ++i)
    out.pixels[i] = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i / 37),
                     static_cast<std::uint8_t>(255 - i)};
  return out;
}

TEST(Pictures, APngIsReadBackAsItWas) { EXPECT_EQ(read_picture(as_png(stripes())), stripes()); }

TEST(Pictures, APixmapMayHaveCommentsInItsHeader) {
  const Picture picture = read_picture(bytes_of("P6\n# of QEMU\n2 1\n255\nabcdef"));
  ASSERT_EQ(picture.pixels.size(), 2U);
  EXPECT_EQ(picture.pixels[1], (Colour{'d', 'e', 'f'}));
}

TEST(Pictures, EveryFilterOfPngIsUndone) {
  // Made by another program: 3 x 6 dots, lines with filters 0 to 4 and 4 again; see the values below.
  const Picture expected = [] {
    Picture out = tests::blank_screen(3, 6);
    for (std::size_t i = 0; i < out.pixels.size(); ++i)
      out.pixels[i] = {static_cast<std::uint8_t>(i * 7), static_cast<std::uint8_t>(200 - i * 3),
                       static_cast<std::uint8_t>(i * i)};
    return out;
  }();
  const std::vector<std::uint8_t> png{
      137, 80,  78,  71,  13,  10,  26,  10,  0,   0,   0,   13,  73,  72,  68,  82,  0,   0,   0,   3,   0,
      0,   0,   6,   8,   2,   0,   0,   0,   137, 135, 179, 91,  0,   0,   0,   68,  73,  68,  65,  84,  120,
      156, 99,  96,  56,  193, 192, 126, 148, 145, 239, 16,  11,  163, 232, 126, 78,  246, 191, 236, 236, 127,
      57,  153, 68,  191, 75,  139, 126, 87,  20,  253, 174, 206, 172, 21,  100, 207, 247, 75,  153, 239, 151,
      58,  139, 232, 119, 123, 246, 191, 146, 236, 127, 165, 129, 172, 64,  246, 191, 242, 236, 127, 21,  1,
      24,  223, 19,  53,  169, 108, 144, 109, 0,   0,   0,   0,   73,  69,  78,  68,  174, 66,  96,  130};
  EXPECT_EQ(read_picture(png), expected);
}

TEST(Pictures, WhatIsCutOffOrNoPictureIsMalformed) {
  const auto kind_of = [](const std::vector<std::uint8_t> &bytes) {
    try {
      (void)read_picture(bytes);
    } catch (const Error &error) {
      return error.kind();
    }
    return ErrorKind::internal;
  };
  EXPECT_EQ(kind_of(bytes_of("P6 2 1 255\nabc")), ErrorKind::malformed);
  EXPECT_EQ(kind_of(bytes_of("P6 20000 20000 255\n")), ErrorKind::malformed);
  EXPECT_EQ(kind_of(bytes_of("P6 2")), ErrorKind::malformed);
  EXPECT_EQ(kind_of(bytes_of("GIF89a")), ErrorKind::malformed);
  std::vector<std::uint8_t> png = as_png(stripes());
  for (std::size_t cut = 0; cut + 12 < png.size(); ++cut)
    EXPECT_EQ(kind_of({png.begin(), png.begin() + static_cast<std::ptrdiff_t>(cut)}), ErrorKind::malformed) << cut;
}

}  // namespace
}  // namespace ferry
