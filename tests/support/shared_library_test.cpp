// SPDX-License-Identifier: Apache-2.0
#include "support/shared_library.hpp"

#include <cmath>
#include <gtest/gtest.h>

namespace ferry {
namespace {

constexpr SharedLibrary::Absence kAbsence{ErrorKind::unreachable, "it is not there", "Install it."};

TEST(SharedLibrary, CallsAFunctionAsIfItWereLinked) {
  const SharedLibrary library("libm.so.6", kAbsence);
  const LibraryFunction<double(double)> root(library, "sqrt");
  EXPECT_EQ(root(9), 3);
  EXPECT_EQ(root(16), 4);
}

TEST(SharedLibrary, SaysWhatTheLoaderSaysWhereItIsMissing) {
  const SharedLibrary library("libferry-is-not-there.so.0", kAbsence);
  const LibraryFunction<void()> any(library, "any");
  for (int i = 0; i < 2; ++i) {
    try {
      any();
      FAIL() << "it was called";
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::unreachable);
      EXPECT_EQ(error.detail().message, "it is not there");
      EXPECT_NE(error.detail().found.find("libferry-is-not-there.so.0"), std::string::npos);
      EXPECT_EQ(error.detail().advice, "Install it.");
    }
  }
}

TEST(SharedLibrary, NamesAFunctionThatItLacks) {
  const SharedLibrary library("libm.so.6", kAbsence);
  const LibraryFunction<void()> lacking(library, "ferry_is_not_there");
  try {
    lacking();
    FAIL() << "it was called";
  } catch (const Error &error) {
    EXPECT_NE(error.detail().found.find("ferry_is_not_there"), std::string::npos);
  }
}

}  // namespace
}  // namespace ferry
