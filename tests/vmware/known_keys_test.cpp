// SPDX-License-Identifier: Apache-2.0
#include "importers/vmware/known_keys.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "importers/vmware/key_tables.hpp"

namespace ferry::vmware {
namespace {

TEST(KnownKeys, Patterns) {
  EXPECT_TRUE(key_matches("scsi#:#.redo", "scsi0:12.redo"));
  EXPECT_FALSE(key_matches("scsi#:#.redo", "scsi:1.redo"));
  EXPECT_TRUE(key_matches("sched.*", "sched.mem.max"));
  EXPECT_TRUE(key_matches("*.saswwid", "scsi0.saswwid"));
  EXPECT_FALSE(key_matches("dr.enabled", "dr.enabledx"));
  EXPECT_EQ(find_vmx_key("flux.capacitor"), nullptr);
  EXPECT_EQ(find_vmx_key(std::string(1'000'000, '*')), nullptr);
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
    EXPECT_NE(find_vmx_key(key), nullptr) << key;
  }
}

TEST(KnownKeys, AnyCaseIsTheSameKey) {
  EXPECT_EQ(find_vmx_key("RemoteDisplay.maxConnections"), find_vmx_key("remotedisplay.maxconnections"));
  EXPECT_NE(find_machine_config_key("cpuHotRemoveEnabled"), nullptr);
  EXPECT_NE(find_device_config_key("slotInfo.ethernetRes"), nullptr);
}

TEST(KnownKeys, WhatIsSwitchedOffIsNotDropped) {
  const KeyRule *rule = find_vmx_key("vpmc.enable");
  ASSERT_NE(rule, nullptr);
  EXPECT_EQ(verdict(*rule, "TRUE").disposition, Disposition::dropped);
  EXPECT_EQ(verdict(*rule, " false ").disposition, Disposition::irrelevant);
  EXPECT_EQ(verdict(*rule, "").disposition, Disposition::irrelevant);
}

TEST(KnownKeys, WideRulesHideNoKeyThatTheUserWouldMiss) {
  for (const char *key :
       {"snapshot.action", "gui.exitOnCLIHLT", "monitor.suspend_on_triplefault", "monitor_control.pseudo_perfctr",
        "numa.vcpu.coresPerNode", "sched.mem.pin", "vmci0.present", "tools.deployPkg.fileName", "wwn.node",
        "ethernet0.noForgedSrcAddr", "bios.bootRetry.enabled", "uefi.secureBoot.dbDefault.file0",
        "smbios.useShortSerialNumber", "scsi0:0.SCSIVendor", "RemoteDisplay.vnc.keyMap", "vrdma0.present"}) {
    const KeyRule *rule = find_vmx_key(key);
    ASSERT_NE(rule, nullptr) << key;
    EXPECT_EQ(rule->disposition, Disposition::dropped) << key;
  }
}

TEST(KnownKeys, HousekeepingIsNotReportedAsALoss) {
  for (const char *key :
       {"snapshot.maxSnapshots", "numa.autosize.vcpu.maxPerVirtualNode", "vmci0.id", "tools.upgrade.policy",
        "serial0.yieldOnMsrRead", "applianceView.coverPage.name", "diskCleanup.automatic", "cloud.uuid", "cloneOf0",
        "sentinel0", "featMask.vm.hv.capable", "draw", "uuid.location", "parallel0.bidirectional"}) {
    const KeyRule *rule = find_vmx_key(key);
    ASSERT_NE(rule, nullptr) << key;
    EXPECT_EQ(rule->disposition, Disposition::irrelevant) << key;
  }
}

TEST(KnownKeys, LimitsThatAreNoneAreNotDropped) {
  EXPECT_EQ(verdict(*find_vmx_key("sched.cpu.max"), "unlimited").disposition, Disposition::irrelevant);
  EXPECT_EQ(verdict(*find_vmx_key("sched.cpu.affinity"), "all").disposition, Disposition::irrelevant);
  EXPECT_EQ(verdict(*find_vmx_key("sched.cpu.affinity"), "0,1").disposition, Disposition::dropped);
}

// A key that fits `pattern`, and as few wider patterns as can be.
std::string sample(std::string_view pattern) {
  std::string out;
  for (const char c : pattern) out += c == '#' ? "0" : c == '*' ? "zz" : std::string(1, c);
  return out;
}

void expect_reachable(const std::vector<KeyRule> &rules) {
  for (const KeyRule &rule : rules) {
    const std::string key = sample(rule.pattern);
    const auto first =
        std::find_if(rules.begin(), rules.end(), [&](const KeyRule &other) { return key_matches(other.pattern, key); });
    ASSERT_NE(first, rules.end()) << rule.pattern;
    EXPECT_EQ(first->pattern, rule.pattern) << "a wider rule stands before it";
  }
}

TEST(KnownKeys, NoRuleStandsBehindAWiderOne) {
  std::vector<KeyRule> vmx(platform_rules().begin(), platform_rules().end());
  vmx.insert(vmx.end(), hardware_rules().begin(), hardware_rules().end());
  expect_reachable(vmx);
  expect_reachable({machine_config_rules().begin(), machine_config_rules().end()});
  expect_reachable({device_config_rules().begin(), device_config_rules().end()});
}

TEST(KnownKeys, EveryRuleGivesAReason) {
  for (const auto rules : {platform_rules(), hardware_rules(), machine_config_rules(), device_config_rules()}) {
    for (const KeyRule &rule : rules) EXPECT_FALSE(rule.note.empty()) << rule.pattern;
  }
}

}  // namespace
}  // namespace ferry::vmware
