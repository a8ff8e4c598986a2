// SPDX-License-Identifier: Apache-2.0
#include "support/identity.hpp"

#include <gtest/gtest.h>

namespace ferry {
namespace {

TEST(Uuid, TakesBracesDashesAndVmwaresForm) {
  const auto plain = Uuid::parse("564db08e-d591-3c27-ed61-e7a8834d0b9c");
  ASSERT_TRUE(plain);
  EXPECT_EQ(Uuid::parse("{564DB08E-D591-3C27-ED61-E7A8834D0B9C}"), plain);
  EXPECT_EQ(Uuid::parse("56 4d b0 8e d5 91 3c 27-ed 61 e7 a8 83 4d 0b 9c"), plain);
  EXPECT_EQ(Uuid::parse("564db08ed5913c27ed61e7a8834d0b9c"), plain);
  EXPECT_EQ(plain->text(), "564db08e-d591-3c27-ed61-e7a8834d0b9c");
}

TEST(Uuid, RefusesWhatIsNotOne) {
  for (const char *text : {"", "{}", "564db08e", "564db08e-d591-3c27-ed61-e7a8834d0b9c0",
                           "564db08e-d591-3c27-ed61-e7a8834d0b9g", "564db08e--d591-3c27-ed61-e7a8834d0b9c"}) {
    EXPECT_FALSE(Uuid::parse(text)) << text;
  }
}

TEST(Uuid, SwapsTheFirstThreeFieldsOnly) {
  EXPECT_EQ(Uuid::parse("00112233-4455-6677-8899-aabbccddeeff")->swapped().text(),
            "33221100-5544-7766-8899-aabbccddeeff");
}

TEST(MacAddress, TakesColonsDashesAndBareDigits) {
  const auto mac = MacAddress::parse("08:00:27:AA:BB:01");
  ASSERT_TRUE(mac);
  EXPECT_EQ(MacAddress::parse("080027aabb01"), mac);
  EXPECT_EQ(MacAddress::parse("08-00-27-aa-bb-01"), mac);
  EXPECT_EQ(mac->text(), "08:00:27:aa:bb:01");
  EXPECT_FALSE(MacAddress::parse("08:00:27:AA:BB"));
  EXPECT_FALSE(mac->is_multicast());
  EXPECT_TRUE(MacAddress::parse("01:00:5e:00:00:01")->is_multicast());
}

}  // namespace
}  // namespace ferry
