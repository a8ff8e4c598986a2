// SPDX-License-Identifier: Apache-2.0
// Controllers and what hangs on them.
#include "tests/ovf/support.hpp"

namespace ferry::ovf::test {
namespace {

TEST(Controllers, TwoIdeItemsAreOneController) {
  const Hardware hardware =
      hardware_of(item(5, "InstanceID", "1", "Address", "1") + item(5, "InstanceID", "2", "Address", "0") +
                  item(15, "InstanceID", "3", "Parent", "1", "AddressOnParent", "1") +
                  item(15, "InstanceID", "4", "Parent", "2", "AddressOnParent", "0"));
  ASSERT_EQ(hardware.controllers.size(), 1U);
  EXPECT_EQ(hardware.controllers[0].type, ControllerType::ide_vmware);
  ASSERT_EQ(hardware.controllers[0].drives.size(), 2U);
  EXPECT_EQ(hardware.controllers[0].drives[0].port, 0U);
  EXPECT_EQ(hardware.controllers[0].drives[1].port, 1U);
  EXPECT_EQ(hardware.controllers[0].drives[1].device, 1U);
}

TEST(Controllers, FourIdeItemsAreTwoControllers) {
  std::string items;
  for (const char *bus : {"0", "1", "2", "3"}) items += item(5, "InstanceID", bus, "Address", bus);
  EXPECT_EQ(hardware_of(items).controllers.size(), 2U);
}

struct Model {
  int type;
  const char *subtype;
  ControllerType expected;
};
class ControllerModels : public testing::TestWithParam<Model> {};
TEST_P(ControllerModels, AreKnown) {
  const auto hardware =
      hardware_of(item(GetParam().type, "InstanceID", "1", "ResourceSubType", GetParam().subtype), "xen-3");
  EXPECT_EQ(hardware.controllers.at(0).type, GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    Subtypes, ControllerModels,
    testing::Values(
        Model{6, "lsilogic", ControllerType::lsilogic}, Model{6, "LsiLogicSAS", ControllerType::lsilogic_sas},
        Model{6, "buslogic", ControllerType::buslogic}, Model{6, "VirtualSCSI", ControllerType::pvscsi},
        Model{20, "VirtioSCSI", ControllerType::virtio_scsi}, Model{20, "AHCI", ControllerType::ahci},
        Model{20, "vmware.sata.ahci", ControllerType::ahci}, Model{20, "vmware.nvme.controller", ControllerType::nvme},
        Model{5, "PIIX3", ControllerType::ide_piix3}, Model{5, "PIIX4", ControllerType::ide_piix4},
        Model{5, "ICH6", ControllerType::ide_ich6}, Model{6, "buslogic, lsilogic", ControllerType::lsilogic},
        Model{6, "virtio lsilogic", ControllerType::virtio_scsi}, Model{6, "nonsense", ControllerType::lsilogic}));

// vCenter writes SCSI 3, 2, 1, 0, and the disks in any order.
TEST(Drives, OrderIsTheHardwaresNotTheDescriptors) {
  const auto scsi = [](const char *address, const char *instance) {
    return item(6, "Address", address, "InstanceID", instance, "ResourceSubType", "VirtualSCSI");
  };
  const Hardware hardware = hardware_of(
      disk_on("13", "0", "50") + disk_on("10", "10", "51") + scsi("3", "13") + scsi("1", "11") +
      item(20, "Address", "0", "InstanceID", "20", "ResourceSubType", "vmware.sata.ahci") + disk_on("10", "2", "52") +
      scsi("0", "10") + scsi("2", "12") + item(5, "Address", "0", "InstanceID", "5"));
  std::string order;
  for (const Controller &controller : hardware.controllers) {
    order += controller.name + std::to_string(controller.index);
    for (const Drive &drive : controller.drives) order += ":" + std::to_string(drive.port);
    order += " ";
  }
  EXPECT_EQ(order, "ide00 scsi00:2:10 scsi11 scsi22 scsi33:0 sata00 ");
}

TEST(Drives, OnesWithoutAPlaceStandInOrderToo) {
  const Hardware hardware =
      hardware_of(item(5, "Address", "0", "InstanceID", "5") + disk_on("5", "1", "50") + item(15, "Parent", "5"));
  ASSERT_EQ(hardware.controllers.at(0).drives.size(), 2U);
  EXPECT_EQ(hardware.controllers[0].drives[0].kind, DriveKind::cdrom);
  EXPECT_EQ(hardware.controllers[0].drives[1].device, 1U);
}

TEST(Drives, TheAdaptersOwnScsiIdIsLeftFree) {
  const ImportedMachine imported =
      import_one({.disks = R"(<Disk ovf:diskId="d" ovf:capacity="1"/>)",
                  .items = kMemory + item(6, "InstanceID", "1", "ResourceSubType", "lsilogic") + disk_on("1", "7")});
  EXPECT_EQ(imported.machine.hardware.controllers.at(0).drives.at(0).port, 0U);
  EXPECT_TRUE(has_finding(imported, "ovf.address-taken"));
}

TEST(Drives, TwoAtOneAddressDoNotHideEachOther) {
  const ImportedMachine imported =
      import_one({.disks = R"(<Disk ovf:diskId="d" ovf:capacity="1"/>)",
                  .items = kMemory + item(20, "InstanceID", "1", "ResourceSubType", "AHCI") + disk_on("1", "0", "8") +
                           disk_on("1", "0", "9")});
  EXPECT_EQ(imported.machine.hardware.controllers.at(0).drives.at(1).port, 1U);
  EXPECT_TRUE(has_finding(imported, "ovf.address-taken"));
}

TEST(Drives, WithoutControllerGetOne) {
  const ImportedMachine imported = import_one(
      {.disks = R"(<Disk ovf:diskId="d" ovf:capacity="1"/>)", .items = kMemory + item(17, "HostResource", "/disk/d")});
  EXPECT_EQ(imported.machine.hardware.controllers.at(0).type, ControllerType::ahci);
  EXPECT_TRUE(has_finding(imported, "ovf.parent-missing"));
}

TEST(Drives, VirtualBox3MeansTheOtherChannel) {
  const Hardware hardware = hardware_of(item(5, "InstanceID", "1", "Address", "1", "ResourceSubType", "PIIX4") +
                                            item(15, "InstanceID", "2", "Parent", "1", "AddressOnParent", "0") +
                                            item(16, "InstanceID", "3", "Parent", "1", "AddressOnParent", "0"),
                                        "virtualbox-2.2");
  EXPECT_EQ(hardware.controllers.at(0).drives.at(0).port, 0U);
  EXPECT_EQ(hardware.controllers.at(0).drives.at(1).port, 1U);
}

TEST(Drives, AThirdFloppyIsDropped) {
  const std::string floppy = item(14, "AddressOnParent", "0");
  const ImportedMachine imported = import_one({.items = kMemory + floppy + floppy + floppy});
  EXPECT_EQ(imported.machine.hardware.controllers.at(0).drives.size(), 2U);
  EXPECT_TRUE(has_finding(imported, "ovf.device-dropped"));
}

// A disk on SATA takes its turn before those on SCSI, as VMware's and VirtualBox's BIOS have it; a CD there none.
TEST(Drives, DisksComeInTheTurnsOfTheBios) {
  const auto names = [](int type, const char *resource) {
    const Hardware hardware = hardware_of(
        item(20, "InstanceID", "5", "Address", "0", "ResourceSubType", "vmware.nvme.controller") +
        item(6, "InstanceID", "4", "Address", "0", "ResourceSubType", "lsilogic") +
        item(20, "InstanceID", "3", "Address", "0", "ResourceSubType", "vmware.sata.ahci") + disk_on("4", "0", "9") +
        item(type, "InstanceID", "10", "Parent", "3", "AddressOnParent", "0", "HostResource", resource));
    std::string out;
    for (const Controller &controller : hardware.controllers) out += controller.name + " ";
    return out;
  };
  EXPECT_EQ(names(17, "ovf:/disk/e"), "sata0 scsi0 nvme0 ");
  EXPECT_EQ(names(15, "ovf:/file/f"), "scsi0 sata0 nvme0 ");
}

}  // namespace
}  // namespace ferry::ovf::test
