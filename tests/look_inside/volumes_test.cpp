// SPDX-License-Identifier: Apache-2.0
// Partition tables, what is only recognised, what firmware can start, and what is broken.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/kit/byte_writer.hpp"
#include "tests/kit/folder.hpp"
#include "tests/look_inside/disks.hpp"
#include "tests/look_inside/hive_writer.hpp"
#include "tests/look_inside/ntfs_volume.hpp"

#include "support/file.hpp"

namespace ferry::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> contents(const Observed &observed) {
  std::vector<std::string> out;
  for (const ObservedVolume &one : observed.volumes) out.push_back(one.content);
  return out;
}

class LookInsideVolumes : public testing::Test {
 protected:
  std::filesystem::path marked(const std::string &name, std::uint64_t at, std::string_view mark) {
    Bytes bytes(2 * kMiB);
    ByteWriter(bytes).text(at, mark);
    write_file(folder_ / name, bytes);
    return folder_ / name;
  }
  TempFolder folder_;
};

TEST_F(LookInsideVolumes, WhatCannotBeReadIsNamed) {
  using namespace std::string_view_literals;
  const std::vector<std::tuple<std::string, std::uint64_t, std::string_view>> marks{
      {"xfs", 0, "XFSB"},   {"btrfs", 65536 + 64, "_BHRfS_M"}, {"luks", 0, "LUKS\xba\xbe\0\2"sv},
      {"apfs", 32, "NXSB"}, {"swap", 4086, "SWAPSPACE2"},      {"raid", 4096, "\xfc\x4e\x2b\xa9"sv},
      {"", 0, ""}};
  std::vector<Placed> volumes;
  std::vector<std::string> names;
  for (const auto &[name, at, mark] : marks) {
    volumes.push_back({marked("v" + name, at, mark), "linux"});
    names.push_back(name);
  }
  Bytes lvm(2 * kMiB);
  ByteWriter(lvm).text(512, "LABELONE");
  ByteWriter(lvm).text(512 + 24, "LVM2 001");
  write_file(folder_ / "lvm", lvm);
  volumes.push_back({folder_ / "lvm", "linux"});
  names.emplace_back("lvm");
  make_disk(folder_ / "disk", "gpt", volumes);
  const Observed out = look_at({folder_ / "disk"});
  EXPECT_EQ(contents(out), names);
  EXPECT_EQ(out.disks.at(0).table, "gpt");
}

TEST_F(LookInsideVolumes, LogicalPartitionsAreFound) {
  make_ext(folder_ / "one", 4 * kMiB, {{"file", "x"}});
  Bytes disk(64 * kMiB);
  write_file(folder_ / "disk", disk);
  const std::string script =
      "label: dos\nstart=2048, size=16384, type=83\nstart=20480, size=100000, type=5\n"
      "start=22528, size=16384, type=83\nstart=43008, size=16384, type=7\n";
  write_file(folder_ / "script", script);
  ASSERT_EQ(run({"sh", "-c", "sfdisk --quiet \"$1\" < \"$2\"", "sh", (folder_ / "disk").string(),
                 (folder_ / "script").string()}),
            0);
  disk = read_file(folder_ / "disk");
  const Bytes ext = read_file(folder_ / "one");
  std::copy(ext.begin(), ext.end(), disk.begin() + 22528L * 512);
  write_file(folder_ / "disk", disk);
  const Observed out = look_at({folder_ / "disk"});
  ASSERT_EQ(out.volumes.size(), 3U);
  EXPECT_EQ(out.volumes[1].number, 5U);
  EXPECT_EQ(out.volumes[1].content, "ext4");
  EXPECT_EQ(out.volumes[2].number, 6U);
  EXPECT_EQ(out.volumes[2].start, 43008U * 512);
  EXPECT_EQ(out.volumes[2].type, "07");
}

TEST_F(LookInsideVolumes, ATableThatLeadsToItselfEnds) {
  Bytes disk(4 * kMiB);
  ByteWriter writer(disk);
  writer.text(510, "\x55\xaa");
  writer.little(446 + 4, 5, 1);  // an extended partition at sector 8, whose next table is at sector 8 again
  writer.little(446 + 8, 8, 4);
  writer.little(446 + 12, 100, 4);
  writer.text(8 * 512 + 510, "\x55\xaa");
  writer.little(8 * 512 + 462 + 4, 5, 1);
  writer.little(8 * 512 + 462 + 8, 0xfffffff8, 4);
  writer.little(8 * 512 + 446 + 4, 0x83, 1);
  writer.little(8 * 512 + 446 + 8, 1, 4);
  writer.little(8 * 512 + 446 + 12, 10, 4);
  write_file(folder_ / "disk", disk);
  EXPECT_EQ(look_at({folder_ / "disk"}).volumes.size(), 1U);
  writer.little(8 * 512 + 462 + 8, 0, 4);
  writer.little(8 * 512 + 462 + 8, 1, 4);  // and one that has no mark
  write_file(folder_ / "disk", disk);
  EXPECT_EQ(look_at({folder_ / "disk"}).volumes.size(), 1U);
}

TEST_F(LookInsideVolumes, FirmwareFindsItsPrograms) {
  for (const char *bits : {"12", "16", "32"}) {
    const std::uint64_t size = std::string(bits) == "32" ? 40 * kMiB : std::string(bits) == "16" ? 16 * kMiB : 2 * kMiB;
    make_fat(folder_ / "esp", size,
             {{"EFI/BOOT/BOOTX64.EFI", "x"},
              {"EFI/Microsoft/Boot/bootmgfw.efi", "x"},
              {"EFI/a folder with a long name/shimx64.efi", "x"},
              {"EFI/BOOT/notes.txt", "x"}},
             bits);
    make_disk(folder_ / "disk", "gpt", {{folder_ / "esp", "uefi"}});
    const Observed out = look_at({folder_ / "disk"});
    std::vector<std::string> files;
    for (const ObservedLoader &one : out.loaders) files.push_back(one.file);
    EXPECT_THAT(files, testing::UnorderedElementsAre("\\EFI\\BOOT\\BOOTX64.EFI", "\\EFI\\Microsoft\\Boot\\bootmgfw.efi",
                                                     "\\EFI\\a folder with a long name\\shimx64.efi"))
        << bits << " " << out.volumes.at(0).problem;
    EXPECT_EQ(out.volumes.at(0).type, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
    EXPECT_EQ(out.volumes[0].content, "fat" + std::string(bits));
    EXPECT_EQ(out.volumes[0].label, "FIRMWARE");
    EXPECT_FALSE(out.volumes[0].dirty);
  }
}

TEST_F(LookInsideVolumes, BitLockerSaysWhatOpensIt) {
  Bytes volume(2 * kMiB);
  ByteWriter writer(volume);
  constexpr std::uint64_t kMetadata = 65536;
  writer.text(3, "-FVE-FS-");
  writer.little(176, kMetadata, 8);
  writer.text(kMetadata, "-FVE-FS-");
  std::uint64_t at = kMetadata + 64 + 48;
  for (const unsigned protection : {0x0100U, 0x0800U, 0x0800U, 0x0000U}) {
    writer.little(at, 80, 2);
    writer.little(at + 2, 2, 2);
    writer.little(at + 4, 8, 2);
    writer.little(at + 8 + 26, protection, 2);
    at += 80;
  }
  writer.little(kMetadata + 64, at - kMetadata - 64, 4);
  write_file(folder_ / "volume", volume);
  make_disk(folder_ / "disk", "gpt", {{folder_ / "volume", "linux"}});
  const Observed out = look_at({folder_ / "disk"});
  EXPECT_EQ(out.volumes.at(0).content, "bitlocker");
  EXPECT_THAT(out.volumes[0].protectors, ElementsAre("tpm", "recovery", "clear-key"));
  writer.text(kMetadata, "????????");
  write_file(folder_ / "volume", volume);
  make_disk(folder_ / "disk", "gpt", {{folder_ / "volume", "linux"}});
  EXPECT_THAT(look_at({folder_ / "disk"}).volumes.at(0).problem, HasSubstr("BitLocker's metadata"));
}

TEST_F(LookInsideVolumes, BootCodeIsSeen) {
  Bytes disk(2 * kMiB);
  write_file(folder_ / "disk", disk);
  EXPECT_FALSE(look_at({folder_ / "disk"}).disks.at(0).boot_code);
  ByteWriter(disk).text(0, "\xeb\x63\x90");
  ByteWriter(disk).text(510, "\x55\xaa");
  write_file(folder_ / "disk", disk);
  EXPECT_TRUE(look_at({folder_ / "disk"}).disks.at(0).boot_code);
}

// Each sector of what is read, filled with what it may not be: something is found, or a reason is.
class LookInsideDamage : public LookInsideVolumes {
 protected:
  static void damage(const std::filesystem::path &volume, std::uint64_t bytes, std::uint64_t step) {
    const file::Descriptor out(::open(volume.c_str(), O_RDWR | O_CLOEXEC));
    constexpr std::size_t kLength = 64;
    for (std::uint64_t at = 0; at < bytes; at += step) {
      Bytes whole(kLength);
      ASSERT_EQ(::pread(out.get(), whole.data(), kLength, static_cast<off_t>(at)), static_cast<ssize_t>(kLength));
      for (const unsigned filling : {0xffU, 0x00U, 0x41U}) {
        const Bytes damaged(kLength, static_cast<std::uint8_t>(filling));
        ASSERT_EQ(::pwrite(out.get(), damaged.data(), kLength, static_cast<off_t>(at)), static_cast<ssize_t>(kLength));
        EXPECT_NO_THROW(static_cast<void>(look_at({volume}))) << at;
      }
      ASSERT_EQ(::pwrite(out.get(), whole.data(), kLength, static_cast<off_t>(at)), static_cast<ssize_t>(kLength));
    }
  }
};

TEST_F(LookInsideDamage, OfNtfsIsNoError) {
  {
    NtfsVolume ntfs(folder_ / "v", 4 * kMiB);
    ntfs.write("Windows/System32/config/SYSTEM", make_hive(system_hive({})));
    for (int i = 0; i < 100; ++i) ntfs.write("Windows/file" + std::to_string(i), Bytes(10, 1));
  }
  ASSERT_EQ(look_at({folder_ / "v"}).windows.size(), 1U);
  damage(folder_ / "v", 256 * 1024, 512);
}

TEST_F(LookInsideDamage, OfExtIsNoError) {
  make_ext(folder_ / "v", 4 * kMiB,
           {{"etc/fstab", "UUID=1 / ext4\n"}, {"etc/hostname", "web"}, {"boot/vmlinuz-6", "x"}});
  ASSERT_EQ(look_at({folder_ / "v"}).linux_systems.size(), 1U);
  damage(folder_ / "v", 128 * 1024, 256);
}

TEST_F(LookInsideDamage, OfFatIsNoError) {
  make_fat(folder_ / "v", 2 * kMiB, {{"EFI/BOOT/BOOTX64.EFI", "x"}}, "12");
  ASSERT_EQ(look_at({folder_ / "v"}).loaders.size(), 1U);
  damage(folder_ / "v", 64 * 1024, 256);
}

TEST_F(LookInsideDamage, ThatCutsAVolumeIsNoError) {
  {
    NtfsVolume ntfs(folder_ / "v", 4 * kMiB);
    ntfs.write("Windows/System32/config/SYSTEM", make_hive(system_hive({})));
  }
  for (const std::uint64_t size : {600U, 5000U, 20000U, 70000U, 300000U, 1000000U}) {
    std::filesystem::copy_file(folder_ / "v", folder_ / "cut", std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(folder_ / "cut", size);
    EXPECT_NO_THROW(static_cast<void>(look_at({folder_ / "cut"}))) << size;
  }
}

}  // namespace
}  // namespace ferry::test
