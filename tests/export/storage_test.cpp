// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/export/builders.hpp"

namespace ferry::test {
namespace {

// The first controller of the type and, if given, the model.
xml::Element controller_of(const target::Result &result, std::string_view type, std::string_view model = {}) {
  const xml::Element root = domain(result);
  for (const xml::Element &child : element(root, "devices").children) {
    if (child.name != "controller" || attribute(child, "type") != type) continue;
    if (model.empty() || attribute(child, "model") == model) return child;
  }
  ADD_FAILURE() << "no controller " << type << " " << model;
  return {};
}

TEST(Storage, IdeKeepsChannelAndUnit) {
  Fixture fixture = with(ControllerType::ide_piix4, {ide_disk(0, 1), ide_disk(1, 0)});
  const auto result = fixture.run();
  EXPECT_EQ(place(result, 0), "ide 0:0:0:1");
  EXPECT_EQ(place(result, 1), "ide 0:1:0:0");
  EXPECT_EQ(result.disks[0].target, "hdb");
  EXPECT_EQ(result.disks[1].target, "hdc");
}

// OVMF has drivers for AHCI, IDE and virtio-scsi only, as distributions build it.
TEST(Storage, EfiMachinesBootFromWhatTheirFirmwareReads) {
  for (const ControllerType type : {ControllerType::pvscsi, ControllerType::lsilogic_sas}) {
    Fixture fixture = with(type, {disk_drive(0)}, true);
    EXPECT_TRUE(place(fixture.run()).starts_with("scsi "));
    fixture.machine.hardware.firmware.type = FirmwareType::efi64;
    const auto result = fixture.run();
    EXPECT_TRUE(place(result).starts_with("sata ")) << place(result);
    EXPECT_TRUE(found(result, "disk.controller-replaced"));
  }
  Fixture fixture = with(ControllerType::virtio_scsi, {disk_drive(0)}, true);
  fixture.machine.hardware.firmware.type = FirmwareType::efi64;
  EXPECT_TRUE(place(fixture.run()).starts_with("scsi "));
}

TEST(Storage, TwoIdeControllersAreTwoChannels) {
  Fixture fixture(vmware_machine());
  fixture.machine.hardware.controllers = {controller(ControllerType::ide_vmware, "ide0", {ide_disk(0, 0)}),
                                          controller(ControllerType::ide_vmware, "ide1", {ide_disk(0, 0)})};
  fixture.machine.hardware.controllers[1].index = 1;
  const auto result = fixture.run();
  EXPECT_EQ(place(result, 0), "ide 0:0:0:0");
  EXPECT_EQ(place(result, 1), "ide 0:1:0:0");
}

TEST(Storage, AhciKeepsSlotPortAndSerial) {
  Fixture fixture = with(ControllerType::ahci, {disk_drive(3)});
  const auto result = fixture.run();
  EXPECT_EQ(place(result), "sata 0:0:0:3");
  EXPECT_EQ(slot_of(controller_of(result, "sata")), 13);
  EXPECT_EQ(element(domain(result), "devices/disk/serial").text, "VB11111111-55555553");
  EXPECT_EQ(settlement(result, "hardware.controllers.0.pci_slot")->disposition, Disposition::kept);
}

TEST(Storage, AhciOfIch9IsTheBoardsOwn) {
  Fixture fixture = with(ControllerType::ahci, {disk_drive(0)});
  fixture.machine.hardware.chipset = Chipset::ich9;
  const auto result = fixture.run();
  EXPECT_EQ(slot_of(controller_of(result, "sata")), 31);
}

TEST(Storage, APortThatQemuLacksGoesElsewhere) {
  Fixture fixture = with(ControllerType::ahci, {disk_drive(0), disk_drive(17)});
  const auto result = fixture.run();
  EXPECT_EQ(place(result, 1), "sata 0:0:0:1");
  EXPECT_TRUE(found(result, "drive.other-port"));
}

TEST(Storage, MoreThanSixSataDrivesGetASecondController) {
  std::vector<Drive> drives;
  for (unsigned i = 0; i < 8; ++i) drives.push_back(disk_drive(i));
  Fixture fixture = with(ControllerType::ahci, drives);
  const auto result = fixture.run();
  EXPECT_EQ(place(result, 5), "sata 0:0:0:5");
  EXPECT_EQ(place(result, 7), "sata 1:0:0:1");
}

TEST(Storage, LsiSasDisksHaveRepeatableWorldWideNames) {
  Fixture fixture = with(ControllerType::lsilogic_sas, {disk_drive(0), disk_drive(1)});
  const auto result = fixture.run();
  EXPECT_EQ(slot_of(controller_of(result, "scsi", "lsisas1068")), 22);
  const xml::Element root = domain(result);
  const std::string first = element(root, "devices/disk/wwn").text;
  EXPECT_EQ(first.size(), 16U);
  EXPECT_EQ(first.substr(0, 7), "5525400");
  EXPECT_NE(first, element(element(root, "devices/disk", 1), "wwn").text);
  EXPECT_EQ(element(domain(fixture.run()), "devices/disk/wwn").text, first);
}

TEST(Storage, PvscsiAndVirtioScsiKeepTheirTargets) {
  Fixture pvscsi = with(ControllerType::pvscsi, {disk_drive(9)}, true);
  EXPECT_EQ(place(pvscsi.run()), "scsi 0:0:9:0");
  Fixture virtio = with(ControllerType::virtio_scsi, {disk_drive(9)});
  const auto result = virtio.run();
  EXPECT_EQ(place(result), "scsi 0:0:9:0");
  EXPECT_EQ(slot_of(controller_of(result, "scsi", "virtio-scsi")), 15);
}

TEST(Storage, ParallelScsiGoesToIdeWithAWayOut) {
  for (const ControllerType type : {ControllerType::lsilogic, ControllerType::buslogic}) {
    Fixture fixture = with(type, {disk_drive(0), cd_drive(1)}, true);
    const auto result = fixture.run();
    EXPECT_EQ(place(result, 0).substr(0, 3), "ide");
    EXPECT_EQ(place(result, 1).substr(0, 3), "ide");
    EXPECT_TRUE(found(result, "disk.controller-replaced"));
    EXPECT_TRUE(found(result, "drive.other-bus"));  // the CD
    EXPECT_EQ(settlement(result, "hardware.controllers.0.type")->disposition, Disposition::translated);
  }
}

TEST(Storage, ParallelScsiGoesToSataWhereTheGuestHasAnAhciDriver) {
  Fixture fixture(vmware_machine());
  fixture.machine.hardware.controllers = {controller(ControllerType::lsilogic, "scsi0", {disk_drive(0)}),
                                          controller(ControllerType::ahci, "sata0", {cd_drive(1)})};
  const auto result = fixture.run();
  EXPECT_EQ(place(result, 0), "sata 0:0:0:0");
  EXPECT_EQ(place(result, 1), "sata 0:0:0:1");
}

TEST(Storage, ParallelScsiOfABsdGuestStaysScsiBecauseDisksAreNamedByDriver) {
  Fixture fixture = with(ControllerType::lsilogic, {disk_drive(2)}, true);
  fixture.machine.guest_os.family = OsFamily::bsd;
  const auto result = fixture.run();
  EXPECT_EQ(place(result), "scsi 0:0:0:2");
  EXPECT_EQ(attribute(controller_of(result, "scsi"), "model"), "lsilogic");
}

TEST(Storage, TheFifthIdeDriveGoesToSata) {
  std::vector<Drive> drives;
  for (unsigned i = 0; i < 5; ++i) drives.push_back(disk_drive(i));
  Fixture fixture = with(ControllerType::buslogic, drives, true);
  const auto result = fixture.run();
  EXPECT_EQ(place(result, 3).substr(0, 3), "ide");
  EXPECT_EQ(place(result, 4).substr(0, 4), "sata");
}

TEST(Storage, NvmeNeedsLibvirtOf2025) {
  Fixture fixture = with(ControllerType::nvme, {disk_drive(0)});
  const auto old = fixture.run();
  EXPECT_EQ(place(old).substr(0, 3), "ide");
  EXPECT_TRUE(found(old, "disk.controller-replaced"));
  fixture.host = debian_sid();
  const auto result = fixture.run();
  EXPECT_EQ(result.disks[0].target, "nvme0n1");
  EXPECT_EQ(slot_of(controller_of(result, "nvme")), 14);
  EXPECT_EQ(controller_of(result, "nvme").child("serial")->text, "VB11111111-55555550");
  EXPECT_FALSE(found(result, "disk.controller-replaced"));
}

// libvirt refuses an NVMe controller without a serial number, which VMware's disks do not name.
TEST(Storage, EveryNvmeControllerHasASerialNumber) {
  Fixture fixture(vmware_machine());
  Drive drive = disk_drive(0);
  drive.serial.reset();
  fixture.machine.hardware.controllers = {controller(ControllerType::nvme, "nvme0", {drive})};
  fixture.make_media("/var/tmp", "qcow2");
  fixture.host = debian_sid();
  const std::string serial = controller_of(fixture.run(), "nvme").child("serial")->text;
  EXPECT_EQ(serial.size(), 16U) << serial;
  EXPECT_EQ(serial, controller_of(fixture.run(), "nvme").child("serial")->text);
}

TEST(Storage, DisksOfOneNvmeControllerAreItsNamespaces) {
  Fixture fixture = with(ControllerType::nvme, {disk_drive(0), disk_drive(1), disk_drive(3)});
  auto &drives = fixture.machine.hardware.controllers[0].drives;
  for (Drive &drive : drives) drive.serial = "VB1234-56789";
  fixture.host = debian_sid();
  const auto result = fixture.run();
  ASSERT_EQ(result.disks.size(), 3U);
  EXPECT_EQ(result.disks[0].target, "nvme0n1");
  EXPECT_EQ(result.disks[1].target, "nvme0n2");
  EXPECT_EQ(result.disks[2].target, "nvme0n4");
  EXPECT_EQ(controller_of(result, "nvme").child("serial")->text, "VB1234-56789");
  EXPECT_FALSE(found(result, "drive.other-port"));
  EXPECT_FALSE(found(result, "disk.serial-changed"));
  drives[1].serial = "another";
  EXPECT_TRUE(found(fixture.run(), "disk.serial-changed"));
}

// SeaBIOS boots from a controller only that has a rank of its own; EFI boots by its variables.
TEST(Storage, AnNvmeControllerHasABootRankUnderBios) {
  Fixture fixture = with(ControllerType::nvme, {disk_drive(0)});
  fixture.host = debian_sid();
  const auto bios = fixture.run();
  const xml::Element root = domain(bios);
  EXPECT_EQ(attribute(*controller_of(bios, "nvme").child("alias"), "name"), "ua-nvme0");
  const xml::Element &property = element(root, "override/device/frontend/property");
  EXPECT_EQ(attribute(property, "name"), "bootindex");
  EXPECT_NE(attribute(property, "value"), attribute(element(root, "devices/disk/boot"), "order"));
  EXPECT_TRUE(found(bios, "domain.tainted"));
  fixture.machine.hardware.firmware.type = FirmwareType::efi64;
  EXPECT_FALSE(found(fixture.run(), "domain.tainted"));
}

TEST(Storage, AMissingControllerOfTheHostsIsReplaced) {
  Fixture fixture = with(ControllerType::lsilogic_sas, {disk_drive(0)});
  fixture.host.scsi_models = {"virtio-scsi"};
  EXPECT_TRUE(found(fixture.run(), "disk.controller-replaced"));
}

TEST(Storage, ABusThatIsAskedForMovesDisksOnly) {
  Fixture fixture = with(ControllerType::lsilogic, {disk_drive(0), cd_drive(1)}, true);
  fixture.input.options.disk_bus = target::DiskBus::scsi;
  const auto result = fixture.run();
  EXPECT_EQ(place(result, 0), "scsi 0:0:0:0");
  EXPECT_EQ(attribute(controller_of(result, "scsi"), "model"), "virtio-scsi");
  EXPECT_EQ(place(result, 1).substr(0, 3), "ide");
  EXPECT_FALSE(found(result, "disk.controller-replaced"));
}

TEST(Storage, ABusThatTheHostLacksIsRefused) {
  Fixture fixture = with(ControllerType::ahci, {disk_drive(0)});
  fixture.input.options.disk_bus = target::DiskBus::nvme;
  fixture.host.nvme_device = false;
  EXPECT_THROW((void)fixture.map(), Error);
}

TEST(Storage, EmptyControllersStayForTheGuest) {
  Fixture fixture = with(ControllerType::virtio_scsi, {});
  EXPECT_EQ(slot_of(controller_of(fixture.run(), "scsi")), 15);
}

TEST(Storage, EmptyDrivesStayEmpty) {
  Fixture fixture = with(ControllerType::ahci, {cd_drive(1)});
  fixture.machine.hardware.controllers[0].drives[0].host_device = "/dev/sr0";
  const auto result = fixture.run();
  const xml::Element root = domain(result);
  EXPECT_EQ(element(root, "devices/disk").child("source"), nullptr);
  EXPECT_EQ(count(root, "devices/disk/readonly"), 1U);
  EXPECT_TRUE(found(result, "drive.host-device"));
}

TEST(Storage, AnEmptyUsbDriveMovesBecauseQemuHasNone) {
  Fixture fixture = with(ControllerType::usb_storage, {cd_drive(0), disk_drive(1)});
  const auto result = fixture.run();
  EXPECT_EQ(place(result, 0).substr(0, 3), "ide");
  EXPECT_EQ(place(result, 1), "usb");
}

TEST(Storage, FloppyDrives) {
  Drive floppy;
  floppy.kind = DriveKind::floppy;
  Fixture fixture = with(ControllerType::floppy, {floppy, floppy, floppy});
  fixture.machine.hardware.controllers[0].drives[1].port = 1;
  const auto result = fixture.run();
  EXPECT_EQ(result.disks.size(), 2U);
  EXPECT_EQ(result.disks[1].target, "fdb");
  EXPECT_TRUE(found(result, "drive.unsupported"));
}

TEST(Storage, ADiskWithoutAnImageIsReported) {
  Fixture fixture = with(ControllerType::ahci, {disk_drive(0)});
  fixture.machine.hardware.controllers[0].drives[0].medium.reset();
  const auto result = fixture.run();
  EXPECT_TRUE(result.disks.empty());
  EXPECT_TRUE(found(result, "disk.left-out"));
  EXPECT_EQ(settlement(result, "hardware.controllers.0.drives.0.port")->disposition, Disposition::dropped);
}

TEST(Storage, SharedTransientAndReadOnlyMedia) {
  Fixture fixture = with(ControllerType::ahci, {disk_drive(0), disk_drive(1), disk_drive(2), disk_drive(3)});
  fixture.change_media = [](target::Medium &medium) {
    medium.transient = medium.drive == 0;
    medium.read_only = medium.drive == 1;
    medium.shareable = medium.drive >= 2;
    if (medium.drive == 3) medium.format = "raw";
  };
  const auto result = fixture.run();
  const xml::Element root = domain(result);
  EXPECT_NE(element(root, "devices/disk", 0).child("transient"), nullptr);
  EXPECT_TRUE(found(result, "disk.transient"));
  EXPECT_NE(element(root, "devices/disk", 1).child("transient"), nullptr);
  EXPECT_EQ(element(root, "devices/disk", 1).child("readonly"), nullptr);
  EXPECT_TRUE(found(result, "disk.read-only-transient"));
  EXPECT_EQ(element(root, "devices/disk", 2).child("shareable"), nullptr);
  EXPECT_TRUE(found(result, "disk.not-shared"));
  EXPECT_NE(element(root, "devices/disk", 3).child("shareable"), nullptr);
}

TEST(Storage, CacheAndSolidState) {
  Fixture fixture = with(ControllerType::ahci, {disk_drive(0)});
  fixture.machine.hardware.controllers[0].host_io_cache = true;
  fixture.machine.hardware.controllers[0].drives[0].nonrotational = true;
  const xml::Element root = domain(fixture.run());
  EXPECT_EQ(attribute(element(root, "devices/disk/driver"), "cache"), "writeback");
  EXPECT_EQ(attribute(element(root, "devices/disk/driver"), "discard"), "unmap");
  EXPECT_EQ(attribute(element(root, "devices/disk/target"), "rotation_rate"), "1");
}

TEST(Storage, SerialsAreCutOrDroppedWithAWord) {
  Fixture fixture = with(ControllerType::ahci, {disk_drive(0), disk_drive(1)});
  fixture.machine.hardware.controllers[0].drives[0].serial = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  fixture.machine.hardware.controllers[0].drives[1].serial = "a,b=c";
  const auto result = fixture.run();
  EXPECT_EQ(element(domain(result), "devices/disk/serial").text, "ABCDEFGHIJKLMNOPQRST");
  EXPECT_EQ(element(domain(result), "devices/disk", 1).child("serial"), nullptr);
  EXPECT_TRUE(found(result, "disk.serial-changed"));
}

TEST(Storage, ModelStringsOnRequest) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.controllers[0].drives[0].model = "ACME";
  EXPECT_TRUE(found(fixture.run(), "disk.model-changed"));
  fixture.machine.hardware.controllers.push_back(controller(ControllerType::virtio_scsi, "V", {disk_drive(0)}));
  fixture.input.media.clear();
  fixture.input.options.keep_disk_models = true;
  const auto result = fixture.run();
  EXPECT_NE(result.document.find("value=\"ACME\""), std::string::npos);
  EXPECT_NE(result.document.find("<product>HARDDISK</product>"), std::string::npos);
  EXPECT_TRUE(found(result, "domain.tainted"));
}

// QEMU stops the machine instead of telling the guest of an error, whatever lies under the image.
TEST(Storage, ADiskThatReadsItsSourceStopsTheMachineWhenItCannot) {
  const auto one_disk = [] { return with(ControllerType::ahci, {disk_drive(0)}); };
  Fixture fixture = one_disk();
  fixture.change_media = [](target::Medium &medium) { medium.reads_source = true; };
  const xml::Element plain = domain(fixture.run());
  EXPECT_EQ(attribute(element(plain, "devices/disk/driver"), "error_policy"), "stop");
  EXPECT_EQ(attribute(element(plain, "devices/disk/driver"), "rerror_policy"), "stop");
  EXPECT_EQ(element(plain, "devices/disk").child("backingStore"), nullptr) << "the image's header leads there";

  fixture = one_disk();
  fixture.change_media = [](target::Medium &medium) {
    medium.reads_source = true;
    medium.backing = target::Backing{
        .file = "/ova/web.ova", .format = "vmdk", .offset = 4096, .length = 65536, .socket = {}, .name = {}};
  };
  const xml::Element part = domain(fixture.run());
  const xml::Element &store = element(part, "devices/disk/backingStore");
  EXPECT_EQ(attribute(store, "type"), "file");
  EXPECT_EQ(attribute(element(store, "format"), "type"), "vmdk");
  EXPECT_EQ(attribute(element(store, "source/slices/slice"), "offset"), "4096");
  EXPECT_EQ(attribute(element(store, "source/slices/slice"), "size"), "65536");

  fixture = one_disk();
  fixture.change_media = [](target::Medium &medium) {
    medium.reads_source = true;
    medium.backing = target::Backing{.file = {}, .format = "raw", .socket = "/run/user/1/nbd", .name = "disk1"};
  };
  for (const bool newer : {false, true}) {
    fixture.host = newer ? debian13() : debian12();
    const xml::Element root = domain(newer ? fixture.map() : fixture.run());  // the libvirt here has the older schema
    const xml::Element &source = element(root, "devices/disk/backingStore/source");
    EXPECT_EQ(attribute(source, "protocol"), "nbd");
    EXPECT_EQ(attribute(source, "name"), "disk1");
    EXPECT_EQ(attribute(element(source, "host"), "socket"), "/run/user/1/nbd");
    EXPECT_EQ(source.child("reconnect") != nullptr, newer);
  }
}

}  // namespace
}  // namespace ferry::test
