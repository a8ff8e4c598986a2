// SPDX-License-Identifier: Apache-2.0
#include "support/text.hpp"

#include <array>
#include <gtest/gtest.h>

namespace ferry {
namespace {

TEST(Text, HexOfBytesHasTwoDigitsEach) {
  constexpr std::array<std::uint8_t, 4> kBytes{0x00, 0x0f, 0xa0, 0xff};
  EXPECT_EQ(text::hex(kBytes), "000fa0ff");
  EXPECT_EQ(text::hex(std::span<const std::uint8_t>()), "");
}

TEST(Text, HexOfANumberIsPaddedAndNeverCut) {
  EXPECT_EQ(text::hex(0x1a2b, 8), "00001a2b");
  EXPECT_EQ(text::hex(0x1a2b, 2), "1a2b");
  EXPECT_EQ(text::hex(0, 1), "0");
  EXPECT_EQ(text::hex(0xffffffffffffffff, 16), "ffffffffffffffff");
}

TEST(Sentence, HasACapitalAndAFullStop) {
  EXPECT_EQ(text::sentence("the machine has no disk"), "The machine has no disk.");
  EXPECT_EQ(text::sentence("disk 1, an iSCSI target, is left out"), "Disk 1, an iSCSI target, is left out.");
  EXPECT_EQ(text::sentence("The disk is read-only."), "The disk is read-only.");
  EXPECT_EQ(text::sentence("is it there?"), "Is it there?");
  EXPECT_EQ(text::sentence(""), "");
}

TEST(Sentence, LeavesNamesAsTheyAre) {
  EXPECT_EQ(text::sentence("libvirt has no session"), "libvirt has no session.");
  EXPECT_EQ(text::sentence("scsi0:0 is a raw disk mapping"), "scsi0:0 is a raw disk mapping.");
  EXPECT_EQ(text::sentence("rtc.startTime is 0"), "rtc.startTime is 0.");
  EXPECT_EQ(text::sentence("qemu-img converts it"), "qemu-img converts it.");
  EXPECT_EQ(text::sentence("\"x\" is not a UUID"), "\"x\" is not a UUID.");
  EXPECT_EQ(text::sentence("'t is so"), "'t is so.");
}

TEST(Excerpt, CutsBetweenCharacters) {
  EXPECT_EQ(text::excerpt("Grüße", 7), "Grüße");
  EXPECT_EQ(text::excerpt("Grüße", 3), "Gr...");  // the u with two dots takes bytes 3 and 4
  EXPECT_EQ(text::excerpt("Grüße", 4), "Grü...");
  EXPECT_EQ(text::excerpt("a\nb", 9), "a\\nb");
}

TEST(Utf16, OfBothByteOrders) {
  const std::array<std::uint8_t, 8> little = {'a', 0, 0x3D, 0xD8, 0x00, 0xDE, 'b', 0};  // a, U+1F600, b
  const std::array<std::uint8_t, 8> big = {0, 'a', 0xD8, 0x3D, 0xDE, 0x00, 0, 'b'};
  EXPECT_EQ(text::from_utf16_field(little, std::endian::little), "a\U0001F600b");
  EXPECT_EQ(text::from_utf16_field(big, std::endian::big), "a\U0001F600b");
  const std::array<std::uint8_t, 7> cut = {0, 'a', 0xD8, 0x3D, 0, 0, 0};  // a lone half of a pair, NUL, an odd byte
  EXPECT_EQ(text::from_utf16_field(cut, std::endian::big), "a\uFFFD");
}

TEST(PercentDecoded, LeavesWhatIsNoEscape) {
  EXPECT_EQ(text::percent_decoded("a%20b%2Fc%"), "a b/c%");
  EXPECT_EQ(text::percent_decoded("100%25%zz%4"), "100%%zz%4");
}

TEST(Printable, ShowsWhatATerminalWouldObey) {
  EXPECT_EQ(text::printable("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(text::printable("\x1b]0;owned\x07"), "\\x1b]0;owned\\x07");
  EXPECT_EQ(text::printable("\u009b31m"), "\\x9b31m");            // C1: CSI in one character
  EXPECT_EQ(text::printable("\xc2"), "\uFFFD");                   // half a character
  EXPECT_EQ(text::printable("gpj.\u202eexe"), "gpj.\\u202eexe");  // right-to-left override
  for (const char *hidden : {"\u061c", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202d", "\u2066", "\u2069"})
    EXPECT_EQ(text::printable(hidden).substr(0, 2), "\\u") << hidden;
  EXPECT_EQ(text::printable("שלום 業務 Bücher 💾"), "שלום 業務 Bücher 💾");
}

TEST(Base64, IsTakenAsPeopleWriteIt) {
  EXPECT_EQ(text::from_base64("TWFu"), "Man");
  EXPECT_EQ(text::from_base64("TWE=\n"), "Ma");
  EXPECT_EQ(text::from_base64("TQ"), "M");
  EXPECT_EQ(text::from_base64("-_ 8="), "\xfb\xff");
  EXPECT_EQ(text::from_base64(""), "");
  for (const char *wrong : {"T", "TWFu=", "TQ=x", "TQ===", "T!Fu", "TWFuT"})
    EXPECT_FALSE(text::from_base64(wrong)) << wrong;
}

}  // namespace
}  // namespace ferry
