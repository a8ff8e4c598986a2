// SPDX-License-Identifier: Apache-2.0
#include "migration/finish/finish_record.hpp"

#include <gtest/gtest.h>
#include <optional>

#include "tests/kit/scratch.hpp"

#include "support/error.hpp"

namespace ferry::migration {
namespace {

constexpr auto kUuid = "3e4a0f5c-218d-674b-9e15-7a3c2d1b0f96", kOther = "3e4a0f5c-218d-674b-9e15-7a3c2d1b0f97";

class FinishRecords : public ::testing::Test {
 protected:
  tests::Scratch scratch_;
};

TEST_F(FinishRecords, ComeBackAndGoWithTheirLastPhase) {
  FinishRecord record{
      .machine = "web",
      .uuid = kUuid,
      .connect = "qemu:///session",
      .phases = {{.phase = "prepare", .before = "<a/>", .after = "<b/>", .files = {"/images/x.qcow2"}}}};
  write_finish(record);
  const FinishRecord read = read_finish(kUuid);
  EXPECT_EQ(read.machine, "web");
  ASSERT_EQ(read.phases.size(), 1U);
  EXPECT_EQ(read.phases[0].before, "<a/>");
  EXPECT_EQ(read.phases[0].files, record.phases[0].files);
  record.phases.clear();
  write_finish(record);
  EXPECT_TRUE(read_finish(kUuid).phases.empty());
}

TEST_F(FinishRecords, OneProcessAtATimeWorksOnAMachine) {
  std::optional<FinishLock> first(std::in_place, kUuid, "web");
  try {
    const FinishLock second(kUuid, "web");
    FAIL() << "both have it";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_NE(error.detail().message.find("\"web\""), std::string::npos);
  }
  EXPECT_NO_THROW(FinishLock(kOther, "db"));
  first.reset();
  EXPECT_NO_THROW(FinishLock(kUuid, "web"));
}

}  // namespace
}  // namespace ferry::migration
