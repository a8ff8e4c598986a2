// SPDX-License-Identifier: Apache-2.0
// A settings file of which a read fails (EIO, as a dying disk gives) is said to be unreadable. What could be read of it
// is never taken for the whole, which would be another machine or none.
#include <cerrno>
#include <gmock/gmock.h>

#include "tests/trials/trial.hpp"

namespace ferry {
namespace {

using testing::HasSubstr;

class SettingsThatCannotBeRead : public Trial {};

TEST_F(SettingsThatCannotBeRead, AreNoOtherMachine) {
  constexpr long kMostReads = 16;
  constexpr int kFillers = 1000;
  const fs::path settings = source() / "machine.vmx";
  // Longer than one read of a stream, and what the plan shows of it stands at the end.
  std::string text = "config.version = \"8\"\nvirtualHW.version = \"14\"\nguestOS = \"debian10-64\"\n";
  for (int i = 0; i < kFillers; ++i) text += "# what somebody wrote down about this machine\n";
  folder_.write(settings, text + "displayName = \"web\"\nmemsize = \"768\"\n");
  const std::string profile = FERRY_SOURCE_DIR "/fixtures/hosts/debian-12.json";
  int refused = 0;
  for (long at = 1; at <= kMostReads; ++at, clear()) {
    const Ended ended =
        end(begin({"plan", settings.string(), "--no-define", "--dest", dest().string(), "--host-profile", profile},
                  {{"LD_PRELOAD", FERRY_FAULT_SHIM},
                   {"FERRY_FAIL_KIND", "read"},
                   {"FERRY_FAIL_AT", std::to_string(at)},
                   {"FERRY_FAIL_WITH", std::to_string(EIO)},
                   {"FERRY_FAIL_BELOW", settings.string()},
                   {"FERRY_FAIL_LOG", (folder_ / "failed").string()}}));
    if (ended.code == 0) {  // a read of what nothing depends on, or there are no more
      EXPECT_THAT(ended.output, HasSubstr("768 MiB")) << at;
      continue;
    }
    ++refused;
    EXPECT_EQ(ended.code, 1) << at << ": " << ended.output;
    EXPECT_THAT(ended.output, HasSubstr("cannot be read")) << at;
  }
  EXPECT_GE(refused, 3) << "the look at what it is, and the settings themselves";
}

}  // namespace
}  // namespace ferry
