// SPDX-License-Identifier: Apache-2.0
// qcow2 images that are looked into: each kind that QEMU writes gives the bytes that it was made of.
#include "converters/images/qcow2_look.hpp"

#include <gtest/gtest.h>

#include "tests/kit/disk_images.hpp"
#include "tests/kit/folder.hpp"

namespace ferry::test {
namespace {

class Qcow2Look : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_program("qemu-img")) GTEST_SKIP() << "no qemu-img";
    const Layer layer{.size = 5 * 65536 + 512,
                      .block_size = 32768,
                      .blocks = {Block::data, Block::zero, Block::data, Block::absent, Block::data, Block::zero,
                                 Block::zero, Block::absent, Block::data, Block::data, Block::data}};
    plain_ = expected_content({layer});
    write_file(folder_ / "raw", plain_);
  }
  image::Chain made(const std::vector<std::string> &options) {
    std::vector<std::string> command{"qemu-img", "convert", "-f", "raw", "-O", "qcow2"};
    command.insert(command.end(), options.begin(), options.end());
    command.push_back((folder_ / "raw").string());
    command.push_back((folder_ / "image").string());
    EXPECT_EQ(run(command), 0);
    return opened();
  }
  image::Chain opened() { return image::open_qcow2_to_look(image_file(folder_ / "image", ImageFormat::qcow2), {}); }

  TempFolder folder_;
  Bytes plain_;
};

TEST_F(Qcow2Look, GivesTheGuestsBytes) {
  for (const std::vector<std::string> &options : {std::vector<std::string>{},
                                                  {"-o", "compat=0.10"},
                                                  {"-o", "cluster_size=512"},
                                                  {"-o", "cluster_size=2M"},
                                                  {"-c"},
                                                  {"-c", "-o", "compression_type=zstd"},
                                                  {"-c", "-o", "cluster_size=4096"}}) {
    const image::Chain chain = made(options);
    EXPECT_EQ(chain.virtual_size(), plain_.size());
    for (const std::size_t step : {1U << 20U, 5000U}) EXPECT_EQ(content(chain, step), plain_) << options.size();
  }
}

TEST_F(Qcow2Look, HolesAreNotData) {
  std::vector<image::Chain::VisibleExtent> map;
  made({}).map(0, plain_.size(), map);
  ASSERT_FALSE(map.empty());
  EXPECT_TRUE(
      std::any_of(map.begin(), map.end(), [](const auto &one) { return one.extent.kind == image::ExtentKind::zero; }));
}

TEST_F(Qcow2Look, WhatLeadsElsewhereOrIsCutIsRefused) {
  (void)made({});
  ASSERT_EQ(run({"qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", (folder_ / "image").string(),
                 (folder_ / "child").string()}),
            0);
  EXPECT_THROW((void)image::open_qcow2_to_look(image_file(folder_ / "child", ImageFormat::qcow2), {}), Error);
  ASSERT_EQ(
      run({"qemu-img", "create", "-q", "-f", "qcow2", "-o", "extended_l2=on", (folder_ / "child").string(), "1M"}), 0);
  EXPECT_THROW((void)image::open_qcow2_to_look(image_file(folder_ / "child", ImageFormat::qcow2), {}), Error);
  const Bytes whole = read_file(folder_ / "image");
  for (const std::size_t length : {std::size_t{60}, std::size_t{104}, whole.size() / 2}) {
    write_file(folder_ / "image", Bytes(whole.begin(), whole.begin() + static_cast<long>(length)));
    EXPECT_THROW((void)content(opened()), Error) << length;
  }
}

}  // namespace
}  // namespace ferry::test
