// SPDX-License-Identifier: Apache-2.0
#include "converters/copy/target_file.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "tests/copy/memory_image.hpp"

#include "support/error.hpp"

namespace ferry::test {
namespace {

std::size_t files_in(const TempFolder &folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder.path()), {}));
}

TEST(TargetFile, HasItsNameOnlyWhenPublished) {
  TempFolder folder;
  copy::TargetFile file(folder / "disk");
  file.write(0, "abc", 3);
  EXPECT_FALSE(std::filesystem::exists(folder / "disk"));
  file.publish(false);
  EXPECT_EQ(std::filesystem::file_size(folder / "disk"), 3U);
  EXPECT_EQ(files_in(folder), 1U);
}

TEST(TargetFile, LeavesNothingWhenItIsNotPublished) {
  TempFolder folder;
  { copy::TargetFile file(folder / "disk"); }
  EXPECT_EQ(files_in(folder), 0U);
}

TEST(TargetFile, RefusesANameThatIsTaken) {
  TempFolder folder;
  std::filesystem::create_symlink("nowhere", folder / "disk");
  try {
    copy::TargetFile file(folder / "disk");
    FAIL() << "a dangling link is a taken name too";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
  }
}

TEST(TargetFile, NeverReplacesWhatAppearedMeanwhile) {
  TempFolder folder;
  copy::TargetFile file(folder / "disk");
  DiskFile other(folder / "disk");
  other.append({1, 2, 3});
  try {
    file.publish(false);
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
  }
  EXPECT_EQ(std::filesystem::file_size(folder / "disk"), 3U);
}

TEST(TargetFile, SaysHowMuchRoomIsMissing) {
  TempFolder folder;
  copy::TargetFile file(folder / "disk");
  try {
    file.require_space(std::uint64_t{1} << 62U);
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::no_space);
    EXPECT_FALSE(error.detail().found.empty());
    EXPECT_FALSE(error.detail().expected.empty());
  }
}

TEST(TargetFile, KeepsNothingOfWhatWasAllocatedAhead) {
  TempFolder folder;
  std::vector<char> bytes(1U << 20U, 'x');
  copy::TargetFile file(folder / "disk");
  file.allocate_ahead();
  for (std::uint64_t at = 0; at < 4 * bytes.size(); at += bytes.size()) {
    iovec piece{.iov_base = bytes.data(), .iov_len = bytes.size()};
    file.write(at, std::span(&piece, 1));
  }
  file.resize(4 * bytes.size());
  file.publish(true);  // delayed allocation is over, so that the usage below is the final one
  EXPECT_EQ(std::filesystem::file_size(folder / "disk"), 4 * bytes.size());
  EXPECT_LE(file.disk_usage(), 5 * bytes.size());
}

}  // namespace
}  // namespace ferry::test
