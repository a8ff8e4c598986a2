// SPDX-License-Identifier: Apache-2.0
#include "exporters/boot_sequence.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

namespace ferry::target {
namespace {

using Kind = BootDevice::Kind;
using Of = BootChoice::Of;

// Where neither the source nor its platform says one: what is installed goes before what installs.
constexpr std::array kUnknownOrder = {Kind::disk, Kind::cdrom, Kind::floppy, Kind::network};

unsigned rank_of(ControllerType type) {
  switch (type) {
    case ControllerType::ide_piix3:
    case ControllerType::ide_piix4:
    case ControllerType::ide_ich6:
    case ControllerType::ide_vmware: return 0;
    case ControllerType::ahci: return 1;
    case ControllerType::nvme: return 3;
    case ControllerType::usb_storage: return 4;
    default: return 2;
  }
}

// `detail`, of VMware's hddOrder: "scsi0:0" is controller scsi0, target 0; "ide1:0" is the master of the second
// channel.
bool is_named(const BootDrive &of, const std::string &detail) {
  const bool ide = rank_of(of.controller->type) == 0;
  const std::string bus = ide ? "ide" + std::to_string(of.drive->port + of.controller->index) : of.controller->name;
  return bus + ":" + std::to_string(ide ? of.drive->device : of.drive->port) == detail;
}

class Sequence {
 public:
  Sequence(const Hardware &hardware, const std::vector<BootDrive> &drives, const std::vector<BootCard> &cards)
      : drives_(drives), cards_(cards), efi_(hardware.firmware.type != FirmwareType::bios) {}

  // The lowest rank first.
  void add_ranked() {
    std::vector<std::pair<unsigned, BootChoice>> ranked;
    for (std::size_t i = 0; i < drives_.size(); ++i) {
      if (const auto &rank = drives_[i].drive->boot_index) ranked.push_back({*rank, {Of::drives, i}});
    }
    for (std::size_t i = 0; i < cards_.size(); ++i) {
      if (const auto &rank = cards_[i].nic->boot_index) ranked.push_back({*rank, {Of::cards, i}});
    }
    std::stable_sort(ranked.begin(), ranked.end(), [](const auto &a, const auto &b) { return a.first < b.first; });
    for (const auto &[rank, choice] : ranked) take(choice);
  }

  // `detail`: of the class, the one device that VMware names so.
  void add(Kind kind, const std::optional<std::string> &detail = std::nullopt) {
    switch (kind) {
      case Kind::floppy: add_drives(DriveKind::floppy, detail); break;
      case Kind::cdrom: add_drives(DriveKind::cdrom, detail); break;
      case Kind::disk: add_drives(DriveKind::disk, detail); break;
      case Kind::network: add_cards(detail); break;
      case Kind::usb:
      case Kind::none: break;
    }
  }

  [[nodiscard]] bool efi() const { return efi_; }
  [[nodiscard]] std::vector<BootChoice> take_all() { return std::move(choices_); }

 private:
  void take(const BootChoice &choice) {
    if (std::find(choices_.begin(), choices_.end(), choice) == choices_.end()) choices_.push_back(choice);
  }

  void add_drives(DriveKind kind, const std::optional<std::string> &detail) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < drives_.size(); ++i) {
      if (drives_[i].drive->kind != kind || (!drives_[i].controller->bootable && !efi_)) continue;
      if (!detail || is_named(drives_[i], *detail)) found.push_back(i);
    }
    std::stable_sort(found.begin(), found.end(), [&](std::size_t a, std::size_t b) {
      return rank_of(drives_[a].controller->type) < rank_of(drives_[b].controller->type);
    });
    for (const std::size_t i : found) take({Of::drives, i});
  }

  // `detail`: VMware's "ethernet2".
  void add_cards(const std::optional<std::string> &detail) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < cards_.size(); ++i) {
      if (detail && *detail != "ethernet" + std::to_string(cards_[i].nic->slot)) continue;
      if (cards_[i].connected) found.push_back(i);
    }
    // VirtualBox's boot priority: 0 is the default and comes last.
    const auto priority = [&](std::size_t i) {
      const unsigned value = cards_[i].nic->boot_priority.value_or(0);
      return value == 0 ? ~0U : value;
    };
    std::stable_sort(found.begin(), found.end(),
                     [&](std::size_t a, std::size_t b) { return priority(a) < priority(b); });
    for (const std::size_t i : found) take({Of::cards, i});
  }

  const std::vector<BootDrive> &drives_;
  const std::vector<BootCard> &cards_;
  bool efi_;
  std::vector<BootChoice> choices_;
};

}  // namespace

std::vector<BootChoice> boot_sequence(const Hardware &hardware, const std::vector<BootDrive> &drives,
                                      const std::vector<BootCard> &cards) {
  Sequence sequence(hardware, drives, cards);
  sequence.add_ranked();
  if (sequence.efi()) {
    sequence.add(Kind::disk);
    sequence.add(Kind::cdrom);
  }
  const std::vector<BootDevice> &devices = hardware.boot_order;
  for (const BootDevice &device : devices) sequence.add(device.kind, device.detail);
  // hddOrder may name only some disks; the others follow, as in VMware.
  const auto is_disk = [](const BootDevice &device) { return device.kind == Kind::disk; };
  if (std::any_of(devices.begin(), devices.end(), is_disk)) sequence.add(Kind::disk);
  if (devices.empty()) {
    for (const Kind kind : kUnknownOrder) sequence.add(kind);
  }
  return sequence.take_all();
}

}  // namespace ferry::target
