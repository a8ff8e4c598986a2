// SPDX-License-Identifier: Apache-2.0
// A settings file of which a read fails (EIO, as a dying disk gives) is said to be unreadable. What could be read of it
// is never taken for the whole, which would be another machine or none.
#include <cerrno>
#include <gmock/gmock.h>

#include "tests/trials/trial.hpp"

namespace ferry {
namespace {

using testing::HasSubstr;

// Settings of each kind, longer than one read, and what a plan shows of them stands at their end.
struct Settings {
  std::string name;    // of the file
  std::string begin;   // before the fillers
  std::string filler;  // one line that says nothing
  std::string end;
};

const std::vector<Settings> kSettings = {
    {"machine.vmx", "config.version = \"8\"\nvirtualHW.version = \"14\"\nguestOS = \"debian10-64\"\n",
     "# what somebody wrote down about this machine\n", "displayName = \"web\"\nmemsize = \"768\"\n"},
    {"machine.vbox",
     "<?xml version=\"1.0\"?>\n<VirtualBox xmlns=\"http://www.virtualbox.org/\" version=\"1.16-linux\">\n"
     "<Machine uuid=\"{aabbccdd-0011-2233-4455-66778899aabb}\" name=\"web\" OSType=\"Debian_64\">\n",
     "<!-- what somebody wrote down about this machine -->\n",
     "<Hardware><Memory RAMSize=\"768\"/></Hardware></Machine></VirtualBox>\n"},
    {"machine.ovf",
     "<?xml version=\"1.0\"?>\n<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" "
     "xmlns:rasd=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData\">\n",
     "<!-- what somebody wrote down about this machine -->\n",
     "<VirtualSystem><VirtualHardwareSection><Item><rasd:AllocationUnits>MegaBytes</rasd:AllocationUnits>"
     "<rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>4</rasd:ResourceType>"
     "<rasd:VirtualQuantity>768</rasd:VirtualQuantity></Item></VirtualHardwareSection></VirtualSystem></Envelope>\n"},
    {"machine.sh", "#!/bin/bash\n# starts qemu-system-x86_64\n", "# what somebody wrote down about this machine\n",
     "qemu-system-x86_64 -name web -m 768\n"},
};

class SettingsThatCannotBeRead : public Trial, public testing::WithParamInterface<Settings> {};

TEST_P(SettingsThatCannotBeRead, AreNoOtherMachine) {
  constexpr long kMostReads = 16;
  constexpr int kFillers = 1500;
  const fs::path settings = source() / GetParam().name;
  std::string text = GetParam().begin;
  for (int i = 0; i < kFillers; ++i) text += GetParam().filler;
  folder_.write(settings, text + GetParam().end);
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
    EXPECT_THAT(ended.output, HasSubstr("cannot be read: Input/output error")) << at;
  }
  EXPECT_GE(refused, 3) << "the look at what it is, and the settings themselves";
}

INSTANTIATE_TEST_SUITE_P(Kinds, SettingsThatCannotBeRead, testing::ValuesIn(kSettings),
                         [](const auto &kind) { return kind.param.name.substr(kind.param.name.find('.') + 1); });

class ListThatCannotBeRead : public Trial {};

TEST_F(ListThatCannotBeRead, IsNoShorterList) {
  constexpr int kFillers = 3000;
  std::string text = "machines:\n- first.vbox\n";
  for (int i = 0; i < kFillers; ++i) text += "# what somebody wrote down about these machines\n";
  const fs::path list = folder_.write("list.yaml", text + "- second.vbox\n");
  int refused = 0;
  for (long at = 1; at <= 8; ++at, clear()) {
    const Ended ended = end(begin({"batch", list.string(), "--dry-run", "--dest", dest().string(), "--no-define"},
                                  {{"LD_PRELOAD", FERRY_FAULT_SHIM},
                                   {"FERRY_FAIL_KIND", "read"},
                                   {"FERRY_FAIL_AT", std::to_string(at)},
                                   {"FERRY_FAIL_WITH", std::to_string(EIO)},
                                   {"FERRY_FAIL_BELOW", list.string()},
                                   {"FERRY_FAIL_LOG", (folder_ / "failed").string()}}));
    if (ended.output.find("second") != std::string::npos) continue;
    ++refused;
    EXPECT_EQ(ended.code, 1) << at << ": " << ended.output;
    EXPECT_THAT(ended.output, HasSubstr("cannot be read: Input/output error")) << at;
  }
  EXPECT_GE(refused, 2) << "a list longer than one read";
}

}  // namespace
}  // namespace ferry
