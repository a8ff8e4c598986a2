// SPDX-License-Identifier: Apache-2.0
// A real QEMU takes the devices where the mapping puts them. Started with stopped CPUs, so nothing boots.
#include <gtest/gtest.h>

#include "tests/export/builders.hpp"

namespace ferry::test {
namespace {

constexpr std::array kControllers = {
    ControllerType::ide_piix4,    ControllerType::ahci,     ControllerType::lsilogic,
    ControllerType::lsilogic_sas, ControllerType::buslogic, ControllerType::pvscsi,
    ControllerType::virtio_scsi,  ControllerType::nvme,     ControllerType::usb_storage};

TEST(Start, EveryControllerOnBothBoards) {
  for (const Chipset chipset : {Chipset::piix3, Chipset::ich9}) {
    for (const ControllerType type : kControllers) {
      for (const OsFamily family : {OsFamily::linux, OsFamily::bsd}) {
        if (family == OsFamily::bsd && type != ControllerType::lsilogic) continue;
        SCOPED_TRACE(static_cast<int>(type));
        Machine machine = virtualbox_machine();
        machine.guest_os.family = family;
        machine.hardware.chipset = chipset;
        machine.hardware.controllers = {controller(type, "c", {disk_drive(0), disk_drive(1), cd_drive(2)})};
        Fixture(machine).run_and_start();
      }
    }
  }
}

TEST(Start, CpusAndMemoryThatCanBeAdded) {
  for (Machine machine : {virtualbox_machine(), vmware_machine()}) {
    machine.hardware.cpu.count = 2;
    machine.hardware.cpu.hotplug = true;
    machine.hardware.memory.hot_add = true;
    Fixture(machine).run_and_start();
  }
}

TEST(Start, ACardReader) {
  Machine machine = virtualbox_machine();
  machine.hardware.card_reader = true;
  Fixture(machine).run_and_start();
}

// By arguments of QEMU's, as Debian 12's libvirt has none.
TEST(Start, NvmeDisksOnBothBoards) {
  for (const Chipset chipset : {Chipset::piix3, Chipset::ich9}) {
    for (const std::size_t disks : {1U, 2U}) {
      Machine machine = virtualbox_machine();
      machine.hardware.chipset = chipset;
      std::vector<Drive> drives{disk_drive(0)};
      if (disks == 2) drives.push_back(disk_drive(1));
      machine.hardware.controllers = {controller(ControllerType::nvme, "c", drives),
                                      controller(ControllerType::ahci, "d", {cd_drive(2)})};
      Fixture fixture(machine);
      fixture.input.options.disk_bus = target::DiskBus::nvme;
      fixture.run_and_start();
    }
  }
}

TEST(Start, EveryNicModelAndAForward) {
  Machine machine = virtualbox_machine();
  machine.hardware.nics.clear();
  const std::array models = {NicModel::am79c973, NicModel::e1000_82540em, NicModel::e1000_82545em, NicModel::e1000e,
                             NicModel::virtio,   NicModel::vmxnet3,       NicModel::ne2000};
  for (unsigned i = 0; i < models.size(); ++i) machine.hardware.nics.push_back({.model = models[i], .slot = i});
  // Port 0 of the host would be any free one; 127.13.0.1 keeps out of everybody's way.
  machine.hardware.nics[0].forwards = {{.host_address = "127.13.0.1", .host_port = 42022, .guest_port = 22}};
  for (const Chipset chipset : {Chipset::piix3, Chipset::ich9}) {
    machine.hardware.chipset = chipset;
    Fixture(machine).run_and_start();
  }
}

TEST(Start, VmwareNamesBehindRootPorts) {
  Machine machine = vmware_machine();
  machine.hardware.controllers.pop_back();
  machine.hardware.nics.push_back(machine.hardware.nics[0]);
  machine.hardware.nics[1].model = NicModel::vmxnet3;
  machine.hardware.nics[1].pci_slot = 160;
  machine.hardware.nics[1].mac = MacAddress::parse("00:50:56:00:00:02");
  Fixture fixture(machine);
  fixture.input.options.keep_nic_names = true;
  fixture.run_and_start();
}

TEST(Start, ModelStringsAndPlatformStrings) {
  Machine machine = virtualbox_machine();
  machine.hardware.controllers.push_back(controller(ControllerType::lsilogic_sas, "SAS", {disk_drive(3), cd_drive(4)}));
  Fixture fixture(machine);
  fixture.input.options.keep_disk_models = true;
  fixture.input.options.keep_smbios_strings = true;
  fixture.run_and_start();
}

TEST(Start, EverySoundUsbAndVideoDevice) {
  for (const Sound::Model sound : {Sound::Model::ac97, Sound::Model::sb16, Sound::Model::hda, Sound::Model::es1371}) {
    for (const Chipset chipset : {Chipset::piix3, Chipset::ich9}) {
      Machine machine = virtualbox_machine();
      machine.hardware.chipset = chipset;
      machine.hardware.sound->model = sound;
      machine.hardware.usb_controllers = {{.type = UsbController::Type::ohci},
                                          {.type = UsbController::Type::ehci},
                                          {.type = UsbController::Type::xhci},
                                          {.type = UsbController::Type::uhci}};
      Fixture(machine).run_and_start();
    }
  }
  using target::VideoModel;
  for (const VideoModel video : {VideoModel::vga, VideoModel::qxl, VideoModel::virtio, VideoModel::cirrus,
                                 VideoModel::bochs, VideoModel::vmvga, VideoModel::none}) {
    Fixture fixture(virtualbox_machine());
    fixture.machine.hardware.display.video_memory_bytes = 20U << 20U;
    fixture.input.options.video_model = video;
    fixture.run_and_start();
  }
}

TEST(Start, SerialPortsOfEachKind) {
  using Backend = CharPort::Backend;
  Machine machine = virtualbox_machine();
  machine.hardware.serial_ports = {{.slot = 0, .backend = Backend::file, .path = "/home/user/com1.log"},
                                   {.slot = 1, .backend = Backend::pipe, .path = "/tmp/pipe", .server = true},
                                   {.slot = 2, .backend = Backend::tcp, .path = "127.0.0.1:9"},
                                   {.slot = 3, .backend = Backend::disconnected}};
  machine.hardware.parallel_ports = {{.slot = 0, .backend = Backend::file, .path = "/home/user/lpt1.prn"}};
  Fixture(machine).run_and_start();
}

TEST(Start, TransientAndReadOnlyDisks) {
  Machine machine = virtualbox_machine();
  machine.hardware.controllers = {controller(ControllerType::ahci, "SATA", {disk_drive(0), disk_drive(1)}),
                                  controller(ControllerType::virtio_scsi, "VirtIO", {disk_drive(0), disk_drive(1)})};
  Fixture fixture(machine);
  fixture.change_media = [](target::Medium &medium) {
    medium.transient = medium.drive == 0;
    medium.read_only = medium.drive == 1;
  };
  fixture.run_and_start();
}

TEST(Start, EfiOnBothBoards) {
  for (const Chipset chipset : {Chipset::piix3, Chipset::ich9}) {
    Machine machine = virtualbox_machine();
    machine.hardware.chipset = chipset;
    machine.hardware.firmware.type = FirmwareType::efi64;
    Fixture(machine).run_and_start();
  }
}

}  // namespace
}  // namespace ferry::test
