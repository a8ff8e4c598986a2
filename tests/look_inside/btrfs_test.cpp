// SPDX-License-Identifier: Apache-2.0
// Btrfs as mkfs.btrfs makes it of a folder; its own driver writes packed files and subvolumes, where this runs as root.
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

constexpr std::uint64_t kSize = 160 * kMiB;

class LookInsideBtrfs : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_program("mkfs.btrfs")) GTEST_SKIP() << "no mkfs.btrfs";
  }
  static Files system() {
    Files files = debian();
    std::string modules;
    for (int i = 0; modules.size() < 900000; ++i)
      modules += "kernel/drivers/other/module" + std::to_string(i) + ".ko\n";
    files["lib/modules/6.1.0-10-amd64/modules.builtin"] = modules + "kernel/drivers/ata/ahci.ko\n";
    files["boot/initrd.img-6.1.0-10-amd64"] = archive_of({"usr/lib/modules/6.1/kernel/virtio_blk.ko"}, "gzip");
    for (int i = 0; i < 500; ++i) files["usr/share/many/file" + std::to_string(i)] = "x";
    return files;
  }
  // The file system is mounted with those options at $2 while the script fills it from the folder $3.
  int filled(const std::string &options, const std::string &script) {
    make_btrfs(folder_ / "root", kSize, {});
    std::filesystem::create_directories(folder_ / "at");
    const TempFolder from;
    write_tree(system(), from);
    return run({"sh", "-c",
                "mount -o loop," + options + " \"$1\" \"$2\" || exit 3; { " + script +
                    "; }; result=$?; umount \"$2\"; exit $result",
                "sh", (folder_ / "root").string(), (folder_ / "at").string(), from.path().string()});
  }
  void expect_system(const Observed &out) {
    ASSERT_EQ(out.linux_systems.size(), 1U) << out.volumes.at(0).problem;
    EXPECT_EQ(out.volumes[0].content, "btrfs");
    EXPECT_EQ(out.linux_systems[0].id, "debian");
    EXPECT_EQ(out.linux_systems[0].host_name, "web");
    EXPECT_THAT(out.linux_systems[0].kernels.at(0).drivers, ElementsAre("ahci", "virtio_blk"));
  }
  TempFolder folder_;
};

TEST_F(LookInsideBtrfs, OfEveryKindIsRead) {
  const std::vector<std::vector<std::string>> kinds{
      {}, {"-n", "4096"}, {"-n", "65536", "-m", "single"}, {"--mixed", "--csum", "sha256"}};
  for (const auto &kind : kinds) {
    SCOPED_TRACE(kind.empty() ? "" : kind.back());
    make_btrfs(folder_ / "root", kSize, system(), kind);
    const Observed out = look_at({folder_ / "root"});
    expect_system(out);
    EXPECT_EQ(out.volumes[0].label, "system");
    EXPECT_FALSE(out.volumes[0].dirty);
  }
}

TEST_F(LookInsideBtrfs, PackedFilesAreRead) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  for (const char *packing : {"zstd", "zlib", "no"}) {
    SCOPED_TRACE(packing);
    const int result = filled(std::string("compress-force=") + packing, "cp -a \"$3\"/. \"$2\"/");
    if (result == 3) GTEST_SKIP() << "no Btrfs can be mounted here";
    ASSERT_EQ(result, 0);
    expect_system(look_at({folder_ / "root"}));
  }
}

// As Fedora, Ubuntu and openSUSE install themselves.
TEST_F(LookInsideBtrfs, TheSystemsSubvolumeIsFound) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  const std::string copy = " && cp -a \"$3\"/. \"$2\"/", make = "btrfs -q subvolume create \"$2\"/";
  for (const std::string &script : {make + "root" + copy + "root/", make + "@ && " + make + "@home" + copy + "@/",
                                    make + "@ && " + make + "@/boot && " + make + "@/snapshot" + copy +
                                        "@/snapshot/ && btrfs subvolume set-default \"$2\"/@/snapshot",
                                    // What is on a subvolume of its own below it.
                                    make + "@ && " + make + "@/usr" + copy + "@/"}) {
    SCOPED_TRACE(script);
    const int result = filled("compress=zstd:1", script);
    if (result == 3) GTEST_SKIP() << "no Btrfs can be mounted here";
    ASSERT_EQ(result, 0);
    expect_system(look_at({folder_ / "root"}));
  }
}

TEST_F(LookInsideBtrfs, DamagedInEveryPlaceNeverDoesHarm) {
  make_btrfs(folder_ / "root", kSize, debian());
  const std::filesystem::path file = folder_ / "root";
  const Bytes sound = read_file(file);
  const auto put = [&](std::size_t at, std::uint8_t value) {
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(at));
    out.put(static_cast<char>(value));
  };
  std::size_t changed = 0;
  for (std::size_t at = 65536; at < sound.size() && changed < 400; at += at < 65536 + 4096 ? 13 : 211) {
    if (sound[at] == 0) continue;
    ++changed;
    for (const std::uint8_t value : {std::uint8_t{0xff}, static_cast<std::uint8_t>(sound[at] ^ 1U)}) {
      put(at, value);
      EXPECT_NO_THROW(static_cast<void>(look_at({file}))) << at;
    }
    put(at, sound[at]);
  }
  EXPECT_GT(changed, 50U);
  EXPECT_EQ(look_at({file}).linux_systems.size(), 1U);
}

}  // namespace
}  // namespace ferry::test
