// SPDX-License-Identifier: Apache-2.0
// Whole machines: whatever the source has, the schema and a real libvirt accept the domain. Fixture::run() checks.
#include <gtest/gtest.h>

#include "tests/export/builders.hpp"
#include "tests/export/real_libvirt.hpp"

namespace ferry::test {
namespace {

constexpr std::array kControllers = {
    ControllerType::ide_piix3, ControllerType::ide_piix4,   ControllerType::ide_ich6,     ControllerType::ide_vmware,
    ControllerType::ahci,      ControllerType::lsilogic,    ControllerType::lsilogic_sas, ControllerType::buslogic,
    ControllerType::pvscsi,    ControllerType::virtio_scsi, ControllerType::nvme,         ControllerType::usb_storage};

constexpr std::array kNicModels = {
    NicModel::am79c960,      NicModel::am79c970a, NicModel::am79c973, NicModel::e1000_82540em, NicModel::e1000_82543gc,
    NicModel::e1000_82545em, NicModel::e1000e,    NicModel::e82583v,  NicModel::virtio,        NicModel::vlance,
    NicModel::vmxnet,        NicModel::vmxnet2,   NicModel::vmxnet3,  NicModel::flexible,      NicModel::ne1000,
    NicModel::ne2000,        NicModel::wd8003,    NicModel::wd8013,   NicModel::elnk2,         NicModel::elnk1,
    NicModel::usbnet};

TEST(Define, RealLibvirtRefusesWhatItShould) {
  bool skipped = false;
  const auto message = define_in_real_libvirt("<domain type='qemu'><name/></domain>", skipped);
  if (skipped) GTEST_SKIP() << "no embedded QEMU driver here";
  EXPECT_TRUE(message.has_value());  // so that an accepted domain says something
}

// Each board and firmware with each controller, a CD beside the disk.
TEST(Define, EveryControllerOnEveryBoard) {
  for (const Chipset chipset : {Chipset::piix3, Chipset::ich9, Chipset::i440bx_vmware}) {
    for (const FirmwareType type : {FirmwareType::bios, FirmwareType::efi64}) {
      for (const ControllerType controller_type : kControllers) {
        for (const OsFamily family : {OsFamily::linux, OsFamily::bsd}) {
          Machine machine = chipset == Chipset::i440bx_vmware ? vmware_machine() : virtualbox_machine();
          machine.guest_os.family = family;
          machine.hardware.chipset = chipset;
          machine.hardware.firmware.type = type;
          machine.hardware.controllers = {
              controller(controller_type, "c", {disk_drive(0), disk_drive(1), cd_drive(2)})};
          SCOPED_TRACE(std::to_string(static_cast<int>(chipset)) + "/" + std::to_string(static_cast<int>(type)) + "/" +
                       std::to_string(static_cast<int>(controller_type)));
          Fixture fixture(machine);
          fixture.run();
          if (testing::Test::HasFailure()) return;
        }
      }
    }
  }
}

TEST(Define, EveryControllerOnAHostWithFewDevices) {
  for (const ControllerType controller_type : kControllers) {
    Machine machine = vmware_machine();
    machine.hardware.controllers = {controller(controller_type, "c", {disk_drive(0), cd_drive(2)})};
    Fixture fixture(machine);
    fixture.host = with_few_devices();
    fixture.run();
  }
}

TEST(Define, EveryDiskBusThatCanBeAskedFor) {
  using target::DiskBus;
  for (const DiskBus bus : {DiskBus::sata, DiskBus::scsi, DiskBus::virtio, DiskBus::ide, DiskBus::usb}) {
    for (const ControllerType type : kControllers) {
      Machine machine = virtualbox_machine();
      machine.hardware.controllers = {controller(type, "c", {disk_drive(0), disk_drive(1), cd_drive(2)})};
      Fixture fixture(machine);
      fixture.input.options.disk_bus = bus;
      fixture.run();
    }
  }
}

TEST(Define, EveryNicModel) {
  for (const bool vmware : {false, true}) {
    for (const NicModel model : kNicModels) {
      Machine machine = vmware ? vmware_machine() : virtualbox_machine();
      if (vmware) machine.hardware.firmware.type = FirmwareType::efi64;
      machine.hardware.nics[0].model = model;
      Fixture fixture(machine);
      fixture.run();
    }
  }
}

TEST(Define, EightNicsOfVirtualBox) {
  for (const Chipset chipset : {Chipset::piix3, Chipset::ich9}) {
    Machine machine = virtualbox_machine();
    machine.hardware.chipset = chipset;
    machine.hardware.nics.clear();
    for (unsigned i = 0; i < 8; ++i) machine.hardware.nics.push_back({.slot = i});
    Fixture fixture(machine);
    const auto result = fixture.run();
    EXPECT_EQ(result.nics[7].guest_name, "enp0s19");
  }
}

TEST(Define, VmwareNamesBehindRootPorts) {
  Machine machine = vmware_machine();
  machine.hardware.firmware.type = FirmwareType::efi64;
  machine.hardware.nics.push_back(machine.hardware.nics[0]);
  machine.hardware.nics[1].model = NicModel::vmxnet3;
  machine.hardware.nics[1].pci_slot = 160;
  machine.hardware.nics[1].mac = MacAddress::parse("00:50:56:00:00:02");
  Fixture fixture(machine);
  fixture.input.options.keep_nic_names = true;
  const auto result = fixture.run();
  EXPECT_EQ(result.nics[0].guest_name, "ens33");
  EXPECT_EQ(result.nics[1].guest_name, "ens160");
  EXPECT_TRUE(found(result, "domain.tainted"));
}

TEST(Define, EverySoundUsbAndVideoDevice) {
  for (const Sound::Model sound : {Sound::Model::ac97, Sound::Model::sb16, Sound::Model::hda, Sound::Model::es1371}) {
    for (const auto &host : {debian12(), without_spice(), with_few_devices()}) {
      Machine machine = virtualbox_machine();
      machine.hardware.sound->model = sound;
      machine.hardware.usb_controllers = {{.type = UsbController::Type::ohci},
                                          {.type = UsbController::Type::ehci},
                                          {.type = UsbController::Type::xhci},
                                          {.type = UsbController::Type::uhci}};
      machine.hardware.display.monitors = 4;
      Fixture fixture(machine);
      fixture.host = host;
      fixture.run();
    }
  }
  using target::VideoModel;
  for (const VideoModel video : {VideoModel::vga, VideoModel::qxl, VideoModel::virtio, VideoModel::cirrus,
                                 VideoModel::bochs, VideoModel::vmvga, VideoModel::none}) {
    Fixture fixture(virtualbox_machine());
    fixture.input.options.video_model = video;
    fixture.run();
  }
}

TEST(Define, EverySerialAndParallelBackend) {
  using Backend = CharPort::Backend;
  for (const Backend backend : {Backend::disconnected, Backend::host_device, Backend::pipe, Backend::file, Backend::tcp,
                                Backend::udp, Backend::unix_socket, Backend::thin_print}) {
    for (const bool server : {false, true}) {
      for (const bool devices : {false, true}) {
        Machine machine = virtualbox_machine();
        CharPort port{.backend = backend,
                      .path = backend == Backend::tcp || backend == Backend::udp ? "localhost:2023" : "/tmp/x",
                      .server = server};
        machine.hardware.serial_ports = {port};
        machine.hardware.parallel_ports = {port};
        Fixture fixture(machine);
        fixture.input.options.map_host_devices = devices;
        fixture.run();
      }
    }
  }
}

TEST(Define, SecureBootWithTpm) {
  Machine machine = virtualbox_machine();
  machine.hardware.firmware.type = FirmwareType::efi64;
  machine.hardware.firmware.secure_boot = true;
  machine.hardware.tpm = Tpm{};
  Fixture fixture(machine);
  const auto descriptor = choose_firmware(machine.hardware, fixture.host, true);
  ASSERT_TRUE(descriptor);
  fixture.input.firmware = target::Firmware{*descriptor, "/var/tmp/images/box_VARS.fd", true};
  const auto result = fixture.run();
  EXPECT_TRUE(found(result, "tpm.sealed"));
}

TEST(Define, EverythingAtOnce) {
  Machine machine = virtualbox_machine();
  Hardware &hw = machine.hardware;
  hw.chipset = Chipset::ich9;
  hw.controllers = {controller(ControllerType::ahci, "SATA", {disk_drive(0), disk_drive(7), cd_drive(1)}),
                    controller(ControllerType::lsilogic, "SCSI", {disk_drive(0)}),
                    controller(ControllerType::lsilogic_sas, "SAS", {disk_drive(0), disk_drive(9)}),
                    controller(ControllerType::virtio_scsi, "VirtIO", {disk_drive(0)}),
                    controller(ControllerType::nvme, "NVMe", {disk_drive(0)}),
                    controller(ControllerType::usb_storage, "USB", {disk_drive(0)}),
                    controller(ControllerType::floppy, "Floppy", {})};
  Drive floppy;
  floppy.kind = DriveKind::floppy;
  hw.controllers.back().drives = {floppy};
  hw.nics.clear();
  for (unsigned i = 0; i < 8; ++i) hw.nics.push_back({.slot = i});
  hw.usb_controllers = {
      {.type = UsbController::Type::ohci}, {.type = UsbController::Type::ehci}, {.type = UsbController::Type::xhci}};
  hw.memory.balloon_bytes = 1U << 28U;
  Fixture fixture(machine);
  fixture.input.options.keep_smbios_strings = true;
  fixture.input.options.keep_disk_models = true;
  fixture.run();
}

TEST(Define, MoreDevicesThanOneBusHolds) {
  for (const Chipset chipset : {Chipset::piix3, Chipset::ich9}) {
    Machine machine = virtualbox_machine();
    machine.hardware.chipset = chipset;
    machine.hardware.usb_controllers = {
        {.type = UsbController::Type::ohci}, {.type = UsbController::Type::ehci}, {.type = UsbController::Type::xhci}};
    for (unsigned i = 0; i < 40; ++i) machine.hardware.controllers[0].drives.push_back(disk_drive(i + 1));
    Fixture fixture(machine);
    fixture.input.options.disk_bus = target::DiskBus::virtio;
    fixture.run();
  }
}

}  // namespace
}  // namespace ferry::test
