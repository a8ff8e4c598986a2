// SPDX-License-Identifier: Apache-2.0
#include "migration/target_names.hpp"

#include <gtest/gtest.h>

namespace ferry::migration {
namespace {

TEST(TargetNames, KeepsWhatIsSafe) {
  EXPECT_EQ(safe_name("Windows XP (old)"), "Windows XP (old)");
  EXPECT_EQ(safe_name("Größe"), "Größe");
}

TEST(TargetNames, DefusesPathsOptionsAndControlCharacters) {
  EXPECT_EQ(safe_name("../x"), "_._x");
  EXPECT_EQ(safe_name("-rf"), "_rf");
  EXPECT_EQ(safe_name("a\nb"), "a_b");
  EXPECT_EQ(safe_name(std::string("a\0b", 3)), "a_b");
  EXPECT_EQ(safe_name("  "), "machine");
  EXPECT_EQ(safe_name("\xff"), "\xEF\xBF\xBD");
  EXPECT_EQ(safe_name("a\u009bb"), "a_b") << "a terminal's escape in one character";
  EXPECT_EQ(safe_name("a\u202eb"), "a_b") << "writes backwards what follows";
}

TEST(TargetNames, BoundsTheLengthWithoutCuttingACharacter) {
  std::string umlauts;
  for (int i = 0; i < 300; ++i) umlauts += "ü";
  EXPECT_EQ(safe_name(umlauts).size(), 200U);
  EXPECT_EQ(safe_name("a" + umlauts).size(), 199U);
}

TEST(TargetNames, SnapshotsGetNamesOfTheirOwn) {
  std::set<std::string> taken;
  EXPECT_EQ(unique_snapshot_name("a/b", taken), "a_b");
  EXPECT_EQ(unique_snapshot_name("a_b", taken), "a_b (2)");
  EXPECT_EQ(unique_snapshot_name("", taken), "snapshot");
}

TEST(TargetNames, TheFirstDiskHasTheMachinesName) {
  EXPECT_EQ(disk_file("web", 0, ".qcow2"), "web.qcow2");
  EXPECT_EQ(disk_file("web", 1, ".qcow2"), "web-2.qcow2");
}

}  // namespace
}  // namespace ferry::migration
