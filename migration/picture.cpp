// SPDX-License-Identifier: Apache-2.0
#include "migration/picture.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "migration/describe.hpp"
#include "model/names.hpp"

#include "support/text.hpp"

namespace ferry::migration {
namespace {

std::string_view controller_text(ControllerType type) {
  switch (type) {
    case ControllerType::ide_piix3: return "IDE (PIIX3)";
    case ControllerType::ide_piix4: return "IDE (PIIX4)";
    case ControllerType::ide_ich6: return "IDE (ICH6)";
    case ControllerType::ide_vmware: return "IDE";
    case ControllerType::ahci: return "SATA (AHCI)";
    case ControllerType::lsilogic: return "SCSI (LSI Logic)";
    case ControllerType::lsilogic_sas: return "SAS (LSI Logic)";
    case ControllerType::buslogic: return "SCSI (BusLogic)";
    case ControllerType::pvscsi: return "SCSI (PVSCSI)";
    case ControllerType::virtio_scsi: return "SCSI (virtio)";
    case ControllerType::nvme: return "NVMe";
    case ControllerType::usb_storage: return "USB";
    case ControllerType::floppy: return "Floppy";
    case ControllerType::virtio_blk: return "virtio";
    case ControllerType::lsi53c895a: return "SCSI (LSI 53C895A)";
    case ControllerType::megasas: return "SAS (MegaRAID)";
    case ControllerType::am53c974: return "SCSI (AM53C974)";
  }
  return "?";
}

std::string_view mode_text(NicMode mode) {
  switch (mode) {
    case NicMode::none:
    case NicMode::null: return "not connected";
    case NicMode::nat: return "NAT";
    case NicMode::nat_network: return "NAT network";
    case NicMode::bridged: return "bridged";
    case NicMode::internal: return "internal network";
    case NicMode::host_only:
    case NicMode::host_only_network: return "host-only network";
    case NicMode::generic: return "generic driver";
    case NicMode::cloud: return "cloud network";
    case NicMode::custom: return "network";
    case NicMode::tap: return "tap device";
    case NicMode::socket: return "socket";
  }
  return "?";
}

std::string with(std::string_view text, const std::string &more) {
  return more.empty() ? std::string(text) : std::string(text) + " " + more;
}

// Before what is in the drive; nothing before a disk, which is known by its file.
std::string kind_text(DriveKind kind) {
  switch (kind) {
    case DriveKind::disk: return "";
    case DriveKind::cdrom: return "CD";
    case DriveKind::floppy: return "floppy";
  }
  return "";
}

// "disk.vdi, 20 GiB"; "on 3 images" for a chain of as many.
std::string source_drive(const Drive &drive, const DiskPlan *disk) {
  const std::string kind = kind_text(drive.kind);
  if (!drive.medium || drive.medium->chain.empty()) {
    const std::string device = drive.host_device.value_or(drive.client_device.value_or(""));
    return with(kind.empty() ? "disk" : kind, device.empty() ? "empty" : device);
  }
  const std::string name = drive.medium->chain.back().display_path().filename().string();
  std::string out = kind.empty() ? name : with(kind, name);
  if (disk != nullptr) {
    out += ", " + text::human_bytes(disk->info.virtual_size);
    if (disk->info.chain.size() > 1) out += ", on " + std::to_string(disk->info.chain.size()) + " images";
  }
  return out;
}

// Of the drive; null: it has none, or it is not migrated.
const DiskPlan *disk_of(const MachinePlan &plan, std::size_t controller, std::size_t drive) {
  const std::string field = "hardware.controllers." + std::to_string(controller) + ".drives." + std::to_string(drive);
  const auto found =
      std::find_if(plan.disks.begin(), plan.disks.end(), [&](const DiskPlan &disk) { return disk.field == field; });
  return found == plan.disks.end() ? nullptr : &*found;
}

report::Parts before_of(const MachinePlan &plan) {
  const Hardware &hardware = plan.imported.machine.hardware;
  report::Parts out;
  out.board = chipset_text(hardware.chipset) + ", " + firmware_text(hardware.firmware);
  for (std::size_t c = 0; c < hardware.controllers.size(); ++c) {
    const Controller &controller = hardware.controllers[c];
    report::Parts::Controller made{.name = std::string(controller_text(controller.type)), .drives = {}};
    for (std::size_t d = 0; d < controller.drives.size(); ++d)
      made.drives.push_back(source_drive(controller.drives[d], disk_of(plan, c, d)));
    out.controllers.push_back(std::move(made));
  }
  for (const Nic &nic : hardware.nics) {
    out.cards.push_back({with(to_string(nic.model), nic.mac ? nic.mac->text() : ""),
                         with(mode_text(nic.mode), nic.network) + (nic.cable_connected ? "" : ", cable unplugged")});
  }
  return out;
}

// libvirt's names of buses and models, as people say them.
std::string bus_text(const target::Disk &disk) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kBuses{{{"ide", "IDE"},
                                                                                 {"sata", "SATA (AHCI)"},
                                                                                 {"scsi", "SCSI"},
                                                                                 {"virtio", "virtio"},
                                                                                 {"nvme", "NVMe"},
                                                                                 {"usb", "USB"},
                                                                                 {"fdc", "Floppy"}}};
  const auto found = std::find_if(kBuses.begin(), kBuses.end(), [&](const auto &one) { return one.first == disk.bus; });
  const std::string bus(found == kBuses.end() ? std::string_view(disk.bus) : found->second);
  return disk.model.empty() ? bus : bus + " (" + disk.model + ")";
}

std::string target_drive(const MachinePlan &plan, const PlannedDrive &planned) {
  const target::Disk &disk = planned.disk;
  const Drive &drive = plan.imported.machine.hardware.controllers[disk.controller].drives[disk.drive];
  std::string out = with(disk.target + ":", kind_text(drive.kind));
  if (planned.file.empty()) return out + " empty";
  out += " " + planned.file.filename().string();
  const DiskPlan *made = disk_of(plan, disk.controller, disk.drive);
  return made == nullptr ? out : out + ", " + text::human_bytes(made->info.virtual_size);
}

report::Parts after_of(const MachinePlan &plan) {
  report::Parts out;
  out.board = plan.board + ", " + firmware_text(plan.imported.machine.hardware.firmware) +
              (plan.firmware && plan.firmware->target.secure_boot ? " with Secure Boot" : "");
  std::map<std::string, std::size_t> at;  // in out.controllers
  for (const PlannedDrive &drive : plan.drives) {
    const auto [found, is_new] = at.try_emplace(bus_text(drive.disk), out.controllers.size());
    if (is_new) out.controllers.push_back({.name = found->first, .drives = {}});
    out.controllers[found->second].drives.push_back(target_drive(plan, drive));
  }
  for (const target::Nic &nic : plan.nics) {
    out.cards.push_back(
        {with(nic.model, nic.mac), nic.network + (nic.guest_name ? ", " + *nic.guest_name + " in the guest" : "")});
  }
  return out;
}

}  // namespace

report::Picture picture_of(const MachinePlan &plan) { return {.before = before_of(plan), .after = after_of(plan)}; }

}  // namespace ferry::migration
