// SPDX-License-Identifier: Apache-2.0
#include "importers/vmx/findings.hpp"
#include "tests/vmx/support.hpp"

namespace ferry::vmx::test {
namespace {

std::vector<Controller> controllers_of(std::string_view text) { return import_text(text).machine.hardware.controllers; }

Drive only_drive(std::string_view text) {
  const auto controllers = controllers_of(text);
  EXPECT_EQ(controllers.size(), 1U);
  EXPECT_EQ(controllers.at(0).drives.size(), 1U);
  return controllers.at(0).drives.at(0);
}

TEST(Storage, AnIdeDiskNeedsNoDeviceType) {
  const Drive drive = only_drive("ide1:1.present = \"TRUE\"\nide1:1.fileName = \"d.vmdk\"\n");
  EXPECT_EQ(drive.kind, DriveKind::disk);
  EXPECT_EQ(drive.port, 1U);
  EXPECT_EQ(drive.device, 1U);
  EXPECT_EQ(drive.medium->chain.at(0).declared_format, ImageFormat::vmdk);
}

TEST(Storage, BothIdeChannelsAreOneController) {
  const auto controllers = controllers_of(
      "ide0:0.present = \"TRUE\"\nide0:0.fileName = \"a.vmdk\"\nide1:0.present = \"TRUE\"\nide1:0.deviceType = "
      "\"cdrom-raw\"\nide1:0.fileName = \"auto detect\"\n");
  ASSERT_EQ(controllers.size(), 1U);
  EXPECT_EQ(controllers.at(0).type, ControllerType::ide_vmware);
  EXPECT_EQ(controllers.at(0).drives.size(), 2U);
  EXPECT_EQ(controllers.at(0).drives.at(1).host_device, "auto detect");
}

TEST(Storage, ASataDiskMaySayDisk) {
  const Drive drive = only_drive(
      "sata0.present = \"TRUE\"\nsata0:3.present = \"TRUE\"\nsata0:3.deviceType = \"disk\"\nsata0:3.fileName = "
      "\"d.vmdk\"\n");
  EXPECT_EQ(drive.kind, DriveKind::disk);
  EXPECT_EQ(drive.port, 3U);
}

// The turns of VMware's BIOS, whatever the order of the lines; they number the disks too.
TEST(Storage, DisksComeInTheTurnsOfTheBios) {
  const std::string disks =
      "nvme0.present = \"TRUE\"\nnvme0:0.present = \"TRUE\"\nnvme0:0.fileName = \"n.vmdk\"\n"
      "scsi1.present = \"TRUE\"\nscsi1:0.present = \"TRUE\"\nscsi1:0.fileName = \"t.vmdk\"\n"
      "scsi0.present = \"TRUE\"\nscsi0:1.present = \"TRUE\"\nscsi0:1.fileName = \"s.vmdk\"\n"
      "sata0.present = \"TRUE\"\nsata0:2.present = \"TRUE\"\nsata0:2.fileName = ";
  const auto names = [](const std::string &text) {
    std::string out;
    for (const Controller &controller : controllers_of(text)) out += controller.name + " ";
    return out;
  };
  const std::string ide = "ide0:1.present = \"TRUE\"\nide0:1.fileName = \"i.vmdk\"\n";
  EXPECT_EQ(names(disks + "\"a.vmdk\"\n" + ide), "ide sata0 scsi0 scsi1 nvme0 ");
  EXPECT_EQ(names(disks + "\"a.iso\"\n" + ide), "ide scsi0 scsi1 sata0 nvme0 ") << "a CD takes no disk's turn";
  EXPECT_EQ(names(disks + "\"a.vmdk\"\nsata0:2.deviceType = \"cdrom-image\"\n"), "scsi0 scsi1 sata0 nvme0 ");
}

TEST(Storage, EveryScsiController) {
  const auto type = [](const std::string &name) {
    return controllers_of("scsi0.present = \"TRUE\"\nscsi0.virtualDev = \"" + name + "\"\n").at(0).type;
  };
  EXPECT_EQ(type("lsilogic"), ControllerType::lsilogic);
  EXPECT_EQ(type("BusLogic"), ControllerType::buslogic);
  EXPECT_EQ(type("lsisas1068"), ControllerType::lsilogic_sas);
  EXPECT_EQ(type("pvscsi"), ControllerType::pvscsi);
}

TEST(Storage, TheDefaultScsiControllerDependsOnTheGuest) {
  const ImportedMachine modern = import_text("scsi0.present = \"TRUE\"\n");
  EXPECT_EQ(modern.machine.hardware.controllers.at(0).type, ControllerType::lsilogic);
  EXPECT_EQ(count_findings(modern, "vmx.scsi-default"), 1U);
  EXPECT_EQ(controllers_of("guestOS = \"winxppro\"\nscsi0.present = \"TRUE\"\n").at(0).type, ControllerType::buslogic);
}

TEST(Storage, ControllersAreCountedByTheirType) {
  const auto controllers = controllers_of(
      "scsi0.present = \"TRUE\"\nscsi0.virtualDev = \"pvscsi\"\nscsi1.present = \"TRUE\"\nscsi1.virtualDev = "
      "\"lsilogic\"\nscsi2.present = \"TRUE\"\nscsi2.virtualDev = \"pvscsi\"\nscsi2.pciSlotNumber = \"256\"\n");
  ASSERT_EQ(controllers.size(), 3U);
  EXPECT_EQ(controllers.at(1).index, 0U);
  EXPECT_EQ(controllers.at(2).index, 1U);
  EXPECT_EQ(controllers.at(2).name, "scsi2");
  EXPECT_EQ(controllers.at(2).pci_slot, 256U);
}

TEST(Storage, AnAbsentControllerTakesItsDrivesAlong) {
  const ImportedMachine machine =
      import_text("scsi0.present = \"FALSE\"\nscsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"d.vmdk\"\n");
  EXPECT_TRUE(machine.machine.hardware.controllers.empty());
  EXPECT_EQ(entry_of(machine.ledger, "scsi0:0.fileName")->note, "the controller is not present");
}

TEST(Storage, ADriveOnAControllerThatIsNotDeclaredIsNotLost) {
  const ImportedMachine machine = import_text("sata0:0.present = \"TRUE\"\nsata0:0.fileName = \"d.vmdk\"\n");
  EXPECT_EQ(machine.machine.hardware.controllers.at(0).drives.size(), 1U);
  EXPECT_EQ(count_findings(machine, "vmx.controller-assumed"), 1U);
}

TEST(Storage, DiskModes) {
  const auto type = [](const std::string &mode) {
    return only_drive("ide0:0.present = \"TRUE\"\nide0:0.fileName = \"d.vmdk\"\nide0:0.mode = \"" + mode + "\"\n")
        .medium->type;
  };
  EXPECT_EQ(type("persistent"), MediumType::normal);
  EXPECT_EQ(type("independent-persistent"), MediumType::writethrough);
  EXPECT_EQ(type("independent-nonpersistent"), MediumType::immutable);
  EXPECT_EQ(type("undoable"), MediumType::normal);
}

TEST(Storage, AFilledRedoLogIsCriticalUntilSomebodySaysWhatBecomesOfIt) {
  const std::string text =
      "ide0:0.present = \"TRUE\"\nide0:0.fileName = \"d.vmdk\"\nide0:0.redo = \"d.vmdk.REDO_1\"\n"
      "ide0:0.mode = \"independent-nonpersistent\"\n";
  const auto medium_of = [](const ImportedMachine &machine) {
    return *machine.machine.hardware.controllers.at(0).drives.at(0).medium;
  };
  const ImportedMachine machine = import_text(text);
  EXPECT_EQ(count_findings(machine, "vmx.redo-log"), 1U);
  EXPECT_EQ(medium_of(machine).chain.size(), 1U);
  ImportOptions options;
  options.keep_disk_changes = false;
  const ImportedMachine left = import_text(text, options);
  EXPECT_EQ(count_findings(left, "vmx.redo-log"), 0U);
  EXPECT_EQ(count_findings(left, "vmx.redo-log-left"), 1U);
  EXPECT_EQ(medium_of(left).chain.size(), 1U);
  options.keep_disk_changes = true;
  const ImportedMachine taken = import_text(text, options);
  EXPECT_EQ(count_findings(taken, "vmx.redo-log-taken"), 1U);
  ASSERT_EQ(medium_of(taken).chain.size(), 2U);
  EXPECT_EQ(medium_of(taken).chain[1].declared_location, "d.vmdk.REDO_1");
  EXPECT_FALSE(medium_of(taken).auto_reset);
}

TEST(Storage, SharedDisks) {
  EXPECT_EQ(only_drive("scsi0.present = \"TRUE\"\nscsi0.virtualDev = \"pvscsi\"\nscsi0.sharedBus = \"physical\"\n"
                       "scsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"d.vmdk\"\n")
                .medium->type,
            MediumType::shareable);
  EXPECT_EQ(only_drive("scsi0.present = \"TRUE\"\nscsi0.virtualDev = \"pvscsi\"\nscsi0:0.sharing = \"multi-writer\"\n"
                       "scsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"d.vmdk\"\n")
                .medium->type,
            MediumType::shareable);
}

TEST(Storage, ARawDiskIsCritical) {
  const ImportedMachine machine =
      import_text("ide0:0.present = \"TRUE\"\nide0:0.deviceType = \"rawDisk\"\nide0:0.fileName = \"d.vmdk\"\n");
  EXPECT_EQ(count_findings(machine, "vmx.raw-disk"), 1U);
}

TEST(Storage, CdDrivesWithAndWithoutAMedium) {
  const Folder folder;
  folder.write("boot.iso", "x");
  const auto drives = import_text(folder,
                                  "sata0.present = \"TRUE\"\n"
                                  "sata0:0.present = \"TRUE\"\nsata0:0.deviceType = \"cdrom-image\"\nsata0:0.fileName "
                                  "= \"boot.iso\"\nsata0:0.startConnected = \"FALSE\"\n"
                                  "sata0:1.present = \"TRUE\"\nsata0:1.deviceType = \"cdrom-image\"\nsata0:1.fileName "
                                  "= \"\"\n"
                                  "sata0:2.present = \"TRUE\"\nsata0:2.deviceType = \"atapi-cdrom\"\nsata0:2.fileName "
                                  "= \"emptyBackingString\"\n"
                                  "sata0:3.present = \"TRUE\"\nsata0:3.deviceType = \"cdrom-raw\"\nsata0:3.fileName = "
                                  "\"/dev/sr0\"\n")
                          .machine.hardware.controllers.at(0)
                          .drives;
  ASSERT_EQ(drives.size(), 4U);
  EXPECT_EQ(drives.at(0).medium->chain.at(0).pieces.at(0).file, folder.path() / "boot.iso");
  EXPECT_EQ(drives.at(0).medium->type, MediumType::readonly);
  EXPECT_FALSE(drives.at(0).connected_at_start);
  EXPECT_FALSE(drives.at(1).medium);
  EXPECT_FALSE(drives.at(1).host_device);
  EXPECT_EQ(drives.at(2).client_device, "emptyBackingString");
  EXPECT_EQ(drives.at(3).host_device, "/dev/sr0");
}

TEST(Storage, ADriveThatIsPassedThroughIsAFinding) {
  EXPECT_EQ(count_findings(import_text("scsi0.present = \"TRUE\"\nscsi0.virtualDev = \"pvscsi\"\nscsi0:0.present = "
                                       "\"TRUE\"\nscsi0:0.deviceType = \"scsi-passthru\"\nscsi0:0.fileName = "
                                       "\"/vmfs/devices/cdrom/x\"\n"),
                           "vmx.passthrough"),
            1U);
}

TEST(Storage, FloppyZeroIsThereUnlessTheFileSaysNo) {
  EXPECT_TRUE(controllers_of("").empty());
  EXPECT_TRUE(controllers_of("floppy0.present = \"FALSE\"\n").empty());
  EXPECT_EQ(only_drive("floppy0.fileName = \"vmware-null-remote-floppy\"\nfloppy0.clientDevice = \"TRUE\"\n").kind,
            DriveKind::floppy);
  EXPECT_EQ(
      only_drive("floppy0.fileType = \"file\"\nfloppy0.fileName = \"a.flp\"\n").medium->chain.at(0).declared_location,
      "a.flp");
}

TEST(Storage, ThousandsOfDevicesTakeNoTimeInTheSquareOfTheirNumber) {
  std::string text;
  for (int i = 0; i < 15'000; ++i) {
    text += "scsi" + std::to_string(i % 1000) + ":" + std::to_string(i / 1000) + ".present = \"TRUE\"\n";
  }
  // The limit of the whole test is ctest's; in the square this takes minutes.
  EXPECT_EQ(controllers_of(text).size(), 1000U);
}

// ---- where images are found ----

ImageFile image_of(const ImportedMachine &machine) {
  return machine.machine.hardware.controllers.at(0).drives.at(0).medium->chain.at(0);
}

ImportedMachine import_disk(const Folder &folder, const std::string &location) {
  return import_text(folder, "ide0:0.present = \"TRUE\"\nide0:0.fileName = \"" + location + "\"\n");
}

TEST(Media, AMissingFileIsAFindingAndNoPiece) {
  const Folder folder;
  const ImportedMachine machine = import_disk(folder, "gone.vmdk");
  EXPECT_TRUE(image_of(machine).pieces.empty());
  EXPECT_EQ(image_of(machine).declared_location, "gone.vmdk");
  EXPECT_EQ(count_findings(machine, "vmx.medium-missing"), 1U);
}

TEST(Media, FilesOfAnotherHostAreFoundBesideTheMachine) {
  const Folder folder;
  folder.write("Disk.vmdk", "x");
  for (const std::string location :
       {"C:\\VMs\\m\\Disk.vmdk", "[datastore1] m/Disk.vmdk", "/vmfs/volumes/ds/m/Disk.vmdk", "C:\\VMs\\m\\disk.VMDK",
        "\\\\\\\\server\\\\share\\\\Disk.vmdk"}) {
    const ImportedMachine machine = import_disk(folder, location);
    ASSERT_EQ(image_of(machine).pieces.size(), 1U) << location;
    EXPECT_EQ(image_of(machine).pieces.at(0).file, folder.path() / "Disk.vmdk") << location;
    EXPECT_EQ(count_findings(machine, "vmx.medium-elsewhere"), 1U) << location;
  }
}

TEST(Media, RelativePathsMayHaveBackslashes) {
  const Folder folder;
  folder.write("sub/d.vmdk", "x");
  const ImportedMachine machine = import_disk(folder, ".\\sub\\d.vmdk");
  EXPECT_EQ(image_of(machine).pieces.at(0).file, folder.path() / "sub" / "d.vmdk");
  EXPECT_EQ(count_findings(machine, "vmx.medium-elsewhere"), 0U);
}

TEST(Media, AFileOutsideTheFolderIsLocatedAndJudgedBeforeItIsOpened) {
  const Folder outside;
  outside.write("d.vmdk", "x");
  const Folder folder;
  const ImportedMachine machine = import_disk(folder, (outside.path() / "d.vmdk").string());
  EXPECT_EQ(image_of(machine).pieces.size(), 1U);
  EXPECT_EQ(image_of(machine).pieces.at(0).file, outside.path() / "d.vmdk");
  EXPECT_EQ(count_findings(machine, "vmx.medium-elsewhere"), 0U);
}

TEST(Media, ADeviceOrAFolderIsNoImage) {
  const Folder folder;
  for (const std::string location : {"/dev/null", ".", "/"}) {
    const ImportedMachine machine = import_disk(folder, location);
    EXPECT_EQ(image_of(machine).pieces.size(), location == "/dev/null" ? 1U : 0U) << location;  // refused by the plan
    EXPECT_EQ(count_findings(machine, "vmx.medium-not-a-file"), 1U) << location;
  }
}

TEST(Storage, Esx2NamesItsControllersAndDisksAnotherWay) {
  const auto controllers = controllers_of(
      "scsi0.present = \"TRUE\"\nscsi0.virtualDev = \"vmxlsilogic\"\nscsi0:0.present = \"TRUE\"\n"
      "scsi0:0.name = \"vmhba0:0:0:1:web.vmdk\"\n");
  ASSERT_EQ(controllers.size(), 1U);
  EXPECT_EQ(controllers.at(0).type, ControllerType::lsilogic);
  EXPECT_EQ(controllers.at(0).drives.at(0).medium->chain.at(0).declared_location, "web.vmdk");
}

TEST(Storage, DisksOnUsbBusesAreDisks) {
  const ImportedMachine machine = import_text(
      "usb_xhci.present = \"TRUE\"\nusb_xhci:0.present = \"TRUE\"\nusb_xhci:0.deviceType = \"disk\"\n"
      "usb_xhci:0.fileName = \"stick.vmdk\"\nusb_xhci:0.port = \"0\"\nusb_xhci:0.parent = \"-1\"\n"
      "usb_xhci:4.present = \"TRUE\"\nusb_xhci:4.deviceType = \"hid\"\n");
  const auto &controllers = machine.machine.hardware.controllers;
  ASSERT_EQ(controllers.size(), 1U);
  EXPECT_EQ(controllers.at(0).type, ControllerType::usb_storage);
  EXPECT_EQ(controllers.at(0).drives.at(0).medium->chain.at(0).declared_location, "stick.vmdk");
  EXPECT_EQ(count_findings(machine, kPassthrough.id), 0U);
  for (const LedgerEntry &entry : machine.ledger.entries()) {
    EXPECT_NE(entry.disposition, Disposition::unknown) << entry.where.text();
  }
}

}  // namespace
}  // namespace ferry::vmx::test
