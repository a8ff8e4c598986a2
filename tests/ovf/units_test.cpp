// SPDX-License-Identifier: Apache-2.0
#include "importers/ovf/units.hpp"

#include <gtest/gtest.h>

namespace ferry::ovf {
namespace {

TEST(Units, EverySpelling) {
  constexpr std::uint64_t kMiB = 1U << 20U, kGiB = 1U << 30U;
  for (const char *text : {"byte * 2^20", "byte*2^20", "byte * 2 ^ 20", "Bytes * 2^20", "MegaBytes", "MB", "mib",
                           "Megabyte", "byte * 1048576", " MB "}) {
    EXPECT_EQ(bytes_per_unit(text), kMiB) << text;
  }
  for (const char *text : {"byte * 2^30", "GigaBytes", "GB", "gib", "byte * 2^10 * 2^20"}) {
    EXPECT_EQ(bytes_per_unit(text), kGiB) << text;
  }
  EXPECT_EQ(bytes_per_unit("byte"), 1U);
  EXPECT_EQ(bytes_per_unit("byte * 10^9"), 1000000000U);
  EXPECT_EQ(bytes_per_unit("KiloBytes"), 1024U);
  EXPECT_EQ(bytes_per_unit("TB"), std::uint64_t{1} << 40U);
}

TEST(Units, WhatIsNoUnitOfSize) {
  for (const char *text : {"hertz * 10^6", "percent", "", "2^20", "byte * byte", "byte * 2^64", "byte * 2^63 * 2^63",
                           "byte * 0", "byte ^ 2", "* byte"}) {
    EXPECT_EQ(bytes_per_unit(text), std::nullopt) << text;
  }
}

TEST(Units, Amounts) {
  EXPECT_EQ(to_bytes("512", 1U << 20U), 536870912U);
  EXPECT_EQ(to_bytes(" 0.5 ", 1U << 30U), 536870912U);
  EXPECT_EQ(to_bytes("1.", 1024), 1024U);
  EXPECT_EQ(to_bytes("18446744073709551615", 1), UINT64_MAX);
  for (const char *text : {"", "-1", "many", "1e9", "18446744073709551616", "1.x"}) {
    EXPECT_EQ(to_bytes(text, 1), std::nullopt) << text;
  }
  EXPECT_EQ(to_bytes("18446744073709551615", 2), std::nullopt);
}

}  // namespace
}  // namespace ferry::ovf
