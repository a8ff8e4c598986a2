// SPDX-License-Identifier: Apache-2.0
#include "support/columns.hpp"

#include <gtest/gtest.h>

namespace ferry::text {
namespace {

TEST(Columns, CountsWhatATerminalShows) {
  EXPECT_EQ(columns(""), 0U);
  EXPECT_EQ(columns("web"), 3U);
  EXPECT_EQ(columns("Bücher"), 6U);
  EXPECT_EQ(columns("Bu\u0308cher"), 6U);  // the dots as a character of their own
  EXPECT_EQ(columns("業務"), 4U);
  EXPECT_EQ(columns("💾"), 2U);
  EXPECT_EQ(columns("\xff"), 1U);  // not UTF-8: shown as U+FFFD
}

TEST(Columns, CutsBetweenCharacters) {
  EXPECT_EQ(cut_columns("業務サーバー", 5), "業務");
  EXPECT_EQ(cut_columns("業務サーバー", 4), "業務");
  EXPECT_EQ(cut_columns("web", 10), "web");
  EXPECT_EQ(cut_columns("web", 0), "");
}

TEST(Columns, ShortensInTheMiddle) {
  EXPECT_EQ(shortened("web.qcow2", 9), "web.qcow2");
  EXPECT_EQ(shortened("a long name.qcow2", 11), "a lo...cow2");
  EXPECT_EQ(columns(shortened("業務サーバー二〇一九.qcow2", 13)), 12U);  // half a wide character is none
  for (std::size_t width = 0; width < 30; ++width)
    EXPECT_LE(columns(shortened("業務サーバー二〇一九.qcow2", width)), width);
}

TEST(Columns, PadsByColumns) {
  EXPECT_EQ(padded("業務", 6), "業務  ");
  EXPECT_EQ(padded("web", 2), "web");
}

TEST(Columns, TablesAreAlignedByWhatATerminalShows) {
  EXPECT_EQ(table({{"NAME", "STATE", "FILE"}, {"業務", "done", "/a"}, {"web-server", "", ""}}),
            "NAME        STATE  FILE\n業務        done   /a\nweb-server\n");
  EXPECT_EQ(table({{"a", "bcdefghij"}}, 10), "a  bcde...\n");
  EXPECT_EQ(table({{"a", "bcdefgh"}}, 10), "a  bcdefgh\n");
}

TEST(Columns, WrapsAtBlanks) {
  EXPECT_EQ(wrapped("one two three", 0, 80), "one two three\n");
  EXPECT_EQ(wrapped("one two three", 2, 9), "  one two\n  three\n");
  EXPECT_EQ(wrapped("one two three", 2, 8), "  one\n  two\n  three\n");
  EXPECT_EQ(wrapped("業務 サーバー", 0, 13), "業務 サーバー\n");  // by columns: 4 + 1 + 8
  EXPECT_EQ(wrapped("業務 サーバー", 0, 12), "業務\nサーバー\n");
  EXPECT_EQ(wrapped("a /path/that/is/longer/than/a/line", 4, 20), "    a\n    /path/that/is/longer/than/a/line\n");
}

}  // namespace
}  // namespace ferry::text
