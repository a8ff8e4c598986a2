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
  std::vector<Finding> judged() { return judge_guest(observed_, machine_, result_); }
  std::vector<std::string> ids() {
    std::vector<std::string> out;
    for (const Finding &one : judged()) out.push_back(one.id);
    return out;
  }

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

TEST_F(GuestJudgement, HibernatedDirtyAndEncryptedAreSaid) {
  windows({{"storahci", 0}}).hibernated = true;
  observed_.volumes = {{.disk = 1, .number = 2, .content = "ntfs", .dirty = true},
                       {.disk = 1, .number = 3, .content = "bitlocker", .protectors = {"tpm", "recovery"}},
                       {.disk = 1, .number = 4, .content = "bitlocker", .protectors = {"tpm", "clear-key"}},
                       {.disk = 1, .number = 5, .content = "bitlocker", .protectors = {"password"}}};
  EXPECT_THAT(ids(), ElementsAre("guest.hibernated", "guest.boot-driver-there", "guest.dirty", "guest.bitlocker"));
}

TEST_F(GuestJudgement, NamesOfDisksThatGoAreSaid) {
  linux_system({"virtio_blk", "ahci"}).mounts = {
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
