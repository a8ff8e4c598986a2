// SPDX-License-Identifier: Apache-2.0
#include "support/text.hpp"

#include <array>
#include <gtest/gtest.h>

namespace ferry {
namespace {

TEST(Text, hex_of_bytes_has_two_digits_each) {
  constexpr std::array<std::uint8_t, 4> kBytes{0x00, 0x0f, 0xa0, 0xff};
  EXPECT_EQ(text::hex(kBytes), "000fa0ff");
  EXPECT_EQ(text::hex(std::span<const std::uint8_t>()), "");
}

TEST(Text, hex_of_a_number_is_padded_and_never_cut) {
  EXPECT_EQ(text::hex(0x1a2b, 8), "00001a2b");
  EXPECT_EQ(text::hex(0x1a2b, 2), "1a2b");
  EXPECT_EQ(text::hex(0, 1), "0");
  EXPECT_EQ(text::hex(0xffffffffffffffff, 16), "ffffffffffffffff");
}

}  // namespace
}  // namespace ferry
