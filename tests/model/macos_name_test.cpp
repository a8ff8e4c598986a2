// SPDX-License-Identifier: Apache-2.0
#include "model/macos_name.hpp"

#include <gtest/gtest.h>

namespace ferry {
namespace {

using Set = std::set<unsigned>;

TEST(MacosName, IsFoundAsAWord) {
  EXPECT_EQ(darwins_named_in("macos-ventura/disk.qcow2"), Set{22});
  EXPECT_EQ(darwins_named_in("HighSierra.qcow2"), Set{17});
  EXPECT_EQ(darwins_named_in("high-sierra"), Set{17});
  EXPECT_EQ(darwins_named_in("highsierra.img"), Set{17});
  EXPECT_EQ(darwins_named_in("Install macOS Sierra.iso"), Set{16});
  EXPECT_EQ(darwins_named_in("BIGSUR"), Set{20});
  EXPECT_EQ(darwins_named_in("Big Sur 2"), Set{20});
  EXPECT_EQ(darwins_named_in("mountain_lion"), Set{12});
  EXPECT_EQ(darwins_named_in("Lion.dmg"), Set{11});
  EXPECT_EQ(darwins_named_in("medallion"), Set{});
  EXPECT_EQ(darwins_named_in("BaseSystem.img"), Set{});
  EXPECT_EQ(darwins_named_in("from Catalina to Monterey"), (Set{19, 21}));
}

TEST(MacosName, IsAVersionBehindTheProduct) {
  EXPECT_EQ(darwins_named_in("macOS-13"), Set{22});
  EXPECT_EQ(darwins_named_in("macos13.qcow2"), Set{22});
  EXPECT_EQ(darwins_named_in("macOS_10.15.7"), Set{19});
  EXPECT_EQ(darwins_named_in("OSX-10.11"), Set{15});
  EXPECT_EQ(darwins_named_in("Mac OS X 10.6"), Set{10});
  EXPECT_EQ(darwins_named_in("macos26"), Set{25});
  EXPECT_EQ(darwins_named_in("macos-2"), Set{}) << "the second such machine";
  EXPECT_EQ(darwins_named_in("macos-10"), Set{});
  EXPECT_EQ(darwins_named_in("macos-20"), Set{});
  EXPECT_EQ(darwins_named_in("disk-13.qcow2"), Set{});
}

TEST(MacosName, IsToldToPeople) {
  EXPECT_EQ(macos_name(22), "macOS 13 Ventura");
  EXPECT_EQ(macos_name(3), "");
}

}  // namespace
}  // namespace ferry
