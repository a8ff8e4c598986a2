// SPDX-License-Identifier: Apache-2.0
#include "converters/images/source_file.hpp"

#include <algorithm>
#include <atomic>
#include <gtest/gtest.h>
#include <random>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include "tests/kit/disk_images.hpp"

namespace ferry::test {
namespace {

Bytes sample(std::size_t length) {
  Bytes out(length);
  std::minstd_rand random(7);
  // Compressible, but not so much that a block covers all.
  for (auto &byte : out) byte = static_cast<std::uint8_t>(random() % 23);
  return out;
}

bool same_at(const image::SourceFile &file, const Bytes &expected, std::size_t at, std::size_t length) {
  const Bytes got = image::read_bytes(file, at, length);
  return std::equal(got.begin(), got.end(), expected.begin() + static_cast<std::ptrdiff_t>(at));
}

TEST(SourceFile, APieceIsAFileOfItsOwn) {
  const TempFolder folder;
  write_file(folder / "f", std::string_view("0123456789"));
  ImageFile file;
  file.pieces = {{folder / "f", 2, 5}};
  const auto source = image::open_source(file);
  EXPECT_EQ(source->size(), 5U);
  EXPECT_EQ(image::read_bytes(*source, 1, 4), (Bytes{'3', '4', '5', '6'}));
  EXPECT_EQ(source->descriptor().base, 2U);
  EXPECT_THROW(static_cast<void>(image::read_bytes(*source, 3, 3)), Error);
  file.pieces = {{folder / "f", 8, 5}};
  EXPECT_THROW(static_cast<void>(image::open_source(file)), Error);
}

TEST(SourceFile, MoreFilesThanTheLimitOfDescriptorsSays) {
  const TempFolder folder;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  if (before.rlim_max < 512) GTEST_SKIP() << "the hard limit is too low";
  const rlimit few{100, before.rlim_max};
  std::string extents;
  for (int i = 0; i < 300; ++i) {
    const std::string name = "f" + std::to_string(i);
    write_file(folder / name, Bytes(512, static_cast<std::uint8_t>(i)));
    extents += "RW 1 FLAT \"" + name + "\" 0\n";
  }
  write_file(folder / "disk.vmdk", vmdk_descriptor("twoGbMaxExtentFlat", extents));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const Bytes read = content(image::open_chain(medium({folder / "disk.vmdk"}), {}));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_EQ(read.size(), 300U * 512);
  EXPECT_EQ(read[299 * 512], static_cast<std::uint8_t>(299));
}

TEST(SourceFile, PiecesAreJoinedInTheirOrder) {
  const TempFolder folder;
  write_file(folder / "a", std::string_view("abc"));
  write_file(folder / "b", std::string_view("defgh"));
  ImageFile file;
  file.pieces = {{folder / "b", 0, std::nullopt}, {folder / "a", 1, 2}, {folder / "b", 2, 0}, {folder / "b", 4, 1}};
  const auto source = image::open_source(file);
  EXPECT_EQ(image::read_bytes(*source, 0, 8), (Bytes{'d', 'e', 'f', 'g', 'h', 'b', 'c', 'h'}));
  EXPECT_EQ(image::read_bytes(*source, 4, 3), (Bytes{'h', 'b', 'c'}));
  EXPECT_EQ(source->descriptor().fd, -1);
}

TEST(Gzip, IsReadAnywhere) {
  const TempFolder folder;
  const Bytes plain = sample(20U << 20U);
  for (const std::size_t member : {plain.size(), std::size_t{3000000}}) {
    write_file(folder / "f.gz", make_gzip(plain, member));
    ImageFile file = image_file(folder / "f.gz");
    file.gzip = true;
    const auto source = image::open_source(file);
    ASSERT_EQ(source->size(), plain.size());
    for (const std::size_t at : {std::size_t{0}, std::size_t{19} << 20U, std::size_t{5000001}, std::size_t{12345},
                                 std::size_t{9000000}, plain.size() - 1000}) {
      EXPECT_TRUE(same_at(*source, plain, at, 1000)) << at;
    }
    EXPECT_TRUE(same_at(*source, plain, 0, plain.size()));
    EXPECT_THROW(static_cast<void>(image::read_bytes(*source, plain.size(), 1)), Error);
  }
}

// Counts what is read of the file below.
class Counted final : public image::SourceFile {
 public:
  explicit Counted(std::shared_ptr<const image::SourceFile> file) : file_(std::move(file)) {}
  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    bytes += length;
    file_->read(offset, into, length);
  }
  [[nodiscard]] Descriptor descriptor() const override { return {}; }
  [[nodiscard]] std::uint64_t size() const override { return file_->size(); }
  [[nodiscard]] const std::filesystem::path &path() const override { return file_->path(); }
  mutable std::uint64_t bytes = 0;

 private:
  std::shared_ptr<const image::SourceFile> file_;
};

// An image's tables lie behind its data, and are asked for first.
TEST(Gzip, LooksAheadCostNoSecondReading) {
  const TempFolder folder;
  const Bytes plain = sample(64U << 20U);
  write_file(folder / "f.gz", make_gzip(plain, plain.size()));
  const auto counted = std::make_shared<Counted>(image::open_file(folder / "f.gz", {}));
  const auto index = std::make_shared<const gzip::Index>(gzip::Indexer(*counted).finish());
  counted->bytes = 0;
  const auto source = image::open_gzip(counted, index);
  for (const std::size_t at : {plain.size() - 512, std::size_t{30000000}, std::size_t{60000000}, std::size_t{0}})
    EXPECT_TRUE(same_at(*source, plain, at, 512)) << at;
  constexpr std::size_t kStep = 65536;
  for (std::size_t at = 0; at < plain.size(); at += kStep)
    ASSERT_TRUE(same_at(*source, plain, at, std::min(kStep, plain.size() - at))) << at;
  EXPECT_GT(counted->bytes, counted->size() / 2) << "what counts does not count";
  EXPECT_LE(counted->bytes, counted->size());
}

TEST(Gzip, ManyThreadsReadAtOnce) {
  const TempFolder folder;
  const Bytes plain = sample(9U << 20U);
  write_file(folder / "f.gz", make_gzip(plain, plain.size()));
  ImageFile file = image_file(folder / "f.gz");
  file.gzip = true;
  const auto source = image::open_source(file);
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 20; ++i) {
        if (!same_at(*source, plain, (i * 4 + t) * 100000, 100000)) ++wrong;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

TEST(Gzip, DamageIsNoticedWhenOpened) {
  const TempFolder folder;
  const Bytes plain = sample(300000);
  const Bytes packed = make_gzip(plain, plain.size());
  const auto opens = [&](const Bytes &bytes) {
    write_file(folder / "f.gz", bytes);
    ImageFile file = image_file(folder / "f.gz");
    file.gzip = true;
    try {
      return image::open_source(file)->size() == plain.size();
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::malformed);
      return false;
    }
  };
  EXPECT_TRUE(opens(packed));
  Bytes padded = packed;
  padded.resize(padded.size() + 700);
  EXPECT_TRUE(opens(padded));
  EXPECT_FALSE(opens(Bytes(packed.begin(), packed.end() - 9)));
  EXPECT_FALSE(opens(Bytes(packed.begin(), packed.end() - 2)));
  Bytes changed = packed;
  changed[changed.size() / 2] ^= 4U;
  EXPECT_FALSE(opens(changed));
  Bytes followed = packed;
  followed.insert(followed.end(), {'x', 'y', 'z'});
  EXPECT_FALSE(opens(followed));
  EXPECT_FALSE(opens({}));
}

TEST(Gzip, ARangeOfAGzippedPackage) {
  const TempFolder folder;
  const Bytes plain = sample(5000);
  write_file(folder / "x.ova.gz", make_gzip(plain, plain.size()));
  ImageFile file;
  file.gzip_outer = true;
  file.pieces = {{folder / "x.ova.gz", 100, 50}, {folder / "x.ova.gz", 1000, 50}};
  const auto source = image::open_source(file);
  ASSERT_EQ(source->size(), 100U);
  const Bytes got = image::read_bytes(*source, 0, 100);
  EXPECT_TRUE(std::equal(got.begin(), got.begin() + 50, plain.begin() + 100));
  EXPECT_TRUE(std::equal(got.begin() + 50, got.end(), plain.begin() + 1000));
}

TEST(Gzip, AnImageInsideIsReadLikeAnyOther) {
  const TempFolder folder;
  const Layer layer{
      .size = 40960, .block_size = 4096, .blocks = std::vector<Block>(10, Block::data), .tag = 1, .order = {}};
  write_file(folder / "d.vdi.gz", make_gzip(make_vdi(layer), 10000));
  Medium disk = medium({folder / "d.vdi.gz"});
  disk.chain[0].gzip = true;
  EXPECT_TRUE(content(image::open_chain(disk, {}), 1000) == expected_content({layer}));
}

}  // namespace
}  // namespace ferry::test
