// SPDX-License-Identifier: Apache-2.0
#include "support/digest.hpp"

#include <gtest/gtest.h>

#include "support/error.hpp"

namespace ferry {
namespace {

// FIPS 180-4's example message "abc".
TEST(Digest, OfTheStandardsExample) {
  const auto of_abc = [](std::string_view algorithm) {
    Digest digest(algorithm);
    digest.update("ab", 2);
    digest.update("c", 1);
    return digest.finish();
  };
  EXPECT_EQ(of_abc("SHA1"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(of_abc("SHA224"), "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
  EXPECT_EQ(of_abc("SHA256"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(of_abc("SHA384"),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(of_abc("SHA512"),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
            "454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Digest, IsKnownInEverySpelling) {
  for (const std::string_view name : {"SHA384", "sha384", "SHA-384", " sha-384 "}) {
    const auto kind = digest_kind(name);
    ASSERT_TRUE(kind) << name;
    EXPECT_EQ(kind->name, "SHA384");
    EXPECT_EQ(kind->hex_digits, 96U);
  }
  EXPECT_FALSE(digest_kind("MD5"));
  EXPECT_THROW(Digest("MD5"), Error);
  EXPECT_EQ(known_digests(), "SHA1, SHA224, SHA256, SHA384 or SHA512");
}

}  // namespace
}  // namespace ferry
