// SPDX-License-Identifier: Apache-2.0
// 'disk convert' of an image that something writes to.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/kit/folder.hpp"

#include "support/file.hpp"
#include "support/subprocess.hpp"

namespace ferry::cli {
namespace {

class DiskInUse : public testing::Test {
 protected:
  DiskInUse() : image_(folder_.write("in/disk.img", std::string(1U << 20U, 'd'))) {
    std::filesystem::create_directory(folder_ / "out");
  }

  [[nodiscard]] subprocess::Result convert(const std::vector<std::string> &more) const {
    std::vector<std::string> words{"disk", "convert",       "--input-format",
                                   "raw",  image_.string(), (folder_ / "out/disk.qcow2").string()};
    words.insert(words.end(), more.begin(), more.end());
    subprocess::Command command;
    command.program = FERRY_PROGRAM;
    command.arguments = words;
    return subprocess::run(command);
  }

  test::TempFolder folder_;
  std::filesystem::path image_;
};

TEST_F(DiskInUse, ALockedImageIsRefusedUnlessTheUserKnowsBetter) {
  const file::Descriptor holder(open(image_.c_str(), O_RDWR | O_CLOEXEC));
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  ASSERT_EQ(fcntl(holder.get(), F_OFD_SETLK, &lock), 0);
  const subprocess::Result refused = convert({});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_NE(refused.errors.find("--allow-in-use"), std::string::npos) << refused.errors;
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "out"));
  const subprocess::Result allowed = convert({"--allow-in-use"});
  EXPECT_EQ(allowed.exit_code, 0) << allowed.errors;
  EXPECT_NE(allowed.errors.find("in use"), std::string::npos) << allowed.errors;
}

TEST_F(DiskInUse, AFreeImageIsConvertedWithoutAWord) {
  const subprocess::Result result = convert({});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.errors, "");
}

}  // namespace
}  // namespace ferry::cli
