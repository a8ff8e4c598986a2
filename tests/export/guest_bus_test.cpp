// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/export/builders.hpp"

namespace ferry::test {
namespace {

// What was seen on the disks decides where the controller has no counterpart.
class SeenGuest : public testing::Test {
 public:
  // What QEMU is told beside libvirt.
  static std::string arguments(const target::Result &result) {
    const xml::Element root = domain(result);
    std::string out;
    if (const xml::Element *line = root.child("commandline")) {
      for (const xml::Element &child : line->children) out += attribute(child, "value") + " ";
    }
    return out;
  }

 protected:
  static Fixture seen(ControllerType type, std::vector<target::BootBus> buses, bool efi = false) {
    Fixture fixture = with(type, {disk_drive(0)}, true);
    if (efi) fixture.machine.hardware.firmware.type = FirmwareType::efi64;
    fixture.change_media = [buses = std::move(buses)](target::Medium &medium) { medium.boots_from = buses; };
    return fixture;
  }
  static std::string model_of(const target::Result &result) { return result.disks.at(0).model; }
};

TEST_F(SeenGuest, GoesToABusThatItBootsFrom) {
  Fixture fixture = seen(ControllerType::lsilogic, {{"scsi", "virtio-scsi"}, {"virtio", ""}});
  auto result = fixture.run();
  EXPECT_EQ(place(result), "scsi 0:0:0:0");
  EXPECT_EQ(model_of(result), "virtio-scsi");
  // What would be taken anyway stays where it boots.
  fixture = seen(ControllerType::lsilogic, {{"scsi", "virtio-scsi"}, {"ide", ""}});
  EXPECT_TRUE(place(fixture.run()).starts_with("ide "));
  // Rather what is started than what has to be changed first.
  fixture = seen(ControllerType::lsilogic, {{"sata", ""}, {"ide", "", true}});
  EXPECT_TRUE(place(fixture.run()).starts_with("sata "));
  fixture = seen(ControllerType::lsilogic, {{"sata", "", true}});
  EXPECT_TRUE(place(fixture.run()).starts_with("sata "));
  // Nothing helps, or nothing is known.
  fixture = seen(ControllerType::lsilogic, {});
  EXPECT_TRUE(place(fixture.run()).starts_with("ide "));
}

TEST_F(SeenGuest, KeepsItsControllerWhereItCanBeMadeToBoot) {
  for (const bool after_fix : {false, true}) {
    Fixture fixture = seen(ControllerType::lsilogic_sas, {{"sata", ""}, {"scsi", "lsisas1068", after_fix}});
    EXPECT_EQ(model_of(fixture.run()), "lsisas1068");
  }
  // Its settings name a controller that it has no driver for: they were guessed.
  Fixture fixture = seen(ControllerType::lsilogic_sas, {{"sata", ""}});
  EXPECT_TRUE(place(fixture.run()).starts_with("sata "));
  fixture = seen(ControllerType::lsilogic_sas, {{"sata", "", true}});
  EXPECT_TRUE(place(fixture.run()).starts_with("sata "));
  // An old Linux' driver is in its kernel.
  fixture = with(ControllerType::ide_piix4, {ide_disk(0, 0)});
  fixture.change_media = [](target::Medium &medium) { medium.boots_from = {{"scsi", "lsilogic"}}; };
  EXPECT_TRUE(place(fixture.run()).starts_with("ide "));
}

TEST_F(SeenGuest, OfAnEfiMachineBootsFromWhatTheFirmwareReadsToo) {
  for (const ControllerType type : {ControllerType::pvscsi, ControllerType::lsilogic_sas}) {
    Fixture fixture =
        seen(type, {{"scsi", "lsisas1068"}, {"scsi", "vmpvscsi"}, {"scsi", "virtio-scsi"}, {"virtio", ""}}, true);
    EXPECT_EQ(model_of(fixture.run()), "virtio-scsi");
    fixture = seen(type, {{"nvme", ""}, {"virtio", ""}}, true);
    EXPECT_TRUE(place(fixture.run()).starts_with("virtio "));
    fixture.host = debian_sid();
    EXPECT_TRUE(place(fixture.run()).starts_with("nvme"));
  }
}

TEST_F(SeenGuest, GetsTheBoardThatHasTheOnlyBusThatItBootsFrom) {
  Fixture fixture = seen(ControllerType::pvscsi, {{"ide", ""}}, true);
  const auto result = fixture.run();
  EXPECT_TRUE(place(result).starts_with("ide ")) << place(result);
  EXPECT_EQ(attribute(element(domain(result), "os/type"), "machine"), "pc");
  fixture = seen(ControllerType::pvscsi, {{"ide", ""}, {"sata", "", true}}, true);
  EXPECT_EQ(attribute(element(domain(fixture.run()), "os/type"), "machine"), "q35");
}

TEST_F(SeenGuest, DisksOfDataAreNoReasonToFearForTheBoot) {
  Fixture fixture = seen(ControllerType::lsilogic, {{"sata", ""}});
  EXPECT_TRUE(found(fixture.run(), "disk.controller-replaced"));
  fixture = with(ControllerType::lsilogic, {disk_drive(0)}, true);
  fixture.change_media = [](target::Medium &medium) {
    medium.boots_from = {{"sata", ""}};
    medium.data_only = true;
  };
  const auto result = fixture.run();
  EXPECT_TRUE(place(result).starts_with("sata "));
  EXPECT_FALSE(found(result, "disk.controller-replaced"));
  EXPECT_TRUE(found(result, "drive.other-bus"));
}

// libvirt of Debian 12 has no NVMe disks, its QEMU has.
TEST_F(SeenGuest, OnNvmeAloneGetsThatByArgumentsOfQemus) {
  Fixture fixture = seen(ControllerType::nvme, {{"nvme", ""}});
  const auto result = fixture.run();
  EXPECT_EQ(count(domain(result), "devices/disk"), 0U);
  EXPECT_TRUE(result.disks.at(0).unmanaged);
  const std::string said = arguments(result);
  EXPECT_NE(said.find("format=qcow2,if=none,id=ua-nvme0n1,discard=unmap"), std::string::npos) << said;
  EXPECT_NE(said.find("-device nvme,id=ua-nvme0,serial="), std::string::npos) << said;
  EXPECT_NE(said.find(",drive=ua-nvme0n1,bootindex=1"), std::string::npos) << said;
  EXPECT_TRUE(found(result, "domain.tainted"));
  EXPECT_TRUE(found(result, "disk.nvme-by-arguments"));
  // Where it boots from another bus, that is libvirt's.
  fixture = seen(ControllerType::nvme, {{"nvme", ""}, {"sata", "", true}});
  EXPECT_TRUE(place(fixture.run()).starts_with("sata "));
  fixture = seen(ControllerType::nvme, {});
  EXPECT_TRUE(place(fixture.run()).starts_with("ide "));
  fixture = seen(ControllerType::nvme, {{"nvme", ""}});
  fixture.host.nvme_device = false;
  EXPECT_TRUE(place(fixture.run()).starts_with("ide "));
}

TEST_F(SeenGuest, AskedForIsAskedFor) {
  Fixture fixture = seen(ControllerType::lsilogic, {{"sata", ""}});
  fixture.input.options.disk_bus = target::DiskBus::virtio;
  EXPECT_TRUE(place(fixture.run()).starts_with("virtio"));
}

TEST_F(SeenGuest, DisksOfOneControllerAreItsNamespacesByArgumentsToo) {
  Fixture fixture = with(ControllerType::nvme, {disk_drive(0), disk_drive(2)});
  fixture.input.options.disk_bus = target::DiskBus::nvme;
  const std::string said = SeenGuest::arguments(fixture.run());
  EXPECT_NE(said.find("nvme-ns,bus=ua-nvme0,drive=ua-nvme0n1,nsid=1"), std::string::npos) << said;
  EXPECT_NE(said.find("nvme-ns,bus=ua-nvme0,drive=ua-nvme0n3,nsid=3"), std::string::npos) << said;
}

}  // namespace
}  // namespace ferry::test
