// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/connection.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include "support/error.hpp"

namespace ferry::libvirt {
namespace {

using ::testing::HasSubstr;

TEST(Connection, RootIsToldThatItHasNoSession) {
  if (geteuid() != 0) GTEST_SKIP() << "only root is refused";
  for (const char *uri : {"qemu:///session", "qemu+unix:///session", "qemu:///session?socket=/x"}) {
    try {
      const Connection connection(uri);
      ADD_FAILURE() << uri;
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_THAT(error.detail().advice, HasSubstr("--connect qemu:///system"));
    }
  }
}

TEST(Connection, AnUnreachableDaemonCarriesLibvirtsWordsAndPrintsNothing) {
  ::testing::internal::CaptureStderr();
  try {
    const Connection connection("qemu+unix:///system?socket=/nonexistent/libvirt-sock");
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::unreachable);
    EXPECT_EQ(exit_code(error.kind()), 1);  // nothing is wrong with the source
    EXPECT_THAT(error.what(), HasSubstr("/nonexistent/libvirt-sock"));
    EXPECT_THAT(error.detail().advice, HasSubstr("--no-define"));
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace ferry::libvirt
