// SPDX-License-Identifier: Apache-2.0
// QEMU's own syntax: options, keys, numbers.
#include "importers/qemu/options.hpp"

#include <gtest/gtest.h>

namespace ferry::qemu {
namespace {

std::string text_of(const std::vector<Key> &keys) {
  std::string out;
  for (const Key &key : keys) out += (out.empty() ? "" : ";") + key.name + ":" + key.value;
  return out;
}

std::vector<Option> options(std::vector<std::string> words) {
  Launch launch;
  for (std::string &word : words) launch.words.push_back({std::move(word), 3, "/vm/start.sh"});
  return parse_options(launch);
}

TEST(Keys, ListsWithAndWithoutAFirstValue) {
  EXPECT_EQ(text_of(parse_keys("q35,accel=kvm", "type")), "type:q35;accel:kvm");
  EXPECT_EQ(text_of(parse_keys("file=a=b,if=none", "")), "file:a=b;if:none");
  EXPECT_EQ(text_of(parse_keys("id=x,server,nowait,readonly", "backend")), "id:x;server:on;wait:off;readonly:on");
  EXPECT_EQ(text_of(parse_keys("", "type")), "");
}

TEST(Keys, ADoubledCommaIsAComma) {
  EXPECT_EQ(text_of(parse_keys("file=a,,b.img,,,format=raw", "")), "file:a,b.img,;format:raw");
}

TEST(Keys, JsonIsFlattened) {
  const auto keys =
      parse_json(R"({"driver":"qcow2","cache":{"direct":true},"list":[1,"b"],"file":{"filename":"a,b"}})");
  ASSERT_TRUE(keys);
  EXPECT_EQ(text_of(*keys), "cache.direct:on;driver:qcow2;file.filename:a,b;list.0:1;list.1:b");
  EXPECT_FALSE(parse_json("{\"driver\":"));
  EXPECT_FALSE(parse_json(std::string(100'000, '[')));
}

TEST(Options, OneAndTwoDashesAliasesAndImages) {
  const auto all = options({"-M", "pc", "--enable-kvm", "disk.img", "-device", "{\"driver\":\"usb-kbd\"}"});
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].name, "machine");
  EXPECT_EQ(text_of(all[0].keys), "type:pc");
  EXPECT_EQ(all[1].name, "enable-kvm");
  EXPECT_EQ(all[2].name, "hda");
  EXPECT_EQ(all[2].keys[0].value, "disk.img");
  EXPECT_TRUE(all[3].json);
  EXPECT_EQ(text_of(all[3].keys), "driver:usb-kbd");
  EXPECT_EQ(all[3].where.line, 3U);
}

TEST(Options, AnArgumentIsAlwaysTheNextWord) {
  const auto all = options({"-name", "-odd", "-append", "root=/dev/sda console=ttyS0"});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].keys[0].value, "-odd");
  EXPECT_EQ(all[1].keys[0].value, "root=/dev/sda console=ttyS0");
  EXPECT_THROW(options({"-m"}), Error);
  EXPECT_THROW(options({"-device", "{nonsense"}), Error);
}

TEST(Options, WhatIsGoneIsKnownAndWhatNeverWasIsNot) {
  const auto all = options({"-soundhw", "hda", "-memory", "512", "-localtime"});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_TRUE(all[0].known && all[0].removed);
  EXPECT_FALSE(all[1].known);
  EXPECT_EQ(all[1].argument, "512");
  EXPECT_TRUE(all[2].removed);
}

TEST(Numbers, Sizes) {
  constexpr std::uint64_t kMiB = 1U << 20U;
  EXPECT_EQ(parse_size("512", kMiB), 512 * kMiB);
  EXPECT_EQ(parse_size("2g", kMiB), 2048 * kMiB);
  EXPECT_EQ(parse_size("0.5G", kMiB), 512 * kMiB);
  EXPECT_EQ(parse_size("1.5G", kMiB), 1536 * kMiB);
  EXPECT_EQ(parse_size("100k", kMiB), 102400U);
  EXPECT_FALSE(parse_size("8gb", kMiB));
  EXPECT_FALSE(parse_size("", kMiB));
  EXPECT_FALSE(parse_size("99999999999999T", kMiB));
  EXPECT_EQ(parse_number("0x1fff"), 0x1fffU);
  EXPECT_FALSE(parse_number("1x"));
  EXPECT_EQ(parse_bool("on"), true);
  EXPECT_EQ(parse_bool("no"), false);
  EXPECT_FALSE(parse_bool("maybe"));
}

}  // namespace
}  // namespace ferry::qemu
