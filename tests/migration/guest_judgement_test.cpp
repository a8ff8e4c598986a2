// SPDX-License-Identifier: Apache-2.0
#include "migration/guest_judgement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ferry::migration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class GuestJudgement : public testing::Test {
 protected:
  GuestJudgement() {
    Controller &controller = machine_.hardware.controllers.emplace_back();
    Drive &drive = controller.drives.emplace_back();
    drive.medium.emplace();
    drive.origin.path = "the disk";
    on("sata", "");
  }
  void on(const std::string &bus, const std::string &model) {
    result_.disks = {{.controller = 0, .drive = 0, .target = "sda", .bus = bus, .model = model}};
  }
  ObservedWindows &windows(std::vector<ObservedService> services) {
    ObservedWindows &out = observed_.windows.emplace_back();
    out.disk = 1;
    out.partition = 2;
    out.product = "Windows 10 Pro";
    out.control_sets.push_back({.number = 1, .services = std::move(services)});
    return out;
  }
  ObservedLinux &linux_system(std::vector<std::string> drivers) {
    ObservedLinux &out = observed_.linux_systems.emplace_back();
    out.disk = 1;
    out.product = "Debian";
    out.kernels.push_back(
        {.version = "6.1", .initramfs = "/boot/initrd.img-6.1", .examined = true, .drivers = std::move(drivers)});
    return out;
  }
  Judgement judgement() {
    return judge_guest(observed_, machine_.hardware, machine_.origin, result_, choice_, copied_);
  }
  std::vector<Finding> judged() { return judgement().findings; }
  std::vector<std::string> ids() {
    std::vector<std::string> out;
    for (const Finding &one : judged()) out.push_back(one.id);
    return out;
  }

  GuestFixes choice_ = GuestFixes::off;
  std::set<std::size_t> copied_{1};
  Observed observed_;
  Machine machine_;
  target::Result result_;
};

TEST_F(GuestJudgement, WindowsThatStartsTheDriverBoots) {
  windows({{"storahci", 0}});
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver-there"));
  observed_.windows.clear();
  windows({{"msahci", 0}});  // Windows 7's
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver-there"));
}

TEST_F(GuestJudgement, WindowsThatDoesNotStartItStopsAndABusIsNamed) {
  windows({{"storahci", 3}, {"stornvme", 0}});
  const std::vector<Finding> found = judged();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id, "guest.boot-driver");
  EXPECT_EQ(found[0].severity, Severity::critical);
  EXPECT_EQ(found[0].where.path, "the disk");
  EXPECT_THAT(found[0].message, HasSubstr("does not start storahci or msahci at boot"));
  EXPECT_THAT(found[0].advice, HasSubstr("--disk-bus nvme"));
}

TEST_F(GuestJudgement, AnOverriddenStartCounts) {
  windows({{"storahci", 0, 3}});
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver"));
  observed_.windows.clear();
  windows({{"storahci", 3, 0}});
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver-there"));
}

TEST_F(GuestJudgement, IdeTakesBothItsDrivers) {
  on("ide", "");
  windows({{"intelide", 0}, {"atapi", 0}});
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver-there"));
  observed_.windows.clear();
  windows({{"intelide", 0}, {"atapi", 4}});
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver"));
}

TEST_F(GuestJudgement, WithoutAnyDriverTheWayLeadsPastTheOldProduct) {
  windows({{"lsi_sas", 0}});
  EXPECT_THAT(judged().at(0).advice, HasSubstr("Windows installation CD"));
  on("scsi", "lsisas1068");
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver-there"));
}

TEST_F(GuestJudgement, LinuxIsJudgedByItsInitialRamDisk) {
  linux_system({"ahci", "ata_piix"});
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver-there"));
  on("virtio", "");
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver"));
  EXPECT_THAT(judged().at(0).advice, HasSubstr("--disk-bus sata"));
  observed_.linux_systems[0].kernels[0].examined = false;
  EXPECT_THAT(ids(), IsEmpty());
}

TEST_F(GuestJudgement, AGuessOfTheTargetsGivesWay) {
  Finding guess{.id = "disk.controller-replaced", .where = {.path = "the disk"}};
  result_.findings = {guess};
  linux_system({"ahci"});
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver-there"));
  EXPECT_THAT(result_.findings, IsEmpty());
  guess.where.path = "another disk";
  result_.findings = {guess};
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver-there"));
  EXPECT_EQ(result_.findings.size(), 1U);
}

TEST_F(GuestJudgement, WindowsIsMadeToBootInEverySetThatMayBeUsed) {
  choice_ = GuestFixes::automatic;
  ObservedWindows &system =
      windows({{.name = "storahci", .start = 3, .start_override = 3, .start_at = 1000, .override_at = 2000}});
  system.version = "10.0.19045";
  system.folder = "Windows";
  system.control_sets.push_back(
      {.number = 2,
       .services = {{.name = "storahci", .start = 0, .start_override = 3, .start_at = 3000, .override_at = 4000}}});
  const Judgement found = judgement();
  ASSERT_EQ(found.fixes.size(), 3U);
  EXPECT_EQ(found.fixes[0].text(),
            "\\Windows\\System32\\config\\SYSTEM: ControlSet001\\Services\\storahci: Start 3 becomes 0");
  EXPECT_EQ(found.fixes[1].key, "ControlSet001\\Services\\storahci\\StartOverride");
  EXPECT_EQ(found.fixes[2].change.offset, 4000U);
  EXPECT_THAT(found.fixes[2].change.before, ElementsAre(3, 0, 0, 0));
  EXPECT_THAT(found.fixes[2].change.after, ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(ids(), ElementsAre("guest.fixed", "guest.fixed", "guest.fixed"));
}

TEST_F(GuestJudgement, WindowsIsNotChangedWhereThatCouldHarmIt) {
  choice_ = GuestFixes::automatic;
  const auto refused = [&](const char *why) {
    const Judgement found = judgement();
    EXPECT_THAT(found.fixes, IsEmpty()) << why;
    std::string all;
    for (const Finding &one : found.findings) all += one.message;
    EXPECT_THAT(all, HasSubstr(why));
    EXPECT_THAT(ids(), testing::Contains("guest.boot-driver"));
  };
  ObservedWindows &system = windows({{.name = "storahci", .start = 3, .start_at = 1000}});
  const ObservedWindows sound = [&] {
    system.version = "10.0.19045";
    return system;
  }();
  EXPECT_EQ(judgement().fixes.size(), 1U);
  system.registry_dirty = true;
  refused("registry was not written to its end");
  system = sound;
  system.hibernated = true;
  refused("it is hibernated");
  system = sound;
  system.version = "5.1.2600";
  refused("older than Windows Vista");
  system = sound;
  system.control_sets[0].services[0].start_at.reset();
  refused("not where it can be changed");
  system = sound;
  observed_.volumes = {{.disk = 1, .number = 2, .content = "ntfs", .dirty = true}};
  refused("file system was not unmounted");
  observed_.volumes.clear();
  copied_.clear();
  refused("its disk is used as it is");
  copied_ = {1};
  choice_ = GuestFixes::list;
  refused("Start 3 becomes 0");
  choice_ = GuestFixes::off;
  refused("--guest-fix off");
}

class GuestServer : public GuestJudgement {
 protected:
  // With a disk of data beside its own.
  GuestServer() {
    Drive &drive = machine_.hardware.controllers[0].drives.emplace_back();
    drive.medium.emplace();
    drive.origin.path = "the second disk";
    data_on("scsi", "lsisas1068");
    choice_ = GuestFixes::automatic;
    system().version = "10.0.20348";
    system().server = true;
    system().folder = "Windows";
    policy(2);
  }
  ObservedWindows &system() {
    return observed_.windows.empty() ? windows({{"storahci", 0}}) : observed_.windows.front();
  }
  void data_on(const std::string &bus, const std::string &model) {
    on("sata", "");
    result_.disks.push_back({.controller = 0, .drive = 1, .target = "sdb", .bus = bus, .model = model});
  }
  void policy(std::uint32_t value) {
    system().control_sets[0].san_policy = value;
    system().control_sets[0].san_policy_at = 5000;
  }
};

TEST_F(GuestServer, IsMadeToUseDisksThatAreNewToIt) {
  const Judgement found = judgement();
  ASSERT_EQ(found.fixes.size(), 1U);
  EXPECT_EQ(found.fixes[0].text(),
            "\\Windows\\System32\\config\\SYSTEM: ControlSet001\\Services\\partmgr\\Parameters: SanPolicy 2 becomes 1");
  EXPECT_EQ(found.fixes[0].change.offset, 5000U);
  EXPECT_THAT(found.fixes[0].change.before, ElementsAre(2, 0, 0, 0));
  EXPECT_THAT(found.fixes[0].change.after, ElementsAre(1, 0, 0, 0));
  EXPECT_THAT(found.findings[0].message, HasSubstr("uses disk 2"));
  EXPECT_THAT(ids(), ElementsAre("guest.fixed", "guest.boot-driver-there"));
}

TEST_F(GuestServer, IsLeftAloneWhereItUsesThemAnyway) {
  data_on("sata", "");  // no bus that servers share
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver-there"));
  policy(4);
  EXPECT_THAT(ids(), ElementsAre("guest.fixed", "guest.boot-driver-there"));
  policy(3);
  EXPECT_THAT(ids(), ElementsAre("guest.fixed", "guest.boot-driver-there"));
  policy(1);
  data_on("virtio", "");
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver-there"));
  policy(2);
  system().server = false;  // a client's is not the default: somebody wanted it
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver-there"));
  system().server = true;
  result_.disks.pop_back();
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver-there"));
}

TEST_F(GuestServer, IsNotChangedWhereThatCouldHarm) {
  const auto refused = [&](const char *why) {
    const Judgement found = judgement();
    EXPECT_THAT(found.fixes, IsEmpty()) << why;
    ASSERT_EQ(found.findings.front().id, "guest.disk-offline");
    EXPECT_EQ(found.findings.front().where.path, "the second disk");
    EXPECT_THAT(found.findings.front().message, HasSubstr(why));
  };
  machine_.hardware.controllers[0].drives[1].medium->type = MediumType::shareable;
  refused("shared with others");
  machine_.hardware.controllers[0].drives[1].medium->type = MediumType::normal;
  system().control_sets[0].san_policy_at.reset();
  refused("where it can be changed");
  policy(2);
  system().registry_dirty = true;
  refused("not written to its end");
  system().registry_dirty = false;
  choice_ = GuestFixes::list;
  refused("SanPolicy 2 becomes 1");
  choice_ = GuestFixes::off;
  refused("--guest-fix off");
}

TEST_F(GuestJudgement, HibernatedDirtyAndEncryptedAreSaid) {
  windows({{"storahci", 0}}).hibernated = true;
  observed_.volumes = {{.disk = 1, .number = 2, .content = "ntfs", .dirty = true},
                       {.disk = 1, .number = 3, .content = "bitlocker", .protectors = {"tpm", "recovery"}},
                       {.disk = 1, .number = 4, .content = "bitlocker", .protectors = {"tpm", "clear-key"}},
                       {.disk = 1, .number = 5, .content = "bitlocker", .protectors = {"password"}}};
  EXPECT_THAT(ids(), ElementsAre("guest.hibernated", "guest.boot-driver-there", "guest.dirty", "guest.bitlocker"));
}

TEST_F(GuestJudgement, NamesOfDisksThatGoAreSaid) {
  linux_system({"virtio_blk", "virtio_pci", "ahci"}).mounts = {
      {"/etc/fstab", "UUID=1", "/"},
      {"/etc/fstab", "/dev/sda2", "/data"},
      {"/etc/fstab", "/dev/disk/by-id/ata-VBOX_HARDDISK_VB1-part1", "/more"}};
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver-there", "guest.mount"));
  on("virtio", "");
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver-there", "guest.mount", "guest.mount"));
}

TEST_F(GuestJudgement, InterfacesThatFilesNameAreHeldAgainstTheCards) {
  linux_system({"ahci"}).interfaces = {{"/etc/network/interfaces", "ens33"}, {"/etc/network/interfaces", "eth0"}};
  result_.nics = {{.guest_name = "enp2s1"}};
  result_.findings = {{.id = "nic.name-changes"}};
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver-there", "guest.interface"));
  EXPECT_THAT(result_.findings, IsEmpty());
  result_.nics = {{.guest_name = "ens33"}};
  EXPECT_THAT(ids(), ElementsAre("guest.boot-driver-there"));
}

TEST_F(GuestJudgement, TheDisksWinOverTheSettings) {
  windows({}).architecture = "x86_64";
  GuestOs settings{
      .label = "Ubuntu", .family = OsFamily::linux, .is_64bit = false, .osinfo_id = "http://ubuntu.com/ubuntu/22.04"};
  std::vector<Finding> findings;
  take_observed_system(observed_, settings, {}, findings);
  EXPECT_EQ(settings.family, OsFamily::windows);
  EXPECT_EQ(settings.osinfo_id, "http://microsoft.com/win/10");
  EXPECT_TRUE(settings.is_64bit);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].id, "guest.os-differs");
  // What agrees, or could be either, stays.
  findings.clear();
  take_observed_system(observed_, settings, {}, findings);
  linux_system({});
  settings.family = OsFamily::bsd;
  take_observed_system(observed_, settings, {}, findings);
  EXPECT_EQ(settings.family, OsFamily::bsd);
  EXPECT_THAT(findings, IsEmpty());
}

}  // namespace
}  // namespace ferry::migration
