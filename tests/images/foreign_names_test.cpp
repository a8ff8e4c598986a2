// SPDX-License-Identifier: Apache-2.0
// The files that QEMU's images name, however they write it.
#include "converters/images/foreign_names.hpp"

#include <gtest/gtest.h>

#include "tests/kit/byte_writer.hpp"

namespace ferry::test {
namespace {

namespace fs = std::filesystem;

class FilesBelow : public testing::Test {
 protected:
  // A qcow2's header, with a backing file of that name, and a data file if there is one.
  fs::path qcow2(const std::string &file, const std::string &backing, const std::string &data = {}) const {
    constexpr std::size_t kHeader = 112, kNames = 1024;  // bytes
    Bytes bytes(65536);
    ByteWriter writer(bytes);
    writer.text(0, "QFI\xfb");
    writer.big(4, 3, 4);
    if (!backing.empty()) {
      writer.big(8, kNames, 8);
      writer.big(16, backing.size(), 4);
      writer.text(kNames, backing);
    }
    writer.big(20, 16, 4);         // cluster bits
    writer.big(24, 1U << 20U, 8);  // virtual size
    writer.big(100, kHeader, 4);
    if (!data.empty()) {
      writer.big(72, 4, 8);
      writer.big(kHeader, 0x44415441, 4);
      writer.big(kHeader + 4, data.size(), 4);
      writer.text(kHeader + 8, data);
    }
    write_file(folder_ / file, bytes);
    return folder_ / file;
  }

  TempFolder folder_;
};

using Files = std::vector<fs::path>;

TEST_F(FilesBelow, NamesAreReadAsQemuReadsThem) {
  const fs::path base = folder_ / "base.img";
  EXPECT_EQ(image::files_below(qcow2("a", "base.img")), Files{base});
  EXPECT_EQ(image::files_below(qcow2("b", base.string())), Files{base});
  EXPECT_EQ(image::files_below(qcow2("c", "file:" + base.string())), Files{base});
  EXPECT_EQ(image::files_below(qcow2("d", "./sub/../base.img")), Files{base});
  EXPECT_EQ(image::files_below(qcow2("e", "a:b/base.img")), Files{});  // a protocol
  EXPECT_EQ(image::files_below(qcow2("f", "./a:b")), Files{folder_ / "a:b"});
  EXPECT_EQ(image::files_below(qcow2("g", "nbd://host/base.img")), Files{});
  EXPECT_EQ(image::files_below(qcow2("h", R"(json:{"driver":"raw","file":{"driver":"file","filename":"base.img"}})")),
            Files{base});
  EXPECT_EQ(
      image::files_below(qcow2("i", R"(json:{"driver":"qcow2","file.driver":"file","file.filename":"base.img"})")),
      Files{base});
  EXPECT_EQ(image::files_below(qcow2("j", R"(json:{"driver":)")), Files{});
}

TEST_F(FilesBelow, AChainIsFollowedToItsEnd) {
  qcow2("1", "");
  qcow2("2", "1", "data.raw");
  EXPECT_EQ(image::files_below(qcow2("3", "2")), (Files{folder_ / "2", folder_ / "1", folder_ / "data.raw"}));
}

TEST_F(FilesBelow, AQedImagesParentIsNamedToo) {
  Bytes bytes(4096);
  ByteWriter writer(bytes);
  writer.text(0, "QED");
  writer.little(4, 4096, 4);  // cluster size
  writer.little(16, 1, 8);    // features: a backing file
  writer.little(48, 1U << 20U, 8);
  writer.little(56, 64, 4);
  writer.little(60, 4, 4);
  writer.text(64, "base");
  write_file(folder_ / "a.qed", bytes);
  EXPECT_EQ(image::files_below(folder_ / "a.qed"), Files{folder_ / "base"});
}

TEST_F(FilesBelow, WhatIsNoImageNamesNothing) {
  write_file(folder_ / "text", "QFI and more text");
  write_file(folder_ / "short", "QFI\xfb");
  for (const char *name : {"text", "short", "absent", "."})
    EXPECT_EQ(image::files_below(folder_ / name), Files{}) << name;
}

TEST_F(FilesBelow, ALoopEnds) {
  qcow2("a", "b");
  qcow2("b", "a");
  EXPECT_EQ(image::files_below(folder_ / "a").size(), 2U);
}

}  // namespace
}  // namespace ferry::test
