// SPDX-License-Identifier: Apache-2.0
// The hand-written packages of fixtures/ovf: no setting stays unknown, and the values are where they belong.
#include <algorithm>
#include <set>

#include "importers/ovf/findings.hpp"
#include "tests/ovf/support.hpp"
#include "tests/paths.hpp"

namespace ferry::ovf::test {
namespace {
namespace fs = std::filesystem;

fs::path fixtures() { return fs::path(FERRY_SOURCE_DIR) / "fixtures" / "ovf"; }

std::vector<fs::path> all_fixtures() {
  std::vector<fs::path> out;
  for (const auto &entry : fs::recursive_directory_iterator(fixtures())) {
    if (entry.path().extension() == ".ovf") out.push_back(entry.path());
  }
  return out;
}

TEST(Fixtures, LeaveNoSettingUnknown) {
  std::size_t machines = 0;
  for (const fs::path &file : all_fixtures()) {
    SCOPED_TRACE(file);
    for (const ImportedMachine &imported : import_file(file, {})) {
      ++machines;
      EXPECT_EQ(count_unknown(imported), 0U);
    }
  }
  EXPECT_GE(machines, 13U);
}

TEST(Fixtures, ShowEveryFinding) {
  std::set<std::string, std::less<>> seen;
  for (const fs::path &file : all_fixtures()) {
    for (const ImportedMachine &imported : import_file(file, {})) {
      for (const Finding &finding : imported.findings) seen.insert(finding.id);
    }
  }
  // These need an archive, a certificate, an image, a damaged vbox:Machine or files beside: package_test.cpp,
  // import_test.cpp and below.
  for (const char *other : {"ovf.signature-not-checked", "ovf.virtualbox-fallback", "ovf.file-size",
                            "ovf.found-elsewhere", "ovf.medium-by-place"}) {
    seen.insert(other);
  }
  for (const FindingKind *kind : finding_list.kinds()) EXPECT_TRUE(seen.contains(kind->id)) << kind->id;
}

TEST(Fixtures, V09) {
  const Machine machine = import_fixture("v09/old.ovf").machine;
  EXPECT_EQ(machine.source.format_version, "0.9");
  EXPECT_EQ(machine.name, "old-server");
  EXPECT_EQ(machine.description, "Two lines\nof notes & more");
  EXPECT_EQ(machine.guest_os.label, "Other Linux (32-bit)");
  EXPECT_EQ(machine.hardware.memory.bytes, std::uint64_t{512} << 20U);
  ASSERT_EQ(machine.hardware.controllers.size(), 2U);
  EXPECT_EQ(machine.hardware.controllers[1].type, ControllerType::lsilogic);
  EXPECT_EQ(machine.hardware.controllers[1].drives.at(0).medium->chain.at(0).declared_capacity, 8589934592U);
  EXPECT_EQ(machine.hardware.controllers[0].drives.at(0).port, 1U);
  EXPECT_EQ(machine.hardware.nics.at(0).model, NicModel::vlance);
  EXPECT_EQ(machine.hardware.nics.at(0).mode, NicMode::bridged);
}

TEST(Fixtures, VmwareMachine) {
  const Machine machine = import_fixture("v1-vmware/server.ovf").machine;
  const Hardware &hardware = machine.hardware;
  EXPECT_EQ(machine.name, "server");
  EXPECT_EQ(machine.extra.at("smc.present"), "true");
  EXPECT_EQ(hardware.chipset, Chipset::i440bx_vmware);
  EXPECT_EQ(hardware.firmware.type, FirmwareType::efi64);
  EXPECT_EQ(hardware.firmware.secure_boot, true);
  EXPECT_EQ(hardware.firmware.boot_menu_timeout_ms, 3000U);
  EXPECT_EQ(hardware.firmware.nvram_file, fixtures() / "v1-vmware" / "server.nvram");
  EXPECT_EQ(hardware.cpu.count, 4U);
  EXPECT_EQ(hardware.cpu.cores_per_socket, 2U);
  EXPECT_EQ(hardware.cpu.threads_per_core, 2U);
  EXPECT_EQ(hardware.cpu.hotplug, true);
  EXPECT_EQ(hardware.cpu.nested_virtualization, true);
  EXPECT_TRUE(hardware.memory.hot_add);
  EXPECT_EQ(hardware.smbios.uuid->text(), "422c5082-d330-cc0e-c38c-a86cd7c15879");
  EXPECT_FALSE(hardware.smbios.uuid_little_endian);
  EXPECT_EQ(hardware.smbios.strings.at("system.serial"), "VMware-42 2c 50 82 d3 30 cc 0e-c3 8c a8 6c d7 c1 58 79");
  EXPECT_FALSE(hardware.smbios.older_than_2_6);
  EXPECT_EQ(hardware.tpm->version, Tpm::Version::v2_0);
  EXPECT_EQ(hardware.sound->model, Sound::Model::hda_vmware);
  EXPECT_EQ(hardware.display.video_memory_bytes, 8388608U);
  EXPECT_EQ(hardware.display.monitors, 2U);
  EXPECT_TRUE(hardware.display.accelerate_3d);
  EXPECT_EQ(hardware.clock.hpet, true);
  EXPECT_EQ(hardware.usb_controllers.at(0).type, UsbController::Type::ehci);
}

TEST(Fixtures, VmwareDevices) {
  const Hardware hardware = import_fixture("v1-vmware/server.ovf").machine.hardware;
  ASSERT_EQ(hardware.controllers.size(), 5U);
  EXPECT_EQ(hardware.controllers[1].type, ControllerType::pvscsi);
  EXPECT_EQ(hardware.controllers[1].name, "scsi0");
  EXPECT_EQ(hardware.controllers[1].pci_slot, 160U);
  EXPECT_EQ(hardware.controllers[1].drives.at(1).port, 8U);
  EXPECT_EQ(hardware.controllers[1].drives.at(1).nonrotational, true);
  EXPECT_EQ(hardware.controllers[3].type, ControllerType::nvme);
  EXPECT_EQ(hardware.controllers[0].drives.at(0).port, 1U);
  EXPECT_EQ(hardware.controllers[0].drives.at(0).device, 1U);
  EXPECT_EQ(hardware.controllers[0].drives.at(0).client_device, "vmware.cdrom.remoteatapi");
  EXPECT_FALSE(hardware.controllers[0].drives.at(0).connected_at_start);
  EXPECT_EQ(hardware.controllers[4].type, ControllerType::floppy);
  ASSERT_EQ(hardware.nics.size(), 2U);
  EXPECT_EQ(hardware.nics[0].pci_slot, 192U);
  EXPECT_EQ(hardware.nics[1].mac->text(), "00:50:56:00:12:34");
  EXPECT_FALSE(hardware.nics[1].cable_connected);
  EXPECT_EQ(hardware.nics[1].mode, NicMode::nat);
  ASSERT_EQ(hardware.boot_order.size(), 3U);
  EXPECT_EQ(hardware.boot_order[0].kind, BootDevice::Kind::disk);
  EXPECT_EQ(hardware.boot_order[1].kind, BootDevice::Kind::cdrom);
  EXPECT_EQ(hardware.boot_order[2].kind, BootDevice::Kind::network);
}

TEST(Fixtures, SecondStandard) {
  const Hardware hardware = import_fixture("v2-ethernetport/new.ovf").machine.hardware;
  EXPECT_EQ(hardware.memory.bytes, std::uint64_t{2} << 30U);
  ASSERT_EQ(hardware.controllers.size(), 1U);
  ASSERT_EQ(hardware.controllers[0].drives.size(), 2U);
  EXPECT_EQ(hardware.controllers[0].drives[0].medium->chain.at(0).declared_capacity, std::uint64_t{100} << 30U);
  EXPECT_EQ(hardware.controllers[0].drives[1].medium->type, MediumType::shareable);
  EXPECT_EQ(hardware.nics.at(0).model, NicModel::virtio);
  EXPECT_EQ(hardware.nics.at(0).network, "lab");
  EXPECT_EQ(hardware.nics.at(0).mac->text(), "52:54:00:12:34:56");
  ASSERT_EQ(hardware.boot_order.size(), 5U);
  EXPECT_EQ(hardware.boot_order[4].kind, BootDevice::Kind::usb);
}

TEST(Fixtures, CollectionsGiveAMachineEach) {
  const auto machines = import_file(fixtures() / "collection" / "shop.ovf", {});
  ASSERT_EQ(machines.size(), 2U);
  EXPECT_EQ(machines[0].machine.name, "web");
  EXPECT_EQ(machines[1].machine.name, "db");
  EXPECT_EQ(machines[1].machine.description, "The database");
  const auto capacity = [&](std::size_t i) {
    return machines[i].machine.hardware.controllers.at(0).drives.at(0).medium->chain.at(0).declared_capacity;
  };
  EXPECT_EQ(capacity(0), std::uint64_t{10} << 30U);
  EXPECT_EQ(capacity(1), std::uint64_t{20} << 30U);
}

TEST(Fixtures, DeploymentOption) {
  const ImportedMachine imported = import_fixture("deployment-options/sizes.ovf");
  EXPECT_TRUE(has_finding(imported, "ovf.configuration"));
  EXPECT_TRUE(has_finding(imported, "ovf.hardware-choice"));
  EXPECT_EQ(imported.machine.hardware.nics.at(0).model, NicModel::e1000e);
}

TEST(Fixtures, VirtualBoxWithoutItsOwnDescription) {
  const Hardware hardware = import_fixture("virtualbox-plain/box.ovf").machine.hardware;
  EXPECT_EQ(hardware.chipset, Chipset::piix3);
  ASSERT_EQ(hardware.controllers.size(), 2U);
  EXPECT_EQ(hardware.controllers[0].type, ControllerType::ide_piix4);
  EXPECT_EQ(hardware.controllers[0].drives.at(0).port, 1U);
  EXPECT_EQ(hardware.controllers[1].drives.size(), 2U);
  EXPECT_EQ(hardware.sound->model, Sound::Model::ac97);
  EXPECT_EQ(hardware.usb_controllers.at(0).type, UsbController::Type::ohci);
  EXPECT_EQ(hardware.nics.at(1).model, NicModel::am79c973);
}

TEST(Fixtures, VirtualBoxWithItsOwnDescription) {
  const ImportedMachine imported = import_fixture("virtualbox/box.ovf");
  const Hardware &hardware = imported.machine.hardware;
  EXPECT_EQ(imported.machine.source.kind, SourceKind::ovf);
  EXPECT_EQ(imported.machine.uuid->text(), "4fa6eb6a-1d7b-452b-aa9e-449c434c82b1");
  EXPECT_EQ(hardware.firmware.type, FirmwareType::efi64);
  EXPECT_EQ(hardware.nics.at(0).mac->text(), "08:00:27:e3:7c:77");
  ASSERT_EQ(hardware.controllers.size(), 2U);
  ASSERT_EQ(hardware.controllers[1].drives.size(), 2U);
  EXPECT_EQ(hardware.controllers[1].drives[0].medium->chain.at(0).declared_capacity, 16777216U);
  EXPECT_EQ(hardware.controllers[1].drives[1].medium->chain.at(0).declared_capacity, 8388608U);
  EXPECT_FALSE(hardware.controllers[0].drives.at(0).medium);
  EXPECT_TRUE(has_finding(imported, "ovf.medium-not-exported"));
  EXPECT_EQ(entry(imported, "/Item[1]/VirtualQuantity").disposition, Disposition::irrelevant);
}

TEST(Fixtures, VirtualBoxFallsBackToTheOvfDescription) {
  std::string text = read_text(fixtures() / "virtualbox" / "box.ovf");
  text.replace(text.find("<CPU count=\"2\">"), 15, "<CPU count=\"x\">");
  const ImportedMachine imported = std::move(import_all(text).at(0));
  EXPECT_TRUE(has_finding(imported, "ovf.virtualbox-fallback"));
  EXPECT_EQ(imported.machine.hardware.cpu.count, 2U);
  EXPECT_FALSE(imported.machine.hardware.nics.at(0).mac);
  EXPECT_EQ(count_unknown(imported), 0U);
}

TEST(Fixtures, Units) {
  const Hardware hardware = import_fixture("units/units.ovf").machine.hardware;
  EXPECT_EQ(hardware.memory.bytes, std::uint64_t{768} << 20U);
  const auto &drives = hardware.controllers.at(0).drives;
  ASSERT_EQ(drives.size(), 7U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(drives[i].medium->chain.at(0).declared_capacity, 3221225472U) << i;
  EXPECT_EQ(drives[5].medium->chain.at(0).declared_capacity, 3000000000U);
  EXPECT_EQ(drives[6].medium->chain.at(0).declared_capacity, std::nullopt);
}

TEST(Fixtures, CompressedAndChunkedFiles) {
  const TempFolder folder;
  fs::copy_file(fixtures() / "gzip-chunks" / "packed.ovf", folder / "packed.ovf");
  write_file(folder / "disk 1.vmdk.gz", gzip("disk"));
  write_file(folder / "disk2.vmdk.000000000", std::string(1000, 'a'));
  write_file(folder / "disk2.vmdk.000000001", std::string(1000, 'b'));
  write_file(folder / "disk2.vmdk.000000002", std::string(500, 'c'));
  write_file(folder / "base.vmdk", "base");
  write_file(folder / "child.vmdk", "child");
  write_file(folder / "boot.iso", "iso");
  const ImportedMachine imported = std::move(import_file(folder / "packed.ovf", {}).at(0));
  EXPECT_FALSE(has_finding(imported, "ovf.file-missing"));
  EXPECT_FALSE(has_finding(imported, "ovf.file-size"));
  const auto &drives = imported.machine.hardware.controllers.at(0).drives;
  EXPECT_TRUE(drives.at(0).medium->chain.at(0).gzip);
  EXPECT_EQ(drives[0].medium->chain[0].pieces.at(0).file, folder / "disk 1.vmdk.gz");
  ASSERT_EQ(drives.at(1).medium->chain.at(0).pieces.size(), 3U);
  EXPECT_EQ(drives[1].medium->chain[0].pieces[2].file, folder / "disk2.vmdk.000000002");
  ASSERT_EQ(drives.at(2).medium->chain.size(), 2U);
  EXPECT_EQ(drives[2].medium->chain[0].declared_location, "base.vmdk");
  EXPECT_EQ(drives[2].medium->chain[1].declared_location, "child.vmdk");
  EXPECT_EQ(drives.at(3).kind, DriveKind::cdrom);
  EXPECT_EQ(drives[3].medium->chain.at(0).declared_format, ImageFormat::iso);
  fs::remove(folder / "disk2.vmdk.000000001");
  EXPECT_TRUE(has_finding(import_file(folder / "packed.ovf", {}).at(0), "ovf.file-missing"));
}

TEST(Fixtures, Vcloud) {
  const Hardware hardware = import_fixture("vcloud/vapp.ovf").machine.hardware;
  EXPECT_EQ(hardware.controllers.at(0).drives.at(0).medium->chain.at(0).declared_capacity, std::uint64_t{2} << 30U);
  EXPECT_EQ(hardware.nics.at(0).mac->text(), "00:50:56:0e:00:fa");
  EXPECT_FALSE(hardware.nics.at(0).cable_connected);
}

TEST(Fixtures, EveryKindOfDevice) {
  const ImportedMachine imported = import_fixture("everything/everything.ovf");
  const Hardware &hardware = imported.machine.hardware;
  EXPECT_EQ(hardware.serial_ports.size(), 3U);
  EXPECT_EQ(hardware.parallel_ports.at(0).backend, CharPort::Backend::host_device);
  EXPECT_EQ(hardware.usb_controllers.size(), 3U);
  EXPECT_EQ(hardware.display.video_memory_bytes, 16777216U);
  EXPECT_TRUE(hardware.display.accelerate_3d);
  EXPECT_EQ(hardware.nics.at(0).pci_slot, 160U);
  EXPECT_EQ(hardware.nics.at(0).mac->text(), "00:50:56:00:00:01");
  EXPECT_EQ(hardware.controllers.at(0).pci_slot, 16U);
  EXPECT_TRUE(imported.machine.guest_data->on_cd);
  EXPECT_EQ(imported.machine.guest_data->properties.at(0).key, "app.ip");
  const auto dropped = std::count_if(imported.findings.begin(), imported.findings.end(),
                                     [](const Finding &finding) { return finding.id == "ovf.device-dropped"; });
  EXPECT_EQ(dropped, 18);
}

TEST(Fixtures, BrokenPackagesAreReadAsFarAsTheyGo) {
  const ImportedMachine imported = import_fixture("broken/broken.ovf");
  EXPECT_EQ(imported.machine.hardware.memory.bytes, std::uint64_t{256} << 20U);
  EXPECT_EQ(imported.machine.hardware.controllers.at(0).drives.size(), 3U);
  EXPECT_TRUE(has_finding(imported, "ovf.version-unknown"));
}

}  // namespace
}  // namespace ferry::ovf::test
