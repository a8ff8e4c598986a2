// SPDX-License-Identifier: Apache-2.0
#include "importers/vmx/known_keys.hpp"
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

TEST(KnownKeys, Patterns) {
  EXPECT_TRUE(key_matches("scsi#:#.redo", "scsi0:12.redo"));
  EXPECT_FALSE(key_matches("scsi#:#.redo", "scsi:1.redo"));
  EXPECT_TRUE(key_matches("sched.*", "sched.mem.max"));
  EXPECT_TRUE(key_matches("*.saswwid", "scsi0.saswwid"));
  EXPECT_FALSE(key_matches("dr.enabled", "dr.enabledx"));
  EXPECT_EQ(find_known_key("flux.capacitor"), nullptr);
  EXPECT_EQ(find_known_key(std::string(1'000'000, '*')), nullptr);
}

TEST(KnownKeys, PublishedFamiliesAreKnown) {
  for (const char *key : {"isolation.tools.getcreds.disable",
                          "log.filename",
                          "sched.mem.maxmemctl",
                          "svga.maxwidth",
                          "mks.forcediscrete",
                          "monitor.virtual_exec",
                          "vmotion.checkpointfbsize",
                          "migrate.hostlog",
                          "pcipassthru0.msienabled",
                          "tools.upgrade.policy",
                          "disk.scsiunmapallowed",
                          "hard-disk.hostbuffer",
                          "mainmem.usenamedfile",
                          "msg.autoanswer",
                          "uuid.action",
                          "vmx.buildtype",
                          "debugstub.listen.guest64",
                          "efi.quickboot.enabled",
                          "numa.nodeaffinity",
                          "ethernet0.ctxpernetmode",
                          "ethernet3.coalescingscheme",
                          "toolscripts.beforepoweroff",
                          "rollingtier0.interval",
                          "gui.viewmodeatpoweron",
                          "vmci.filter.enable",
                          "vmci0:0.present",
                          "checkpointfbsize",
                          "filesearchpath",
                          "ich7m.present",
                          "system-id.enable",
                          "svmotion.allowed",
                          "__cpu_settings__",
                          "chipset.motherboardlayout"}) {
    EXPECT_NE(find_known_key(key), nullptr) << key;
  }
}

}  // namespace
}  // namespace ferry::vmx::test
