// SPDX-License-Identifier: Apache-2.0
#include "tests/vbox/support.hpp"

namespace ferry::vbox::test {
namespace {

constexpr std::string_view kDisk = "{d3b4fd0a-6f65-4567-be62-8bada9328bbd}";

std::string registry(const std::string &disks) {
  return "<MediaRegistry><HardDisks>" + disks + "</HardDisks></MediaRegistry>";
}
std::string disk(std::string_view uuid, const std::string &location = "d.vdi", const std::string &type = "Normal",
                 const std::string &inside = "") {
  return "<HardDisk uuid='" + std::string(uuid) + "' location='" + location + "' format='VDI' type='" + type + "'>" +
         inside + "</HardDisk>";
}
std::string attached(std::string_view uuid, unsigned port = 0, unsigned device = 0,
                     const std::string &type = "HardDisk") {
  return "<AttachedDevice type='" + type + "' port='" + std::to_string(port) + "' device='" + std::to_string(device) +
         "'>" + (uuid.empty() ? "" : "<Image uuid='" + std::string(uuid) + "'/>") + "</AttachedDevice>";
}
std::string controller(const std::string &type, const std::string &drives, const std::string &name = "C") {
  return "<StorageController name='" + name + "' type='" + type + "' PortCount='4'>" + drives + "</StorageController>";
}
Text machine_with(const std::string &controllers, const std::string &disks) {
  Text text;
  text.before_hardware = registry(disks);
  text.after_hardware = "<StorageControllers>" + controllers + "</StorageControllers>";
  return text;
}

TEST(Storage, EveryControllerAndItsSlotOnPiix3) {
  const std::vector<std::tuple<std::string, ControllerType, std::optional<unsigned>>> rows{
      {"PIIX3", ControllerType::ide_piix3, 1},
      {"PIIX4", ControllerType::ide_piix4, 1},
      {"ICH6", ControllerType::ide_ich6, 1},
      {"AHCI", ControllerType::ahci, 13},
      {"LsiLogic", ControllerType::lsilogic, 20},
      {"LsiLogicSas", ControllerType::lsilogic_sas, 22},
      {"BusLogic", ControllerType::buslogic, 21},
      {"VirtioSCSI", ControllerType::virtio_scsi, 15},
      {"NVMe", ControllerType::nvme, 14},
      {"USB", ControllerType::usb_storage, std::nullopt},
      {"I82078", ControllerType::floppy, std::nullopt}};
  for (const auto &[text, type, slot] : rows) {
    const Controller got = import_text(machine_with(controller(text, ""), "")).machine.hardware.controllers.at(0);
    EXPECT_EQ(got.type, type) << text;
    EXPECT_EQ(got.pci_slot, slot) << text;
  }
}

TEST(Storage, SlotsOfIch9AndWithAnIommu) {
  Text text = machine_with(controller("AHCI", "") + controller("LsiLogic", "") + controller("AHCI", ""), "");
  text.hardware = "<Chipset type='ICH9'/>";
  const auto plain = import_text(text).machine.hardware.controllers;
  EXPECT_EQ(plain.at(0).pci_slot, 31U);
  EXPECT_FALSE(plain.at(1).pci_slot);
  EXPECT_EQ(plain.at(1).index, 1U);
  EXPECT_EQ(plain.at(2).pci_slot, 20U);
  text.hardware += "<Iommu type='Intel'/>";
  EXPECT_EQ(import_text(text).machine.hardware.controllers.at(2).pci_slot, 23U);
}

TEST(Storage, IdeDisksBootWhateverTheSettingSays) {
  const auto bootable = [](const std::string &type) {
    Text text;
    text.after_hardware =
        "<StorageControllers><StorageController name='c' Bootable='false' type='" + type + "'/></StorageControllers>";
    return import_text(text).machine.hardware.controllers.at(0).bootable;
  };
  EXPECT_TRUE(bootable("PIIX4"));
  EXPECT_FALSE(bootable("AHCI"));
  EXPECT_FALSE(bootable("LsiLogic"));
}

TEST(Storage, AControllerOfTheFutureIsRefused) {
  const Error error = error_of(machine_with(controller("Quantum", ""), ""));
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_EQ(error.detail().found, "\"Quantum\"");
}

TEST(Storage, StandsUnderMachineOrUnderHardware) {
  Text text;
  text.hardware = "<StorageControllers>" + controller("AHCI", attached("", 1, 0, "DVD")) + "</StorageControllers>";
  const Controller got = import_text(text).machine.hardware.controllers.at(0);
  ASSERT_EQ(got.drives.size(), 1U);
  EXPECT_EQ(got.drives[0].kind, DriveKind::cdrom);
  EXPECT_FALSE(got.drives[0].medium);
}

TEST(Storage, SerialsAreThoseOfVirtualBox) {
  const Text text =
      machine_with(controller("AHCI", attached(kDisk, 2) + attached("", 3, 0, "DVD"), "SATA") +
                       controller("PIIX4", attached("", 1, 0, "DVD") + attached("", 0, 1, "DVD"), "IDE") +
                       controller("LsiLogic", attached(kDisk), "SCSI") + controller("NVMe", attached(kDisk), "NVMe"),
                   disk(kDisk));
  const auto controllers = import_text(text).machine.hardware.controllers;
  EXPECT_EQ(controllers.at(0).drives.at(0).serial, "VB1-01f003f6");
  EXPECT_EQ(controllers.at(0).drives.at(1).serial, "VB2-01700376");
  EXPECT_EQ(controllers.at(1).drives.at(0).serial, "VBd3b4fd0a-bd8b32a9");
  EXPECT_EQ(controllers.at(1).drives.at(0).model, "VBOX HARDDISK");
  EXPECT_EQ(controllers.at(1).drives.at(1).serial, "VB3-1a2b3c4d");
  EXPECT_EQ(controllers.at(1).drives.at(1).model, "VBOX CD-ROM");
  EXPECT_FALSE(controllers.at(2).drives.at(0).serial);
  EXPECT_EQ(controllers.at(3).drives.at(0).serial, "VB1234-56789");
}

// The file lists everything backwards: controllers of two kinds and two instances, drives by port and device.
TEST(Storage, OrderIsTheHardwaresNotTheFiles) {
  const auto sata = [](const std::string &name, int instance, const std::string &drives) {
    return "<StorageController name='" + name + "' type='AHCI' Instance='" + std::to_string(instance) + "'>" + drives +
           "</StorageController>";
  };
  const Text text = machine_with(
      controller("NVMe", "", "N") + sata("second", 1, "") +
          sata("first", 0, attached("", 10, 0, "DVD") + attached(kDisk, 2) + attached("", 0, 0, "DVD")) +
          controller("PIIX4", attached("", 1, 1, "DVD") + attached("", 1, 0, "DVD") + attached("", 0, 1, "DVD"), "IDE"),
      disk(kDisk));
  const auto controllers = import_text(text).machine.hardware.controllers;
  std::vector<std::string> names;
  std::string places;
  for (const Controller &one : controllers) {
    names.push_back(one.name + std::to_string(one.index));
    for (const Drive &drive : one.drives) {
      places += " " + std::to_string(drive.port) + ":" + std::to_string(drive.device);
    }
  }
  EXPECT_EQ(names, (std::vector<std::string>{"IDE0", "first0", "second1", "N0"}));
  EXPECT_EQ(places, " 0:1 1:0 1:1 0:0 2:0 10:0");
}

TEST(Storage, TheSerialIsTheBaseImages) {
  const std::string child = "<HardDisk uuid='{00000002-0000-4000-8000-000000000000}' location='c.vdi' format='VDI'/>";
  const Text text = machine_with(controller("AHCI", attached("{00000002-0000-4000-8000-000000000000}")),
                                 disk(kDisk, "d.vdi", "Normal", child));
  EXPECT_EQ(import_text(text).machine.hardware.controllers.at(0).drives.at(0).serial, "VBd3b4fd0a-bd8b32a9");
}

TEST(Storage, ExtraDataOverridesSerialAndModel) {
  Text text = machine_with(controller("AHCI", attached(kDisk, 1)) + controller("PIIX4", attached("", 1, 0, "DVD")),
                           disk(kDisk));
  text.before_hardware +=
      "<ExtraData><ExtraDataItem name='VBoxInternal/Devices/ahci/0/Config/Port1/SerialNumber' value='S1'/>"
      "<ExtraDataItem name='VBoxInternal/Devices/ahci/0/Config/Port1/ModelNumber' value='M1'/>"
      "<ExtraDataItem name='VBoxInternal/Devices/piix3ide/0/Config/SecondaryMaster/ATAPISerialNumber' "
      "value='string:7'/>"
      "</ExtraData>";
  const ImportedMachine machine = import_text(text);
  EXPECT_EQ(machine.machine.hardware.controllers.at(1).drives.at(0).serial, "S1");
  EXPECT_EQ(machine.machine.hardware.controllers.at(1).drives.at(0).model, "M1");
  EXPECT_EQ(machine.machine.hardware.controllers.at(0).drives.at(0).serial, "7");
  EXPECT_EQ(entry_of(machine, "/ExtraDataItem[1]/@value")->field, "hardware.controllers.1.drives.0.serial");
}

TEST(Storage, FlagsOfADrive) {
  Text text;
  text.after_hardware =
      "<StorageControllers><StorageController name='S' type='AHCI' PortCount='9' useHostIOCache='true' "
      "Bootable='false'><AttachedDevice type='DVD' port='8' device='0' passthrough='true' tempeject='true' "
      "nonrotational='true' discard='true' hotpluggable='false'><HostDrive src='/dev/sr0'/></AttachedDevice>"
      "</StorageController></StorageControllers>";
  const Controller got = import_text(text).machine.hardware.controllers.at(0);
  EXPECT_EQ(got.ports, 9U);
  EXPECT_EQ(got.host_io_cache, true);
  EXPECT_FALSE(got.bootable);
  const Drive &drive = got.drives.at(0);
  EXPECT_EQ(drive.port, 8U);
  EXPECT_EQ(drive.passthrough, true);
  EXPECT_EQ(drive.temporary_eject, true);
  EXPECT_EQ(drive.nonrotational, true);
  EXPECT_EQ(drive.discard, true);
  EXPECT_EQ(drive.hotpluggable, false);
  EXPECT_EQ(drive.host_device, "/dev/sr0");
}

TEST(Storage, BeforeSettings115SataIsAlwaysHotPluggable) {
  Text text = machine_with(controller("AHCI", attached("", 0, 0, "DVD")), "");
  text.version = "1.14-linux";
  EXPECT_EQ(import_text(text).machine.hardware.controllers.at(0).drives.at(0).hotpluggable, true);
}

TEST(Storage, TwoDrivesInOnePlaceAreRefused) {
  const Error error =
      error_of(machine_with(controller("AHCI", attached("", 1, 0, "DVD") + attached("", 1, 0, "DVD")), ""));
  EXPECT_EQ(error.kind(), ErrorKind::malformed);
  EXPECT_NE(error.detail().found.find("port 1"), std::string::npos);
}

TEST(Storage, FloppyDrivesAreCountedByDevice) {
  const auto drives =
      import_text(machine_with(controller("I82078", attached("", 0, 0, "Floppy") + attached("", 0, 1, "Floppy")), ""))
          .machine.hardware.controllers.at(0)
          .drives;
  EXPECT_EQ(drives.at(0).port, 0U);
  EXPECT_EQ(drives.at(1).port, 1U);
  EXPECT_EQ(drives.at(1).device, 0U);
}

TEST(Storage, DrivesBeforeSettings19StandUnderHardware) {
  Text text;
  text.version = "1.8-linux";
  text.hardware = "<DVDDrive passthrough='true'><HostDrive src='/dev/cdrom'/></DVDDrive><FloppyDrive enabled='true'/>";
  text.after_hardware = "<StorageControllers>" + controller("PIIX3", "") + "</StorageControllers>";
  const auto controllers = import_text(text).machine.hardware.controllers;
  ASSERT_EQ(controllers.size(), 2U);
  EXPECT_EQ(controllers[0].drives.at(0).port, 1U);
  EXPECT_EQ(controllers[0].drives.at(0).host_device, "/dev/cdrom");
  EXPECT_EQ(controllers[1].type, ControllerType::floppy);
  EXPECT_EQ(controllers[1].drives.at(0).kind, DriveKind::floppy);
}

TEST(Storage, DisksBeforeSettings17StandInAttachments) {
  Text text;
  text.version = "1.6-linux";
  text.hardware = "<BIOS><IDEController type='ICH6'/></BIOS><SATAController enabled='true' PortCount='5'/>";
  text.after_hardware = "<HardDiskAttachments><HardDiskAttachment hardDisk='" + std::string(kDisk) +
                        "' bus='IDE' channel='1' device='1'/><HardDiskAttachment hardDisk='" + std::string(kDisk) +
                        "' bus='SATA' channel='4' device='0'/></HardDiskAttachments>";
  const auto controllers = import_text(text).machine.hardware.controllers;
  ASSERT_EQ(controllers.size(), 2U);
  EXPECT_EQ(controllers[0].type, ControllerType::ide_ich6);
  EXPECT_EQ(controllers[0].drives.at(0).port, 1U);
  EXPECT_EQ(controllers[0].drives.at(0).device, 1U);
  EXPECT_EQ(controllers[1].ports, 5U);
  EXPECT_EQ(controllers[1].drives.at(0).port, 4U);
}

TEST(Storage, DisksOfTheOldestVersionsAreMasterAndSlave) {
  Text text;
  text.version = "1.2-linux";
  text.after_hardware = "<HardDiskAttachments><HardDiskAttachment hardDisk='" + std::string(kDisk) +
                        "' bus='ide1' device='slave'/></HardDiskAttachments>";
  const Drive drive = import_text(text).machine.hardware.controllers.at(0).drives.at(0);
  EXPECT_EQ(drive.port, 1U);
  EXPECT_EQ(drive.device, 1U);
}

TEST(Storage, AnOldDiskOnABusThatIsNotThereIsRefused) {
  Text text;
  text.version = "1.6-linux";
  text.after_hardware = "<HardDiskAttachments><HardDiskAttachment hardDisk='" + std::string(kDisk) +
                        "' bus='SATA' channel='0' device='0'/></HardDiskAttachments>";
  EXPECT_EQ(error_of(text).kind(), ErrorKind::malformed);
}

}  // namespace
}  // namespace ferry::vbox::test
