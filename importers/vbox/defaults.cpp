// SPDX-License-Identifier: Apache-2.0
// Facts: VirtualBox's manual ("Configuring the BIOS DMI information" names the fields), what guests print on
// VirtualBox 6.1 and 7.0 (dmidecode, lspci, /dev/disk/by-id), and for what those two do not show, the rules that
// VirtualBox publishes.
#include "importers/vbox/defaults.hpp"

#include <algorithm>
#include <cstdint>

#include "importers/vbox/slots.hpp"

#include "support/text.hpp"

namespace ferry::vbox {
namespace {

Platform platform() {
  Platform out;
  out.nic_names = NicNames::by_path;  // its ACPI tables number no slots
  out.drive_models = {{"ide.disk", "VBOX HARDDISK"},  {"ide.cdrom", "VBOX CD-ROM"},
                      {"sata.disk", "VBOX HARDDISK"}, {"sata.cdrom", "VBOX CD-ROM"},
                      {"scsi.vendor", "VBOX"},        {"scsi.disk", "HARDDISK"},
                      {"scsi.cdrom", "CD-ROM"},       {"nvme.disk", "ORCL-VBOX-NVME-VER12"}};
  out.smbios_strings = {{"bios.vendor", "innotek GmbH"},
                        {"bios.version", "VirtualBox"},
                        {"bios.date", "12/01/2006"},
                        {"system.manufacturer", "innotek GmbH"},
                        {"system.product", "VirtualBox"},
                        {"system.version", "1.2"},
                        {"system.serial", "0"},
                        {"system.family", "Virtual Machine"},
                        {"baseBoard.manufacturer", "Oracle Corporation"},
                        {"baseBoard.product", "VirtualBox"},
                        {"baseBoard.version", "1.2"},
                        {"baseBoard.serial", "0"},
                        {"chassis.manufacturer", "Oracle Corporation"}};
  return out;
}

// The first and last 32-bit word of the UUID as it lies in memory on x86.
std::string serial_of(const Uuid &uuid) {
  const auto &b = uuid.bytes;
  const auto word = [](std::uint8_t high, std::uint8_t c, std::uint8_t d, std::uint8_t low) {
    return (std::uint32_t{high} << 24U) | (std::uint32_t{c} << 16U) | (std::uint32_t{d} << 8U) | low;
  };
  return "VB" + text::hex(word(b[0], b[1], b[2], b[3]), 8) + "-" + text::hex(word(b[15], b[14], b[13], b[12]), 8);
}

// A card of the ISA bus or of USB is a PCI card on the target, and gets the slot that VirtualBox keeps for its number.
void place_cards(Hardware &hw) {
  std::vector<Nic *> order;
  std::vector<unsigned> adapters;
  for (Nic &nic : hw.nics) {
    order.push_back(&nic);
    adapters.push_back(nic.slot);
  }
  std::stable_sort(order.begin(), order.end(), [](const Nic *a, const Nic *b) { return a->slot < b->slot; });
  NicSlots slots(hw.chipset, adapters);
  for (Nic *nic : order) {
    const NicPlace place = slots.place(nic->slot);
    if (!nic->pci_slot) nic->pci_slot = place.slot;
  }
}

// Each adapter on NAT has a network of its own: 10.0.2.0/24 the first, 10.0.3.0/24 the second ... (manual, "Network
// Address Translation").
void number_nat(Hardware &hw) {
  constexpr unsigned kFirst = 2;
  constexpr unsigned kMost = 255;
  for (Nic &nic : hw.nics) {
    if (nic.mode != NicMode::nat || nic.nat_cidr || nic.slot > kMost - kFirst) continue;
    nic.nat_cidr = "10.0." + std::to_string(nic.slot + kFirst) + ".0/24";
  }
}

}  // namespace

void apply_defaults(Hardware &hw, bool iommu) {
  hw.platform = platform();
  hw.firmware.nvram_keys = hw.firmware.nvram_file.has_value();
  if (!hw.cpu.cores_per_socket) hw.cpu.cores_per_socket = hw.cpu.count;  // one socket with all cores
  if (hw.boot_order.empty()) {
    hw.boot_order = {{BootDevice::Kind::floppy, {}}, {BootDevice::Kind::cdrom, {}}, {BootDevice::Kind::disk, {}}};
  }
  for (Controller &controller : hw.controllers) {
    if (!controller.pci_slot) {
      controller.pci_slot = controller_slot(controller.type, controller.index, hw.chipset, iommu);
    }
  }
  for (UsbController &usb : hw.usb_controllers) {
    if (!usb.pci_slot) usb.pci_slot = usb_slot(usb.type, hw.chipset);
  }
  if (hw.sound && !hw.sound->pci_slot) hw.sound->pci_slot = sound_slot(hw.sound->model, hw.chipset);
  place_cards(hw);
  number_nat(hw);
}

// ATA disks have their base image's UUID in the serial number, drives without a UUID, such as CDs, their place; NVMe
// disks always the same. SCSI drives have none.
void apply_drive_identity(const Controller &controller, Drive &drive) {
  const ControllerType type = controller.type;
  if (type == ControllerType::floppy) return;
  if (type == ControllerType::nvme) {
    drive.serial = "VB1234-56789";
    drive.model = platform().drive_models.at("nvme.disk");
    return;
  }
  const bool cd = drive.kind == DriveKind::cdrom;
  drive.model = platform().drive_models.at(cd ? "sata.cdrom" : "sata.disk");
  if (!is_ide(type) && type != ControllerType::ahci) return;
  const bool has_uuid = !cd && drive.medium && !drive.medium->chain.empty() && drive.medium->chain.front().uuid;
  if (has_uuid) {
    drive.serial = serial_of(*drive.medium->chain.front().uuid);
  } else if (is_ide(type)) {
    const bool second = drive.port == 1;  // the channel's I/O ports are part of the serial
    drive.serial = "VB" + text::hex(drive.port * 2 + drive.device, 1) + (second ? "-01700376" : "-01f003f6");
  } else {
    drive.serial = "VB" + text::hex(drive.port, 1) + "-1a2b3c4d";
  }
}

}  // namespace ferry::vbox
