// SPDX-License-Identifier: Apache-2.0
// Small files that would keep a reader busy for long are refused before they do.
#include <chrono>
#include <gtest/gtest.h>
#include <zlib.h>

#include "converters/disk.hpp"
#include "converters/images/image.hpp"
#include "tests/kit/disk_images.hpp"
#include "tests/kit/files.hpp"
#include "tests/kit/folder.hpp"

#include "support/error.hpp"

namespace ferry::test {
namespace {

using namespace std::chrono_literals;

struct Bounds : testing::Test {
  TempFolder folder;
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();

  void expect_quick() const { EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s); }

  static ErrorKind kind_of(const ImageFile &file) {
    try {
      (void)disk::inspect({.chain = {file}}, {}, disk::Engine::automatic);
    } catch (const Error &error) {
      return error.kind();
    }
    return ErrorKind::internal;
  }
};

TEST_F(Bounds, VmdkOfEightExbibytesIsRefused) {
  const std::uint64_t sectors = (std::uint64_t{1} << 63U) / 512 - 1;
  write_file(folder / "huge.vmdk",
             std::string_view(vmdk_descriptor("custom2", "RW " + std::to_string(sectors) + " ZERO\n")));
  EXPECT_EQ(kind_of(image_file(folder / "huge.vmdk")), ErrorKind::malformed);
  expect_quick();
}

TEST_F(Bounds, DiskOf64TebibytesIsRead) {
  write_file(folder / "large.vmdk", std::string_view(vmdk_descriptor(
                                        "custom2", "RW " + std::to_string(image::kLargestDisk / 512) + " ZERO\n")));
  EXPECT_EQ(image::open_chain({.chain = {image_file(folder / "large.vmdk")}}, {}).virtual_size(), image::kLargestDisk);
  write_file(
      folder / "larger.vmdk",
      std::string_view(vmdk_descriptor("custom2", "RW " + std::to_string(image::kLargestDisk / 512 + 1) + " ZERO\n")));
  EXPECT_EQ(kind_of(image_file(folder / "larger.vmdk")), ErrorKind::malformed);
}

// A broken download shows before anything is planned: also where tables and markers are sound.
TEST_F(Bounds, DamagedGrainsShowWhenTheImageIsLookedAt) {
  const Layer layer{.size = 4U << 20U, .block_size = 65536, .blocks = std::vector<Block>(64, Block::data)};
  const std::string descriptor = vmdk_descriptor("streamOptimized", "RW 8192 SPARSE \"disk.vmdk\"\n");
  const Bytes sound = make_hosted_sparse(layer, {.descriptor = descriptor, .compressed = true, .footer = true});
  write_file(folder / "disk.vmdk", sound);
  EXPECT_NO_THROW((void)disk::inspect({.chain = {image_file(folder / "disk.vmdk")}}, {}, disk::Engine::automatic));
  Bytes damaged = sound;
  // The first grain's zlib stream: behind the header, the descriptor and a marker of 12 bytes.
  std::size_t at = 0;
  for (std::size_t sector = 512; sector + 512 < damaged.size() && at == 0; sector += 512) {
    if (damaged[sector + 12] == 0x78 && damaged[sector] == 0) at = sector + 12;
  }
  ASSERT_NE(at, 0U);
  damaged[at + 1] ^= 0x10U;
  write_file(folder / "disk.vmdk", damaged);
  try {
    (void)disk::inspect({.chain = {image_file(folder / "disk.vmdk")}}, {}, disk::Engine::automatic);
    FAIL() << "a damaged grain was overlooked";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::malformed);
    EXPECT_NE(error.detail().advice.find("download the image again"), std::string::npos);
  }
}

// 16 GiB of zeros in 16 MiB: half a minute and more to inflate.
void write_bomb(const std::filesystem::path &file) {
  const Bytes zeros(16U << 20U);
  const Bytes member = make_gzip(zeros, zeros.size());
  Bytes all;
  for (int i = 0; i < 1024; ++i) all.insert(all.end(), member.begin(), member.end());
  write_file(file, all);
}

TEST_F(Bounds, GzippedImageThatBeginsAsNoneIsNotInflated) {
  write_bomb(folder / "disk.vmdk.gz");
  begin = std::chrono::steady_clock::now();
  ImageFile file = image_file(folder / "disk.vmdk.gz", ImageFormat::vmdk);
  file.gzip = true;
  EXPECT_EQ(kind_of(file), ErrorKind::unsupported);
  expect_quick();
}

}  // namespace
}  // namespace ferry::test
