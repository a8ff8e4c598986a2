// SPDX-License-Identifier: Apache-2.0
// One state, without snapshots.
#include <algorithm>
#include <random>
#include <sys/stat.h>

#include "tests/qcow2/qcow2_fixture.hpp"

namespace ferry::test {
namespace {

struct Flat : testing::Test {
  TempFolder folder;
  std::shared_ptr<DiskFile> file = std::make_shared<DiskFile>(folder / "source");
  std::shared_ptr<MemoryImage> image(std::uint64_t size) const { return std::make_shared<MemoryImage>(size, file); }
  std::filesystem::path target = folder / "out.qcow2";
};

TEST_F(Flat, AnEmptyDiskHasNoDataClusters) {
  const std::vector<TestState> states = {make_state("", {image(10 * kMib)})};
  const Written written = write_qcow2(target, states);
  EXPECT_EQ(written.outcome.bytes_stored, 0U);
  EXPECT_LT(written.file_size, 6 * 65536U);
  expect_reads_back(folder, target, states);
}

TEST_F(Flat, DataHolesZerosAndAShortTail) {
  auto disk = image(5 * kMib + 1536);
  disk->plain(0, some_bytes(3 * 65536, 1));
  disk->zero(4 * 65536, 65536);
  disk->plain(kMib + 512, some_bytes(70000, 2));
  disk->deflated(3 * kMib, some_bytes(65536, 3));
  disk->plain(5 * kMib, some_bytes(1536, 4));
  const std::vector<TestState> states = {make_state("", {disk})};
  write_qcow2(target, states);
  expect_reads_back(folder, target, states);
}

TEST_F(Flat, ASizeThatIsNoMultipleOfASectorIsRoundedUpWithZeros) {
  auto disk = image(65536 + 100);
  disk->plain(0, some_bytes(65536 + 100, 1));
  const std::vector<TestState> states = {make_state("", {disk})};
  write_qcow2(target, states);
  expect_reads_back(folder, target, states);
}

TEST_F(Flat, PlainDataThatAreZeroAreNotStored) {
  auto disk = image(kMib);
  disk->plain(0, Bytes(512 * kIb));
  disk->plain(512 * kIb, some_bytes(65536, 1));
  const std::vector<TestState> states = {make_state("", {disk})};
  EXPECT_EQ(write_qcow2(target, states).outcome.bytes_stored, 65536U);
  expect_reads_back(folder, target, states);
}

TEST_F(Flat, AClusterWhoseOnlyByteIsItsLastIsStored) {
  auto disk = image(kMib);
  Bytes almost(65536);
  almost.back() = 1;
  disk->plain(65536, almost);
  const std::vector<TestState> states = {make_state("", {disk})};
  EXPECT_EQ(write_qcow2(target, states).outcome.bytes_stored, 65536U);
  expect_reads_back(folder, target, states);
}

TEST_F(Flat, HolesOfTheSourceFileAreNotRead) {
  auto disk = image(64 * kMib);
  ASSERT_EQ(truncate((folder / "source").c_str(), 64 * kMib), 0);
  const Bytes data = some_bytes(4096, 1);
  file->append(data);  // behind the hole
  disk->plain_at(0, Bytes(64 * kMib), 0);
  const std::vector<TestState> states = {make_state("", {disk})};
  write_qcow2(target, states);
  EXPECT_EQ(file->bytes_read.load(), 0U);
  expect_reads_back(folder, target, states);
}

TEST_F(Flat, TheTargetIsPrivate) {
  write_qcow2(target, {make_state("", {image(kMib)})});
  struct stat status {};
  ASSERT_EQ(stat(target.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(Flat, ADiskThatIsTooLargeForItsClusterSizeIsRefused) {
  copy::TargetFile out(target);
  EXPECT_THROW(qcow2::Writer(out, {.cluster_size = 4096, .virtual_size = std::uint64_t{9} << 40U}), Error);
  EXPECT_NO_THROW(qcow2::Writer(out, {.cluster_size = 65536, .virtual_size = std::uint64_t{9} << 40U}));
}

TEST_F(Flat, OtherClusterSizesThanQcow2HasAreRefused) {
  copy::TargetFile out(target);
  for (const std::uint32_t size : {0U, 512U, 2048U, 5000U, 4U << 20U}) {
    EXPECT_THROW(qcow2::Writer(out, {.cluster_size = size, .virtual_size = kMib}), Error) << size;
  }
}

// Cluster sizes x compressions, on a disk with all kinds of extents in several layers, the upper ones cutting into
// the lower ones at odd places.
using Parameters = std::tuple<std::uint32_t, qcow2::Compression, unsigned>;
struct Matrix : testing::TestWithParam<Parameters> {};

std::shared_ptr<MemoryImage> random_layer(const std::shared_ptr<DiskFile> &file, std::uint64_t size,
                                          std::uint32_t seed) {
  std::mt19937 engine(seed);
  const auto random = [&] { return static_cast<std::uint32_t>(engine()); };
  auto layer = std::make_shared<MemoryImage>(size, file);
  for (std::uint64_t at = random() % 100000; at < size;) {
    const std::uint64_t grain = 65536, sector = 512;
    const std::uint64_t length = std::min(size - at, (1 + random() % 300) * sector);
    switch (random() % 5) {
      case 0: layer->plain(at, some_bytes(length, random())); break;
      case 1: layer->zero(at, length); break;
      case 2: {
        at = (at + grain - 1) / grain * grain;
        if (at + grain > size) return layer;
        layer->deflated(at, random() % 3 == 0 ? dense_bytes(grain, random()) : some_bytes(grain, random()));
        at += grain;
        continue;
      }
      case 3: layer->plain(at, Bytes(length)); break;
      default: break;  // left to the parent
    }
    at += length;
  }
  return layer;
}

TEST_P(Matrix, ReadsBack) {
  const auto [cluster_size, compression, depth] = GetParam();
  TempFolder folder;
  auto file = std::make_shared<DiskFile>(folder / "source");
  std::vector<std::shared_ptr<MemoryImage>> layers;
  for (unsigned i = 0; i < depth; ++i) layers.push_back(random_layer(file, 5 * kMib + 512 * 7, 100 * depth + i));
  const std::vector<TestState> states = {make_state("", layers)};
  write_qcow2(folder / "out.qcow2", states, {.cluster_size = cluster_size, .compression = compression});
  expect_reads_back(folder, folder / "out.qcow2", states);
}

std::string matrix_name(const testing::TestParamInfo<Parameters> &info) {
  constexpr const char *kNames[] = {"plain", "zlib", "zstd"};
  return std::to_string(std::get<0>(info.param)) + "_" + kNames[static_cast<int>(std::get<1>(info.param))] + "_" +
         std::to_string(std::get<2>(info.param)) + "_layers";
}

INSTANTIATE_TEST_SUITE_P(all, Matrix,
                         testing::Combine(testing::Values(4096U, 16384U, 65536U, 2U << 20U),
                                          testing::Values(qcow2::Compression::none, qcow2::Compression::zlib,
                                                          qcow2::Compression::zstd),
                                          testing::Values(1U, 2U, 10U)),
                         matrix_name);

TEST_F(Flat, MoreDataThanOneRefcountBlockCovers) {
  // 4 KiB clusters: a block covers 8 MiB.
  auto disk = image(40 * kMib);
  disk->plain(0, some_bytes(36 * kMib, 1));
  const std::vector<TestState> states = {make_state("", {disk})};
  write_qcow2(target, states, {.cluster_size = 4096});
  expect_reads_back(folder, target, states);
}

TEST_F(Flat, AnL1TableLongerThanARefcountGroup) {
  // 4 KiB clusters, 5 TiB: the L1 table has 20 MiB, a refcount block covers 8 MiB.
  class Huge final : public image::Image {
   public:
    explicit Huge(const std::shared_ptr<DiskFile> &file) : files_{file} {
      info_.virtual_size = std::uint64_t{5} << 40U;
    }
    [[nodiscard]] const image::ImageInfo &info() const override { return info_; }
    [[nodiscard]] const std::vector<std::shared_ptr<const image::SourceFile>> &files() const override { return files_; }
    void map(std::uint64_t begin, std::uint64_t end, std::vector<image::Extent> &out) const override {
      out.push_back({.guest_offset = begin, .length = end - begin, .kind = image::ExtentKind::parent});
    }

   private:
    image::ImageInfo info_;
    std::vector<std::shared_ptr<const image::SourceFile>> files_;
  };
  std::vector<TestState> states;
  states.push_back({"", image::Chain({std::make_shared<Huge>(file)}), {}});
  write_qcow2(target, states, {.cluster_size = 4096});
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  const std::string verdict = qemu_img({"check", "-f", "qcow2", target.string()});
  EXPECT_NE(verdict.find("No errors were found"), std::string::npos) << verdict;
}

}  // namespace
}  // namespace ferry::test
