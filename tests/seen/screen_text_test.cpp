// SPDX-License-Identifier: Apache-2.0
#include "migration/seen/screen_text.hpp"

#include <gtest/gtest.h>

#include "tests/kit/scratch.hpp"
#include "tests/seen/drawn.hpp"

namespace ferry::migration {
namespace {

using Lines = std::vector<std::string>;

constexpr Colour kGrey{170, 170, 170}, kBlack{}, kBlue{0, 0, 170}, kWhite{255, 255, 255};

TEST(ScreenText, TextModeHasCellsOfNineDots) {
  const Font font = tests::test_font();
  Picture screen = tests::blank_screen(720, 400);
  tests::draw_text(screen, font, 9, 0, 0, "Booting from Hard Disk...", kGrey, kBlack);
  tests::draw_text(screen, font, 9, 2, 4, "No bootable device.", kGrey, kBlack);
  EXPECT_EQ(screen_text(screen, font), (Lines{"Booting from Hard Disk...", "", "    No bootable device."}));
}

TEST(ScreenText, AKernelsConsoleHasCellsOfEight) {
  const Font font = tests::test_font();
  Picture screen = tests::blank_screen(800, 600);
  tests::draw_text(screen, font, 8, 36, 60, "Kernel panic - not syncing", kWhite, kBlack);
  const Lines lines = screen_text(screen, font);
  ASSERT_EQ(lines.size(), 37U);
  EXPECT_EQ(lines.back(), std::string(60, ' ') + "Kernel panic - not syncing");
}

TEST(ScreenText, ColoursAreOfNoMatterAndReverseTextIsRead) {
  const Font font = tests::test_font();
  Picture screen = tests::blank_screen(640, 480, kBlue);
  tests::draw_text(screen, font, 8, 1, 0, "white on blue", kWhite, kBlue);
  tests::draw_text(screen, font, 8, 2, 0, "black on grey", kBlack, kGrey);
  EXPECT_EQ(screen_text(screen, font), (Lines{"", "white on blue", "black on grey"}));
}

TEST(ScreenText, ACellThatIsNoCharacterIsAQuestionMark) {
  const Font font = tests::test_font();
  Picture screen = tests::blank_screen(640, 480);
  tests::draw_text(screen, font, 8, 0, 0, "grub rescue> ", kGrey, kBlack);
  tests::fill(screen, 13 * 8, 0, 3, 16, kGrey);
  EXPECT_EQ(screen_text(screen, font), (Lines{"grub rescue> ?"}));
}

TEST(ScreenText, ADesktopIsNoText) {
  const Font font = tests::test_font();
  Picture screen = tests::blank_screen(640, 480, {0, 120, 215});
  std::uint32_t state = 1;
  for (Colour &dot : screen.pixels) {
    state = state * 1664525U + 1013904223U;
    dot = {static_cast<std::uint8_t>(state >> 24U), static_cast<std::uint8_t>(state >> 16U), 0};
  }
  EXPECT_EQ(screen_text(screen, font), Lines{});
  EXPECT_EQ(screen_text(tests::blank_screen(640, 480), font), Lines{});
  // A few boxes with two colours are windows' edges.
  Picture boxes = tests::blank_screen(640, 480);
  for (std::size_t i = 0; i < 40; ++i) tests::fill(boxes, i * 16, 32, 5, 9, kWhite);
  EXPECT_EQ(screen_text(boxes, font), Lines{});
}

TEST(Fonts, TheOneInAVideoBiosIsFoundByItsBeginning) {
  std::vector<std::uint8_t> bios(5000, 0x55);
  const std::size_t at = 300;
  std::fill(bios.begin() + at, bios.begin() + at + 4096, std::uint8_t{0});
  const std::vector<std::uint8_t> face{0x7E, 0x81, 0xA5, 0x81, 0x81};
  std::copy(face.begin(), face.end(), bios.begin() + at + 18);
  bios[at + 'A' * 16 + 5] = 0x3C;
  const auto font = font_in(bios);
  ASSERT_TRUE(font);
  EXPECT_EQ(font->glyphs['A' - ' '][5], 0x3C);
  bios.resize(4000);
  EXPECT_FALSE(font_in(bios));
}

TEST(Fonts, ThisHostsVideoBiosHasLettersThatDiffer) {
  const auto font = vga_font();
  if (!font) GTEST_SKIP() << "no video BIOS of SeaBIOS on this host";
  Picture screen = tests::blank_screen(720, 400);
  const std::string all = "ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz 0123456789 >(){}[]-_.:/";
  tests::draw_text(screen, *font, 9, 0, 0, all, kGrey, kBlack);
  EXPECT_EQ(screen_text(screen, *font), Lines{all});
}

TEST(Fonts, WhereThereIsNoneThereIsNone) {
  const ferry::tests::Scratch scratch;
  EXPECT_FALSE(vga_font({scratch / "nowhere"}));
}

}  // namespace
}  // namespace ferry::migration
