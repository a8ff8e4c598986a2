// SPDX-License-Identifier: Apache-2.0
#include "converters/guest/hive.hpp"

#include <cstdio>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kit/folder.hpp"
#include "tests/look_inside/hive_writer.hpp"

#include "support/subprocess.hpp"

namespace ferry::guest {
namespace {

using test::HiveOptions;
using testing::ElementsAre;

Hive hive_of(const test::HiveKey &root, const HiveOptions &options = {}) {
  return Hive(std::make_shared<MemoryFile>(test::make_hive(root, options)));
}

TEST(Hive, HivexReadsWhatTheTestsWriteAsWeDo) {
  if (test::run({"sh", "-c", "command -v hivexget"}) != 0) GTEST_SKIP() << "no hivexget";
  const test::HiveKey root = test::system_hive({});
  for (const auto lists : {HiveOptions::Lists::hashed, HiveOptions::Lists::old_hashed, HiveOptions::Lists::plain,
                           HiveOptions::Lists::of_lists}) {
    const test::TempFolder folder;
    test::write_file(folder / "hive", test::make_hive(root, {.lists = lists}));
    const auto said = [&](const char *key, const char *value) {
      return subprocess::run({.program = "hivexget",
                              .arguments = {(folder / "hive").string(), key, value},
                              .locked_in = {},
                              .on_line = {}},
                             {})
          .output;
    };
    const Hive hive = hive_of(root, {.lists = lists});
    const auto key = hive.find(hive.root(), "controlset001\\SERVICES\\stornvme");
    ASSERT_TRUE(key);
    EXPECT_EQ(hive.dword(*key, "start"), 3U);
    EXPECT_EQ(said("\\ControlSet001\\Services\\stornvme", "Start"), "3\n");
    const auto name = hive.find(hive.root(), "ControlSet001\\Control\\ComputerName\\ComputerName");
    EXPECT_EQ(hive.text(*name, "ComputerName"), "DESKTOP-1");
    EXPECT_EQ(said("\\ControlSet001\\Control\\ComputerName\\ComputerName", "ComputerName"), "DESKTOP-1\n");
  }
}

TEST(Hive, AValueSaysWhereItLies) {
  const test::HiveKey root = test::system_hive({});
  const Bytes bytes = test::make_hive(root);
  const Hive hive(std::make_shared<MemoryFile>(bytes));
  const auto value = hive.value(*hive.find(hive.root(), "ControlSet001\\Services\\stornvme"), "Start");
  ASSERT_TRUE(value);
  EXPECT_THAT(value->data, ElementsAre(3, 0, 0, 0));
  EXPECT_EQ(
      Bytes(bytes.begin() + static_cast<long>(value->data_at), bytes.begin() + static_cast<long>(value->data_at) + 4),
      value->data);
}

TEST(Hive, WhatIsNotThereIsNoError) {
  const Hive hive = hive_of(test::system_hive({}));
  EXPECT_FALSE(hive.find(hive.root(), "ControlSet009"));
  const auto select = hive.find(hive.root(), "Select");
  EXPECT_FALSE(hive.value(*select, "Nothing"));
  EXPECT_EQ(hive.text(*select, "Current"), "");  // a number
  EXPECT_FALSE(hive.is_dirty());
}

TEST(Hive, ADamagedHeaderIsDirty) {
  Bytes bytes = test::make_hive(test::system_hive({}));
  bytes[100] ^= 1;
  EXPECT_TRUE(Hive(std::make_shared<MemoryFile>(bytes)).is_dirty());
}

// Any four bytes set to what they may not be: read, or refused, and never read beyond.
TEST(Hive, DamageIsRefusedOrHarmless) {
  const Bytes whole = test::make_hive(test::system_hive({}));
  std::size_t refused = 0;
  for (std::size_t at = 4096; at + 4 <= whole.size(); at += 4) {
    for (const unsigned filling : {0xffU, 0x7fU, 0x00U}) {
      Bytes bytes = whole;
      std::fill_n(bytes.begin() + static_cast<long>(at), 4, static_cast<std::uint8_t>(filling));
      try {
        const Hive hive(std::make_shared<MemoryFile>(bytes));
        if (const auto services = hive.find(hive.root(), "ControlSet001\\Services")) {
          for (const auto &[name, key] : hive.children(*services)) static_cast<void>(hive.dword(key, "Start"));
        }
      } catch (const Error &error) {
        EXPECT_EQ(error.kind(), ErrorKind::malformed) << at;
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 50U);
}

TEST(Hive, ListsThatLeadToThemselvesEnd) {
  Bytes bytes = test::make_hive(test::system_hive({}), {.lists = HiveOptions::Lists::of_lists});
  // The list of lists names itself.
  const std::string text(bytes.begin(), bytes.end());
  for (std::size_t at = text.find("ri", 4096); at != std::string::npos; at = text.find("ri", at + 1)) {
    if (bytes[at + 2] != 2 || bytes[at + 3] != 0) continue;
    const std::size_t cell = at - 4 - 4096;
    for (std::size_t i = 0; i < 4; ++i) bytes[at + 4 + i] = static_cast<std::uint8_t>(cell >> (8 * i));
  }
  const Hive hive(std::make_shared<MemoryFile>(bytes));
  EXPECT_THROW(static_cast<void>(hive.children(hive.root())), Error);
}

}  // namespace
}  // namespace ferry::guest
