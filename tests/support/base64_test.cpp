// SPDX-License-Identifier: Apache-2.0
#include "support/base64.hpp"

#include <gtest/gtest.h>
#include <string>

namespace ferry::base64 {
namespace {

TEST(Base64, IsThatOfTheRfc) {
  const std::pair<const char *, const char *> cases[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto &[plain, coded] : cases) {
    EXPECT_EQ(encoded(std::string_view(plain)), coded);
    EXPECT_EQ(decoded(coded), plain);
  }
  EXPECT_EQ(encoded(std::string_view("\xff\xfe\0", 3)), "//4A");
  EXPECT_EQ(decoded("//4A"), std::string("\xff\xfe\0", 3));
}

TEST(Base64, WhatIsNoneIsRefused) {
  for (const char *text : {"Z", "Zg=", "Zg", "Z===", "====", "Zg==Zg==", "Zm9v!", "Zm 9v"})
    EXPECT_FALSE(decoded(text)) << text;
  EXPECT_EQ(decoded("Zm9v\r\nYmFy\n"), "foobar");
}

}  // namespace
}  // namespace ferry::base64
