// SPDX-License-Identifier: Apache-2.0
// Disks whose bytes are changed in the copy alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kit/disk_images.hpp"
#include "tests/kit/folder.hpp"

namespace ferry::test {
namespace {

class Changes : public testing::Test {
 protected:
  // A disk of 20000 bytes, in a VDI with a child, so that what is changed lies in either.
  Medium disk() {
    const Layer base{.size = 20000, .block_size = 8192, .blocks = {Block::data, Block::data, Block::zero}, .tag = 1};
    write_file(folder_ / "disk", expected_content({base}));
    Medium out;
    out.chain.push_back(image_file(folder_ / "disk", ImageFormat::raw));
    return out;
  }
  TempFolder folder_;
};

TEST_F(Changes, AreReadInPlaceOfTheSourcesBytes) {
  Medium medium = disk();
  const Bytes plain = content(image::open_chain(medium, {}));
  Bytes wanted = plain;
  for (const std::uint64_t at : {0U, 4094U, 12000U, 19996U}) {
    DiskChange change{.offset = at};
    for (std::size_t i = 0; i < 4; ++i) {
      change.before.push_back(plain[at + i]);
      change.after.push_back(static_cast<std::uint8_t>(plain[at + i] ^ 0xffU));
      wanted[at + i] = change.after.back();
    }
    medium.changes.push_back(std::move(change));
  }
  const image::Chain chain = image::open_chain(medium, {});
  EXPECT_EQ(chain.virtual_size(), plain.size());
  for (const std::size_t step : {1U << 20U, 4096U, 1000U}) EXPECT_EQ(content(chain, step), wanted) << step;
  EXPECT_EQ(read_file(folder_ / "disk"), plain);
}

TEST_F(Changes, OfADiskThatIsOtherwiseByNowAreRefused) {
  Medium medium = disk();
  const Bytes plain = content(image::open_chain(medium, {}));
  medium.changes.push_back({.offset = 100, .before = {static_cast<std::uint8_t>(plain[100] + 1)}, .after = {0}});
  EXPECT_THROW(static_cast<void>(image::open_chain(medium, {})), Error);
  medium.changes = {{.offset = 19999, .before = {0, 0}, .after = {0, 0}}};
  EXPECT_THROW(static_cast<void>(image::open_chain(medium, {})), Error);
}

}  // namespace
}  // namespace ferry::test
