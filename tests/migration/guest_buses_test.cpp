// SPDX-License-Identifier: Apache-2.0
#include "migration/guest_buses.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ferry::migration {
namespace {

using target::BootBus;
using testing::ElementsAre;
using testing::IsEmpty;

class GuestBuses : public testing::Test {
 protected:
  ObservedWindows &windows(std::size_t disk, std::vector<ObservedService> services) {
    ObservedWindows &out = observed_.windows.emplace_back();
    out.disk = disk;
    out.version = "10.0.19045";
    out.control_sets.push_back({.number = 1, .services = std::move(services)});
    return out;
  }
  ObservedLinux &linux_system(std::size_t disk, std::vector<std::string> drivers) {
    ObservedLinux &out = observed_.linux_systems.emplace_back();
    out.disk = disk;
    out.kernels.push_back({.version = "6.1", .examined = true, .drivers = std::move(drivers)});
    return out;
  }
  std::map<std::size_t, SeenDisk> seen(GuestFixes choice = GuestFixes::automatic) {
    return disks_seen(observed_, choice, copied_);
  }

  Observed observed_;
  std::set<std::size_t> copied_{1, 2};
};

const BootBus kSata{"sata", ""}, kVirtioScsi{"scsi", "virtio-scsi"}, kIde{"ide", ""}, kNvme{"nvme", ""};

TEST_F(GuestBuses, ALinuxBootsFromThoseWhoseDriversItsInitialRamDiskHas) {
  linux_system(1, {"ahci", "nvme", "virtio_pci", "virtio_scsi"});
  EXPECT_THAT(seen()[1].boots_from, ElementsAre(kSata, kVirtioScsi, kNvme));
  observed_.linux_systems.clear();
  linux_system(1, {"virtio_scsi", "ata_piix"});  // virtio's devices are on the PCI bus
  EXPECT_THAT(seen()[1].boots_from, ElementsAre(kIde));
}

TEST_F(GuestBuses, NothingIsKnownOfAKernelThatWasNotExamined) {
  linux_system(1, {"ahci"}).kernels[0].examined = false;
  EXPECT_THAT(seen(), IsEmpty());
}

TEST_F(GuestBuses, WhatWindowsStartsComesBeforeWhatAFixWouldStart) {
  windows(1, {{.name = "storahci", .start = 3, .start_at = 1000}, {.name = "stornvme", .start = 0}});
  const BootBus fixed{"sata", "", true};
  EXPECT_THAT(seen()[1].boots_from, ElementsAre(kNvme, fixed));
  EXPECT_THAT(seen(GuestFixes::list)[1].boots_from, ElementsAre(kNvme, fixed));
  EXPECT_THAT(seen(GuestFixes::off)[1].boots_from, ElementsAre(kNvme));
  copied_.clear();
  EXPECT_THAT(seen()[1].boots_from, ElementsAre(kNvme));
  copied_ = {1};
  observed_.windows[0].hibernated = true;
  EXPECT_THAT(seen()[1].boots_from, ElementsAre(kNvme));
}

TEST_F(GuestBuses, DisksOfDataGoWithTheSystems) {
  linux_system(2, {"ahci"});
  observed_.disks = {{.number = 1}, {.number = 2}, {.number = 3, .problem = "it was not read"}};
  const auto out = seen();
  EXPECT_EQ(out.size(), 2U);
  EXPECT_TRUE(out.at(1).data_only);
  EXPECT_THAT(out.at(1).boots_from, ElementsAre(kSata));
  EXPECT_FALSE(out.at(2).data_only);
}

TEST_F(GuestBuses, TwoSystemsOnOneDiskBothHaveToBoot) {
  linux_system(1, {"ahci", "nvme"});
  windows(1, {{.name = "storahci", .start = 3, .start_at = 1000}, {.name = "stornvme", .start = 0}});
  EXPECT_THAT(seen()[1].boots_from, ElementsAre(kNvme, BootBus{"sata", "", true}));
  observed_.linux_systems[0].kernels[0].drivers = {"ahci"};
  EXPECT_THAT(seen()[1].boots_from, ElementsAre(BootBus{"sata", "", true}));
}

}  // namespace
}  // namespace ferry::migration
