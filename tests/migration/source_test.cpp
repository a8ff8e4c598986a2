// SPDX-License-Identifier: Apache-2.0
// What counts as a machine in a folder.
#include "migration/source.hpp"

#include <gtest/gtest.h>

#include "tests/kit/scratch.hpp"

namespace ferry::migration {
namespace {

constexpr auto kVbox = "<VirtualBox xmlns=\"http://www.virtualbox.org/\" version=\"1.19-linux\"/>";

TEST(Source, SettingsOfBeforeAnUpgradeAreNoMachineOfTheirOwn) {
  const tests::Scratch scratch;
  const auto machine = scratch.write("web/web.vbox", kVbox);
  scratch.write("web/web-1.15-linux.vbox", kVbox);
  scratch.write("web/web-1.9-windows-2.vbox", kVbox);
  scratch.write("web/web.vbox-prev", kVbox);
  EXPECT_EQ(find_source((scratch.folder() / "web").string()).file, machine);
  EXPECT_EQ(find_sources_below(scratch.folder()).sources.size(), 1U);
}

TEST(Source, ANameLikeThatWithoutTheMachineBesideItIsOne) {
  const tests::Scratch scratch;
  scratch.write("web-1.15-linux.vbox", kVbox);
  EXPECT_EQ(find_sources_below(scratch.folder()).sources.size(), 1U);
}

TEST(Source, MachinesOfAMountedWindowsVolume) {
  const tests::Scratch scratch;
  const auto lab = scratch.write("mnt/Users/me/VirtualBox VMs/lab/lab.vbox",
                                 "<VirtualBox version=\"1.16-windows\"><Machine name=\"The lab\"/></VirtualBox>");
  const auto web = scratch.write("mnt/Users/you/Documents/web/web.vmx", "config.version = \"8\"\n");
  scratch.write("mnt/Users/me/.VirtualBox/VirtualBox.xml",
                "<VirtualBox version=\"1.12-windows\"><Global><MachineRegistry><MachineEntry "
                "uuid=\"{11111111-2222-3333-4444-555555555555}\" src=\"C:\\Users\\me\\VirtualBox VMs\\lab\\lab.vbox\"/>"
                "<MachineEntry uuid=\"{11111111-2222-3333-4444-555555555556}\" src=\"C:\\gone\\gone.vbox\"/>"
                "</MachineRegistry></Global></VirtualBox>");
  scratch.write("mnt/Users/you/AppData/Roaming/VMware/inventory.vmls",
                "vmlist1.config = \"C:\\Users\\you\\documents\\web\\web.vmx\"\nvmlist1.DisplayName = \"Web\"\n");
  const Registered registered = registered_machines(scratch.folder() / "mnt");
  EXPECT_TRUE(registered.unreadable.empty());
  ASSERT_EQ(registered.machines.size(), 3U);
  EXPECT_EQ(registered.machines[0].name, "The lab");
  EXPECT_EQ(registered.machines[0].file, lab);
  EXPECT_FALSE(registered.machines[1].exists);
  EXPECT_EQ(registered.machines[2].name, "Web");
  EXPECT_EQ(registered.machines[2].file, web) << "another letter case";
}

TEST(Source, AFolderThatIsNotThereIsToldAsSuch) { EXPECT_THROW((void)find_sources_below("/no/such/folder"), Error); }

}  // namespace
}  // namespace ferry::migration
