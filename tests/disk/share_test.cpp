// SPDX-License-Identifier: Apache-2.0
// Block sharing on Btrfs and XFS, on loop-mounted images. Needs root.
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <map>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/disk/disk_fixture.hpp"

namespace ferry::test {
namespace {

bool run(const std::string &program, const std::vector<std::string> &arguments) {
  return subprocess::run({.program = program, .arguments = arguments, .limits = {}, .on_line = {}}).ok();
}

// A file system in a file, mounted as long as this lives.
class LoopMount {
 public:
  LoopMount(const std::string &mkfs, std::vector<std::string> options) {
    if (geteuid() != 0 || subprocess::find_program(mkfs).empty()) return;
    const std::filesystem::path image = folder_ / "image";
    std::ofstream(image).close();
    std::filesystem::resize_file(image, std::uint64_t{512} << 20U);
    std::filesystem::create_directory(path());
    options.push_back(image.string());
    mounted_ = run(mkfs, options) && run("mount", {"-o", "loop", image.string(), path().string()});
  }
  ~LoopMount() {
    if (mounted_) run("umount", {path().string()});
  }
  LoopMount(const LoopMount &) = delete;
  LoopMount &operator=(const LoopMount &) = delete;
  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] std::filesystem::path path() const { return folder_ / "mount"; }

 private:
  TempFolder folder_;
  bool mounted_ = false;
};

// How many runs of blocks the file has on its disk.
std::uint32_t extent_count(const std::filesystem::path &file) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  fiemap map;  // ends in an array without a size, which cannot be given a value
  std::memset(&map, 0, sizeof(map));
  map.fm_length = FIEMAP_MAX_OFFSET;
  map.fm_flags = FIEMAP_FLAG_SYNC;
  EXPECT_EQ(ioctl(fd, FS_IOC_FIEMAP, &map), 0);
  close(fd);
  return map.fm_mapped_extents;
}

struct Share : testing::TestWithParam<std::string> {
  std::unique_ptr<LoopMount> mount;
  std::filesystem::path target;

  void SetUp() override {
    const std::map<std::string, std::vector<std::string>> options = {{"mkfs.xfs", {"-q", "-m", "reflink=1"}},
                                                                     {"mkfs.btrfs", {"-q"}}};
    mount = std::make_unique<LoopMount>(GetParam(), options.at(GetParam()));
    if (!mount->mounted()) GTEST_SKIP() << "needs root, " << GetParam() << " and loop devices";
    target = mount->path() / "out.qcow2";
  }
};

TEST_P(Share, AlignedDataAreClonedAndReadBack) {
  const Disk disk(mount->path());
  disk::ConvertRequest request{.medium = disk.medium(), .target = target, .mode = disk::Mode::share};
  const disk::ConvertResult result = disk::convert(request, nullptr, {});
  EXPECT_EQ(result.mode, disk::Mode::share);
  EXPECT_EQ(result.bytes_shared, 3 * Disk::kMib + Disk::kMib / 2);
  EXPECT_LT(result.bytes_written, 512U << 10U);
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  EXPECT_EQ(guest_content(target, mount->path()), disk.top_content);
}

TEST_P(Share, SnapshotsShareToo) {
  if (subprocess::find_program("qemu-nbd").empty()) GTEST_SKIP() << "qemu-nbd is not installed";
  const Disk disk(mount->path());
  disk::ConvertRequest request{.medium = disk.medium(), .target = target, .verify = true};
  request.snapshots = {{.name = "first", .created = 1, .medium = disk.medium(1)}};
  const disk::ConvertResult result = disk::convert(request, nullptr, {});
  EXPECT_GT(result.bytes_shared, 4 * Disk::kMib);
  EXPECT_EQ(result.sha256, sha256(disk.top_content));
}

// The blocks lie in the file in another order than in the guest.
TEST_P(Share, ADiskThatWasFilledInAnyOrderIsOneRun) {
  constexpr std::uint64_t kBlocks = 64;
  Bytes content(kBlocks * Disk::kMib);
  const std::filesystem::path source = mount->path() / "shuffled.vdi";
  VdiBuilder vdi(source, content.size(), 1, 0, 2 * Disk::kMib);
  for (std::uint64_t i = 0; i + 1 < kBlocks; ++i) {
    const std::uint64_t block = i * 29 % kBlocks;
    const Bytes bytes = dense_bytes(Disk::kMib, block);
    vdi.block(block, bytes.data(), bytes.size());
    std::ranges::copy(bytes, content.begin() + static_cast<std::ptrdiff_t>(block * Disk::kMib));
  }
  vdi.finish();
  disk::ConvertRequest request{
      .medium = {.chain = {VdiBuilder::image_file(source)}}, .target = target, .mode = disk::Mode::share};
  EXPECT_EQ(disk::convert(request, nullptr, {}).bytes_shared, (kBlocks - 1) * Disk::kMib);
  // The source's one run, and what stands before and behind it: the file system may cut these once more.
  EXPECT_LT(extent_count(target), 10U);
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  EXPECT_EQ(guest_content(target, mount->path()), content);
}

TEST_P(Share, ARawTargetSharesToo) {
  const Disk disk(mount->path());
  disk::ConvertRequest request{
      .medium = disk.medium(), .target = target, .format = disk::TargetFormat::raw, .mode = disk::Mode::share};
  EXPECT_GT(disk::convert(request, nullptr, {}).bytes_shared, 3 * Disk::kMib);
  EXPECT_EQ(read_all(target), disk.top_content);
}

// QEMU's own format is not read by us: its file is taken as it is, with the snapshots that are in it.
TEST_P(Share, AQcow2IsSharedWhole) {
  if (!have_qemu_img() || subprocess::find_program("qemu-nbd").empty())
    GTEST_SKIP() << "QEMU's tools are not installed";
  const std::filesystem::path source = mount->path() / "guest.qcow2";
  const std::filesystem::path raw = mount->path() / "guest.raw";
  const Bytes content = dense_bytes(4 * Disk::kMib, 7);
  write_all(raw, content);
  ASSERT_TRUE(run("qemu-img", {"convert", "-O", "qcow2", raw.string(), source.string()}));
  ASSERT_TRUE(run("qemu-img", {"snapshot", "-c", "before", source.string()}));
  ImageFile image;
  image.pieces.push_back({source, 0, std::nullopt});
  disk::ConvertRequest request{
      .medium = {.chain = {image}}, .target = target, .mode = disk::Mode::share, .verify = true};
  const disk::ConvertResult result = disk::convert(request, nullptr, {});
  EXPECT_EQ(result.mode, disk::Mode::share);
  EXPECT_GE(result.bytes_shared, content.size());
  EXPECT_EQ(read_all(target), read_all(source));
  EXPECT_EQ(result.sha256, sha256(content));
  std::filesystem::remove(target);
  request.verify = false;
  request.format = disk::TargetFormat::raw;
  EXPECT_THROW(disk::convert(request, nullptr, {}), Error) << "another format has other blocks";
  EXPECT_FALSE(std::filesystem::exists(target));
}

TEST_P(Share, WhatIsNotAlignedIsCopiedAndSaid) {
  const Disk disk(mount->path(), 0x8200 + (1U << 20U));
  disk::ConvertRequest request{.medium = disk.medium(), .target = target};
  const disk::ConvertResult result = disk::convert(request, nullptr, {});
  EXPECT_EQ(result.mode, disk::Mode::copy);
  EXPECT_EQ(result.bytes_shared, 0U);
  ASSERT_FALSE(result.findings.empty());
  EXPECT_EQ(result.findings.back().id, "disk.copied-not-shared");
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  EXPECT_EQ(guest_content(target, mount->path()), disk.top_content);
}

TEST_P(Share, SharingThatIsDemandedAndCannotBeIsRefused) {
  const Disk disk(mount->path(), 0x8200 + (1U << 20U));
  disk::ConvertRequest request{.medium = disk.medium(), .target = target, .mode = disk::Mode::share};
  EXPECT_THROW(disk::convert(request, nullptr, {}), Error);
  EXPECT_FALSE(std::filesystem::exists(target));
}

TEST_P(Share, AnotherFileSystemIsCopiedTo) {
  TempFolder elsewhere;
  const Disk disk(mount->path());
  disk::ConvertRequest request{.medium = disk.medium(), .target = elsewhere / "out.qcow2"};
  EXPECT_EQ(disk::convert(request, nullptr, {}).mode, disk::Mode::copy);
  std::filesystem::remove(request.target);
  request.mode = disk::Mode::share;
  EXPECT_THROW(disk::convert(request, nullptr, {}), Error);
  EXPECT_EQ(files_in(elsewhere.path()), 0U);
}

// Not on Btrfs, which does not let one file take exactly what is free.
struct ShareOnXfs : Share {};

TEST_P(ShareOnXfs, AFullFileSystemIsRefusedBeforehand) {
  const Disk disk(mount->path());
  const auto free = std::filesystem::space(mount->path()).available;
  const std::filesystem::path filler = mount->path() / "filler";
  write_all(filler, {});
  ASSERT_TRUE(run("fallocate", {"-l", std::to_string(free - 2 * Disk::kMib), filler.string()}));
  disk::ConvertRequest request{.medium = disk.medium(), .target = target, .mode = disk::Mode::copy};
  try {
    disk::convert(request, nullptr, {});
    FAIL() << "there was no room";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::no_space);
  }
  EXPECT_FALSE(std::filesystem::exists(target));
}

std::string name_of(const testing::TestParamInfo<std::string> &mkfs) { return mkfs.param.substr(5); }

INSTANTIATE_TEST_SUITE_P(all, Share, testing::Values("mkfs.xfs", "mkfs.btrfs"), name_of);
INSTANTIATE_TEST_SUITE_P(all, ShareOnXfs, testing::Values("mkfs.xfs"), name_of);

}  // namespace
}  // namespace ferry::test
