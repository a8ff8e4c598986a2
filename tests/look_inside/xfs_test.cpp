// SPDX-License-Identifier: Apache-2.0
// XFS as mkfs.xfs makes it, of both versions; its own driver writes what mkfs.xfs does not make.
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/kit/disk_images.hpp"
#include "tests/kit/folder.hpp"
#include "tests/look_inside/disks.hpp"

namespace ferry::test {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t kSize = 320 * kMiB;

class LookInsideXfs : public testing::Test {
 protected:
  void SetUp() override {
    if (run({"sh", "-c", "command -v mkfs.xfs"}) != 0) GTEST_SKIP() << "no mkfs.xfs";
  }
  Observed seen(const Files &files, const std::vector<std::string> &options = {}) {
    make_xfs(folder_ / "root", kSize, files, options);
    return look_at({folder_ / "root"});
  }
  TempFolder folder_;
};

const std::vector<std::vector<std::string>> kKinds{{},
                                                   {"-m", "crc=0"},
                                                   {"-m", "crc=0", "-n", "ftype=0"},
                                                   {"-n", "size=16384"},
                                                   {"-b", "size=1024"},
                                                   {"-i", "size=1024"}};

TEST_F(LookInsideXfs, OfEveryVersionIsRead) {
  Files files = debian();
  files["boot/initrd.img-6.1.0-10-amd64"] = archive_of({"usr/lib/modules/6.1/kernel/virtio_blk.ko"}, "gzip");
  for (const auto &kind : kKinds) {
    const Observed out = seen(files, kind);
    SCOPED_TRACE(kind.empty() ? "" : kind.back());
    ASSERT_EQ(out.linux_systems.size(), 1U) << out.volumes.at(0).problem;
    EXPECT_EQ(out.volumes[0].content, "xfs");
    EXPECT_EQ(out.volumes[0].label, "system");
    EXPECT_EQ(out.volumes[0].id.size(), 36U);
    EXPECT_EQ(out.linux_systems[0].id, "debian");  // by way of a link
    EXPECT_EQ(out.linux_systems[0].host_name, "web");
    EXPECT_EQ(out.linux_systems[0].kernels.at(0).version, "6.1.0-10-amd64");
    EXPECT_THAT(out.linux_systems[0].kernels[0].drivers, ElementsAre("virtio_blk"));
  }
}

// Folders grow out of their inode into a block, then into many with an index.
TEST_F(LookInsideXfs, FoldersOfEverySizeAreRead) {
  for (const auto &kind : kKinds) {
    SCOPED_TRACE(kind.empty() ? "" : kind.back());
    for (const std::size_t count : {3U, 60U, 1500U}) {
      Files files = debian();
      for (std::size_t i = 0; i < count; ++i) files["etc/network/interfaces.d/card" + std::to_string(i)] = "x";
      files["etc/network/interfaces.d/zz"] = "iface ens99 inet dhcp\n";
      files["usr/bin/name" + std::to_string(count)] = "x";
      const Observed out = seen(files, kind);
      ASSERT_EQ(out.linux_systems.size(), 1U) << out.volumes.at(0).problem;
      EXPECT_EQ(out.linux_systems[0].architecture, "x86_64");
      // So many files of a folder are not looked at.
      if (count < 60) {
        EXPECT_EQ(out.linux_systems[0].interfaces.back().name, "ens99");
      }
    }
  }
}

// A file with hundreds of holes, which the kernel's own driver punches, has a tree of extents.
TEST_F(LookInsideXfs, FilesInManyPiecesAreReadWhole) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  std::string modules;
  for (int i = 0; modules.size() < 900000; ++i) modules += "kernel/drivers/other/module" + std::to_string(i) + ".ko\n";
  modules += "kernel/drivers/ata/ahci.ko\n";
  Files files = debian();
  files["lib/modules/6.1.0-10-amd64/modules.builtin"] = modules;
  files["boot/initrd.img-6.1.0-10-amd64"] = archive_of({"usr/lib/modules/6.1/kernel/virtio_blk.ko"}, "gzip");
  for (const auto &kind : {kKinds[0], kKinds[4]}) {  // newer kernels do not mount version 4
    SCOPED_TRACE(kind.empty() ? "" : kind.back());
    const std::filesystem::path root = folder_ / "root", at = folder_ / "at";
    make_xfs(root, kSize, files, kind);
    std::filesystem::create_directories(at);
    const std::string script =
        "mount -o loop \"$1\" \"$2\" || exit 3; i=0; while [ $i -lt 200 ]; do "
        "fallocate -p -o $((i * 4096)) -l 4096 \"$2/lib/modules/6.1.0-10-amd64/modules.builtin\" || exit 4; "
        "i=$((i + 2)); done; umount \"$2\"";
    const int result = run({"sh", "-c", script, "sh", root.string(), at.string()});
    if (result == 3) GTEST_SKIP() << "no XFS can be mounted here";
    ASSERT_EQ(result, 0);
    const Observed out = look_at({root});
    ASSERT_EQ(out.linux_systems.size(), 1U) << out.volumes.at(0).problem;
    EXPECT_THAT(out.linux_systems[0].kernels.at(0).drivers, ElementsAre("ahci", "virtio_blk"));
  }
}

TEST_F(LookInsideXfs, DamagedInEveryPlaceNeverDoesHarm) {
  Files files = debian();
  make_xfs(folder_ / "root", kSize, files);
  const Bytes sound = read_file(folder_ / "root");
  // The superblock, the first inodes and the folders' blocks lie at the front.
  std::size_t changed = 0;
  for (std::size_t at = 0; at < 512 * 1024 && changed < 400; at += 13) {
    if (sound[at] == 0 && at > 512) continue;
    ++changed;
    for (const std::uint8_t value : {std::uint8_t{0xff}, static_cast<std::uint8_t>(sound[at] ^ 1U)}) {
      {
        std::fstream file(folder_ / "root", std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(at));
        file.put(static_cast<char>(value));
      }
      EXPECT_NO_THROW(static_cast<void>(look_at({folder_ / "root"}))) << at;
    }
    std::fstream file(folder_ / "root", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(sound[at]));
  }
  EXPECT_GT(changed, 50U);
  EXPECT_EQ(look_at({folder_ / "root"}).linux_systems.size(), 1U);
}

}  // namespace
}  // namespace ferry::test
