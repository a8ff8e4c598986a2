// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/export/builders.hpp"

namespace ferry::test {
namespace {

std::string boot_of(const target::Result &result, std::string_view list, std::size_t number) {
  const xml::Element root = domain(result);
  const xml::Element *boot = element(root, std::string("devices/") + std::string(list), number).child("boot");
  return boot == nullptr ? "" : attribute(*boot, "order");
}

TEST(BootOrder, FollowsTheSourceUnderBios) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.boot_order = {{BootDevice::Kind::network, {}}, {BootDevice::Kind::disk, {}}};
  const auto result = fixture.run();
  EXPECT_EQ(boot_of(result, "interface", 0), "1");
  EXPECT_EQ(boot_of(result, "disk", 0), "2");
  EXPECT_EQ(boot_of(result, "disk", 1), "");  // the CD
}

TEST(BootOrder, EveryDiskHasOneUnderEfiBecauseOvmfForgetsTheOthers) {
  Fixture fixture = with(ControllerType::ahci, {disk_drive(0), disk_drive(1)});
  fixture.machine.hardware.controllers[0].bootable = false;
  fixture.machine.hardware.firmware.type = FirmwareType::efi64;
  fixture.machine.hardware.boot_order = {{BootDevice::Kind::network, {}}};
  const auto result = fixture.run();
  EXPECT_EQ(boot_of(result, "disk", 0), "1");
  EXPECT_EQ(boot_of(result, "disk", 1), "2");
  EXPECT_EQ(boot_of(result, "interface", 0), "3");
}

TEST(BootOrder, AControllerThatDoesNotBootIsLeftOut) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.controllers[0].bootable = false;
  EXPECT_EQ(boot_of(fixture.run(), "disk", 0), "");
}

TEST(BootOrder, VmwaresDiskOrderComesFirst) {
  Fixture fixture(vmware_machine());
  fixture.machine.hardware.controllers = {controller(ControllerType::pvscsi, "scsi0", {disk_drive(0), disk_drive(1)})};
  fixture.machine.hardware.boot_order = {{BootDevice::Kind::disk, "scsi0:1"}};
  const auto result = fixture.run();
  EXPECT_EQ(boot_of(result, "disk", 1), "1");
  EXPECT_EQ(boot_of(result, "disk", 0), "2");
}

TEST(BootOrder, VmwaresDiskOrderNamesIdeDrivesByChannelAndDevice) {
  Fixture fixture(vmware_machine());
  Drive slave = disk_drive(1);
  slave.device = 1;
  fixture.machine.hardware.controllers = {controller(ControllerType::ide_vmware, "ide", {disk_drive(0), slave}),
                                          controller(ControllerType::pvscsi, "scsi0", {disk_drive(10)})};
  fixture.machine.hardware.boot_order = {{BootDevice::Kind::disk, "ide1:1"}, {BootDevice::Kind::disk, "scsi0:10"}};
  const auto result = fixture.run();
  EXPECT_EQ(boot_of(result, "disk", 1), "1");
  EXPECT_EQ(boot_of(result, "disk", 2), "2");
  EXPECT_EQ(boot_of(result, "disk", 0), "3");
}

// The disk is the one that the guest starts from; a CD must not take the place that it moves to.
TEST(BootOrder, DisksThatMoveToAnotherBusGoBeforeCdDrivesThatDo) {
  Fixture fixture(vmware_machine());
  fixture.machine.hardware.firmware.type = FirmwareType::efi64;
  Drive cd;
  cd.kind = DriveKind::cdrom;
  fixture.machine.hardware.controllers = {controller(ControllerType::ide_vmware, "ide", {cd}),
                                          controller(ControllerType::buslogic, "scsi0", {disk_drive(0)})};
  fixture.input.options.disk_bus = target::DiskBus::sata;
  const xml::Element root = domain(fixture.run());
  EXPECT_EQ(attribute(*element(root, "devices/disk", 1).child("address"), "unit"), "0");
  EXPECT_EQ(attribute(*element(root, "devices/disk", 0).child("address"), "unit"), "1");
}

}  // namespace
}  // namespace ferry::test
