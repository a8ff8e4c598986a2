// SPDX-License-Identifier: Apache-2.0
#include "support/nearest.hpp"

#include <gtest/gtest.h>

namespace ferry::text {
namespace {

TEST(Nearest, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("plan", ""), 4U);
  EXPECT_EQ(edit_distance("", "plan"), 4U);
  EXPECT_EQ(edit_distance("plan", "paln"), 1U);   // swapped
  EXPECT_EQ(edit_distance("batch", "bach"), 1U);  // left out
  EXPECT_EQ(edit_distance("list", "lisst"), 1U);  // added
  EXPECT_EQ(edit_distance("undo", "undi"), 1U);   // changed
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance(U"d\u00e9j\u00e0", U"d\u00e9\u00e0j"), 1U);
}

TEST(Nearest, FindsWhatIsLikeItBeyondChance) {
  const std::vector<std::string> commands{"inspect", "plan", "migrate", "batch", "list", "undo", "disk", "host"};
  EXPECT_EQ(nearest("migrat", commands), "migrate");
  EXPECT_EQ(nearest("imgrate", commands), "migrate");
  EXPECT_EQ(nearest("lst", commands), "list");
  EXPECT_EQ(nearest("ins", commands), "inspect");  // the beginning of one alone
  EXPECT_EQ(nearest("convert", commands), std::nullopt);
  EXPECT_EQ(nearest("x", commands), std::nullopt);
  EXPECT_EQ(nearest("", commands), std::nullopt);
  EXPECT_EQ(nearest("plan", {}), std::nullopt);
}

}  // namespace
}  // namespace ferry::text
