// SPDX-License-Identifier: Apache-2.0
#include "tests/vmx/support.hpp"

namespace ferry::vmx::test {
namespace {

TEST(Registry, WorkstationAndPlayerLists) {
  const Folder home;
  home.write(".vmware/inventory.vmls",
             ".encoding = \"UTF-8\"\nvmlist1.config = \"/vms/a/a.vmx\"\nvmlist1.DisplayName = \"|22A|22\"\n"
             "vmlist2.config = \"folder1\"\nvmlist2.Type = \"2\"\nvmlist2.DisplayName = \"group\"\n"
             "vmlist3.config = \"\"\nvmlist4.config = \"/vms/team/t.vmtm\"\n");
  home.write(".vmware/preferences",
             "pref.mruVM0.filename = \"/vms/a/a.vmx\"\npref.mruVM0.displayName = \"again\"\n"
             "pref.mruVM1.filename = \"/vms/b/b.vmx\"\n");
  const auto machines = registered_machines(home.path());
  ASSERT_GE(machines.size(), 2U);
  EXPECT_EQ(machines.at(0).file, "/vms/a/a.vmx");
  EXPECT_EQ(machines.at(0).name, "\"A\"");
  EXPECT_EQ(machines.at(1).file, "/vms/b/b.vmx");
  EXPECT_EQ(machines.at(1).name, "b");
}

TEST(Registry, ListsThatAreNotThereListNothing) {
  const Folder home;
  EXPECT_NO_THROW(static_cast<void>(registered_machines(home.path())));
  home.write(".vmware/inventory.vmls", std::string("\0", 1));
  EXPECT_NO_THROW(static_cast<void>(registered_machines(home.path())));
}

}  // namespace
}  // namespace ferry::vmx::test
