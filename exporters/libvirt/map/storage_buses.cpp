// SPDX-License-Identifier: Apache-2.0
// Storage controllers (tried on QEMU 7.2): IDE, AHCI, LSISAS1068, PVSCSI and virtio-scsi have exact
// counterparts, LSI53C1030 and BusLogic none, NVMe one from libvirt 11.5.
#include "exporters/libvirt/map/storage_buses.hpp"

#include <algorithm>

namespace ferry::libvirt {
namespace {

constexpr unsigned kSataPorts = 6;         // of QEMU's AHCI controllers
constexpr unsigned kNvmeNamespaces = 256;  // of QEMU's NVMe controllers

unsigned targets_of(const std::string &model) {
  if (model == "lsisas1068") return 8;  // ports of QEMU's mptsas1068
  if (model == "lsilogic") return 7;    // 8 with the adapter itself
  if (model == "vmpvscsi") return 16;
  return 256;
}

bool has_type(const Hardware &hardware, ControllerType type) {
  return std::any_of(hardware.controllers.begin(), hardware.controllers.end(),
                     [&](const Controller &controller) { return controller.type == type; });
}

bool has_scsi(const Mapping &m, std::string_view model) { return unknown_or_has(m.host.scsi_models, model); }

bool has_nvme(const Mapping &m) { return nvme_way(m.host) == NvmeWay::by_libvirt; }

// Of the SCSI controllers OVMF reads virtio-scsi only, as distributions build it [tried: Debian 12's sees no disk on
// lsisas1068, vmpvscsi or lsilogic], unless what is in the firmware says otherwise. Which disk an EFI guest boots from
// is in its variables, so that all must be seen.
bool firmware_reads(const Mapping &m, const std::string &scsi_model) {
  if (!m.efi() || scsi_model == "virtio-scsi") return true;
  return m.input.firmware && m.input.firmware->descriptor.scsi_models.contains(scsi_model);
}

// What a guest can boot from when its own controller has no counterpart. The driver must already be in the guest's
// boot image, so a bus that the source had too is best: AHCI if there was an AHCI controller, else IDE, which
// VMware's boards always show and VirtualBox's have for CDs. Systems that find disks by name are kept on SCSI where
// they have a driver for the 53C895A.
BusChoice fallback(const Mapping &m, const Controller &controller, std::string why) {
  const bool parallel_scsi = controller.type == ControllerType::lsilogic || controller.type == ControllerType::buslogic;
  const OsFamily family = m.machine.guest_os.family;
  if (parallel_scsi && family == OsFamily::bsd && !m.efi() && has_scsi(m, "lsilogic")) {
    return {"scsi", "lsilogic", false, std::move(why)};
  }
  const bool ide = !m.board.q35 && unknown_or_has(m.host.disk_buses, "ide");
  if (ide && !has_type(m.hardware, ControllerType::ahci)) return {"ide", {}, false, std::move(why)};
  return {"sata", {}, false, std::move(why)};
}

BusChoice scsi_or_fallback(const Mapping &m, const Controller &controller, const std::string &model) {
  if (!firmware_reads(m, model)) return fallback(m, controller, "QEMU's EFI firmware has no driver for it");
  if (has_scsi(m, model) && unknown_or_has(m.host.disk_buses, "scsi")) return {"scsi", model, true, {}};
  return fallback(m, controller, "this host's QEMU lacks " + model);
}

BusChoice native_bus(const Mapping &m, const Controller &controller) {
  switch (controller.type) {
    case ControllerType::ide_piix3:
    case ControllerType::ide_piix4:
    case ControllerType::ide_ich6:
    case ControllerType::ide_vmware:
      if (!m.board.q35 && unknown_or_has(m.host.disk_buses, "ide")) return {"ide", {}, true, {}};
      return {"sata", {}, false, "libvirt has no IDE on this board"};
    case ControllerType::ahci: return {"sata", {}, true, {}};
    case ControllerType::lsilogic_sas: return scsi_or_fallback(m, controller, "lsisas1068");
    case ControllerType::pvscsi: return scsi_or_fallback(m, controller, "vmpvscsi");
    case ControllerType::virtio_scsi: return scsi_or_fallback(m, controller, "virtio-scsi");
    case ControllerType::lsilogic: return fallback(m, controller, "QEMU has no LSI53C1030");
    case ControllerType::buslogic: return fallback(m, controller, "QEMU has no BusLogic controller");
    case ControllerType::nvme:
      if (has_nvme(m)) return {"nvme", {}, true, {}};
      return fallback(m, controller, "libvirt has NVMe disks only from 11.5 on");
    case ControllerType::usb_storage: return {"usb", {}, true, {}};
    case ControllerType::floppy: return {"fdc", {}, true, {}};
    case ControllerType::virtio_blk:
    case ControllerType::lsi53c895a:
    case ControllerType::megasas:
    case ControllerType::am53c974: break;  // of machines of QEMU's own, which are mapped elsewhere
  }
  return {"sata", {}, false, "its controller is not known"};
}

std::optional<BusChoice> asked_bus(const Mapping &m, const Controller &controller, DriveKind kind) {
  if (kind != DriveKind::disk || !m.options.disk_bus) return std::nullopt;
  const target::DiskBus asked = *m.options.disk_bus;
  if (asked == target::DiskBus::ide && m.board.q35) {
    throw Error(ErrorKind::unsupported, {.message = "this machine cannot have IDE disks",
                                         .found = "machine type q35",
                                         .expected = "machine type pc",
                                         .advice = "Use --disk-bus sata."});
  }
  if (asked == target::DiskBus::nvme && nvme_way(m.host) == NvmeWay::none) {
    throw Error(ErrorKind::unsupported, {.message = "this host has no NVMe disks",
                                         .found = m.host.name,
                                         .expected = "a QEMU with the device nvme",
                                         .advice = "Use another --disk-bus."});
  }
  const bool kept = asked == target::DiskBus::nvme && controller.type == ControllerType::nvme;
  return BusChoice{std::string(to_string(asked)), asked == target::DiskBus::scsi ? "virtio-scsi" : "", kept,
                   "asked for by --disk-bus"};
}

// The host has the bus, its firmware and the board too.
bool can_boot_from(const Mapping &m, const target::BootBus &one, bool q35) {
  if (one.bus == "nvme") return has_nvme(m);
  if (!unknown_or_has(m.host.disk_buses, one.bus)) return false;
  if (one.bus == "ide") return !q35;
  return one.bus != "scsi" || (has_scsi(m, one.model) && firmware_reads(m, one.model));
}

bool is_on(const BusChoice &choice, const target::BootBus &one) {
  return choice.bus == one.bus && choice.model == one.model;
}

// `choice` where nothing better is known. The exact controller stays; but importers guess the kind of a SCSI adapter
// that the source does not name, and one from which the guest cannot even be made to boot was guessed wrongly. (Of IDE
// and AHCI the driver may be in an old kernel that has no list of what is in it.) What only seemed likely gives way to
// what the guest was seen to start.
BusChoice by_what_was_seen(const Mapping &m, const Controller &controller, const target::Medium *medium,
                           BusChoice choice) {
  if (medium == nullptr || (choice.exact && choice.bus != "scsi")) return choice;
  for (const bool after_fix : {false, true}) {
    const target::BootBus *best = nullptr;
    for (const target::BootBus &one : medium->boots_from) {
      if (choice.exact && is_on(choice, one)) return choice;
      if (one.after_fix != after_fix || !can_boot_from(m, one, m.board.q35)) continue;
      if (best == nullptr || is_on(choice, one)) best = &one;
    }
    if (best == nullptr) continue;
    if (is_on(choice, *best)) return choice;
    return {best->bus, best->model, false,
            choice.exact ? "the guest starts no driver of its old controller" : choice.why};
  }
  // The last resort: libvirt knows nothing of such a disk.
  const bool on_nvme = std::any_of(medium->boots_from.begin(), medium->boots_from.end(),
                                   [](const target::BootBus &one) { return one.bus == "nvme" && !one.after_fix; });
  if (on_nvme && nvme_way(m.host) == NvmeWay::by_arguments)
    return {"nvme",
            {},
            controller.type == ControllerType::nvme,
            choice.why + ", and the guest has no driver for another bus"};
  return choice;
}

}  // namespace

std::string controller_label(const Controller &controller) {
  switch (controller.type) {
    case ControllerType::ide_piix3: return "PIIX3 IDE";
    case ControllerType::ide_piix4: return "PIIX4 IDE";
    case ControllerType::ide_ich6: return "ICH6 IDE";
    case ControllerType::ide_vmware: return "IDE";
    case ControllerType::ahci: return "AHCI";
    case ControllerType::lsilogic: return "LSI53C1030";
    case ControllerType::lsilogic_sas: return "LSISAS1068";
    case ControllerType::buslogic: return "BusLogic";
    case ControllerType::pvscsi: return "VMware PVSCSI";
    case ControllerType::virtio_scsi: return "virtio-scsi";
    case ControllerType::nvme: return "NVMe";
    case ControllerType::usb_storage: return "USB storage";
    case ControllerType::floppy: return "floppy";
    case ControllerType::virtio_blk: return "virtio";
    case ControllerType::lsi53c895a: return "LSI 53C895A";
    case ControllerType::megasas: return "MegaRAID SAS";
    case ControllerType::am53c974: return "Am53C974";
  }
  return "unknown";
}

NvmeWay nvme_way(const HostProfile &host) {
  constexpr unsigned kFirstLibvirt = 11'005'000;
  if (host.libvirt_version >= kFirstLibvirt && unknown_or_has(host.disk_buses, "nvme")) return NvmeWay::by_libvirt;
  return host.nvme_device ? NvmeWay::by_arguments : NvmeWay::none;
}

BusChoice choose_bus(const Mapping &m, const Controller &controller, const DriveNeeds &drive) {
  if (drive.kind == DriveKind::floppy) return {"fdc", {}, true, {}};
  if (auto asked = asked_bus(m, controller, drive.kind)) {
    const BusChoice native = native_bus(m, controller);
    return native.bus == asked->bus ? native : *asked;
  }
  BusChoice choice = native_bus(m, controller);
  // A CD on a floppy controller or an NVMe namespace does not exist; a damaged source could say so.
  if (drive.kind == DriveKind::cdrom && (choice.bus == "nvme" || choice.bus == "fdc"))
    return fallback(m, controller, "such a controller has no CDs");
  if (drive.empty && choice.bus == "usb") return fallback(m, controller, "QEMU has no USB drive without a medium");
  if (drive.kind == DriveKind::disk && choice.bus == "fdc")
    choice = fallback(m, controller, "a floppy controller has no disks");
  return by_what_was_seen(m, controller, drive.kind == DriveKind::disk ? drive.medium : nullptr, std::move(choice));
}

bool boots_from_ide_alone(const Mapping &m) {
  if (m.options.disk_bus) return false;
  return std::any_of(m.input.media.begin(), m.input.media.end(), [&](const target::Medium &medium) {
    const std::vector<target::BootBus> &buses = medium.boots_from;
    const auto on_q35 = [&](const target::BootBus &one) { return can_boot_from(m, one, true); };
    const auto on_pc = [&](const target::BootBus &one) { return one.bus == "ide" && can_boot_from(m, one, false); };
    const bool kept = native_bus(m, m.hardware.controllers.at(medium.controller)).exact;
    return !medium.data_only && !kept && std::none_of(buses.begin(), buses.end(), on_q35) &&
           std::any_of(buses.begin(), buses.end(), on_pc);
  });
}

std::optional<unsigned> Buses::Unit::free_number(unsigned wanted, unsigned limit) const {
  if (wanted < limit && !used.contains(wanted)) return wanted;
  for (unsigned number = 0; number < limit; ++number) {
    if (!used.contains(number)) return number;
  }
  return std::nullopt;
}

void Buses::ensure(const BusChoice &choice, std::size_t group, std::optional<unsigned> pci_slot) {
  if (choice.bus != "sata" && choice.bus != "scsi") return;
  const bool there = std::any_of(units_.begin(), units_.end(), [&](const Unit &unit) {
    return unit.type == choice.bus && unit.model == choice.model && unit.group == group;
  });
  if (!there) make_controller(choice, group, pci_slot);
}

std::optional<Buses::Position> Buses::place_ide(unsigned port, unsigned device) {
  const auto take = [&](unsigned channel, unsigned unit) -> std::optional<Position> {
    if (ide_[channel][unit]) return std::nullopt;
    ide_[channel][unit] = true;
    return Position{.bus = "ide", .drive = DriveAddress{.bus = channel, .unit = unit}};
  };
  if (port < 2 && device < 2) {
    if (auto position = take(port, device)) return position;
  }
  for (unsigned channel = 0; channel < 2; ++channel) {
    for (unsigned unit = 0; unit < 2; ++unit) {
      auto position = take(channel, unit);
      if (!position) continue;
      position->moved = true;
      return position;
    }
  }
  return std::nullopt;
}

std::optional<Buses::Position> Buses::place_floppy(unsigned port) {
  for (const unsigned unit : {std::min(port, 1U), 0U, 1U}) {
    if (floppy_[0][unit]) continue;
    floppy_[0][unit] = true;
    return Position{.bus = "fdc", .drive = DriveAddress{.unit = unit}, .moved = unit != port};
  }
  return std::nullopt;
}

void Buses::make_controller(const BusChoice &choice, std::size_t group, std::optional<unsigned> pci_slot) {
  Unit unit{.type = choice.bus, .model = choice.model, .group = group};
  const auto same_type = [&](const Unit &other) { return other.type == choice.bus; };
  unit.index = static_cast<unsigned>(std::count_if(units_.begin(), units_.end(), same_type));
  DomainController controller{.type = choice.bus, .index = unit.index, .model = choice.model};
  // q35 has an AHCI controller of its own, index 0 at 1f.2: where VirtualBox's ICH9 has it too.
  const bool built_in = choice.bus == "sata" && m_.board.q35 && unit.index == 0;
  if (built_in) {
    controller.address = PciAddress{.slot = 31, .function = 2};
  } else {
    controller.address = m_.slots.place(pci_slot);
  }
  m_.domain.controllers.push_back(std::move(controller));
  units_.push_back(std::move(unit));
}

Buses::Position Buses::place_numbered(const BusChoice &choice, std::size_t group, unsigned port,
                                      std::optional<unsigned> pci_slot) {
  const unsigned limit = choice.bus == "sata"   ? kSataPorts
                         : choice.bus == "nvme" ? kNvmeNamespaces
                                                : targets_of(choice.model);
  std::optional<std::size_t> home, chosen;  // the group's first controller; the one with room
  std::optional<unsigned> number;
  for (std::size_t i = 0; i < units_.size() && !chosen; ++i) {
    const Unit &candidate = units_[i];
    if (candidate.type != choice.bus || candidate.model != choice.model) continue;
    // Drives of different source controllers stay apart, unless they were moved here.
    if (candidate.group != group && choice.exact) continue;
    if (!home) home = i;
    number = candidate.free_number(port, limit);
    if (number) chosen = i;
  }
  if (!chosen) {
    make_controller(choice, group, home ? std::nullopt : pci_slot);
    chosen = units_.size() - 1;
    number = home || port >= limit ? 0 : port;
  }
  Unit *unit = &units_[*chosen];
  const bool away = home.has_value() && *chosen != *home;
  unit->used.insert(*number);
  const bool scsi_unit = choice.model == "lsilogic";  // libvirt counts its targets as units [tried]
  DriveAddress address{.controller = unit->index};
  if (choice.bus == "scsi" && !scsi_unit) {
    address.target = *number;
  } else {
    address.unit = *number;  // of NVMe: namespace 1 is unit 0
  }
  return {.bus = choice.bus, .drive = address, .pci = {}, .moved = *number != port || away};
}

std::optional<Buses::Position> Buses::place(const BusChoice &choice, std::size_t group, unsigned port, unsigned device,
                                            std::optional<unsigned> pci_slot) {
  if (choice.bus == "ide") return place_ide(port, device);
  if (choice.bus == "fdc") return place_floppy(port);
  if (choice.bus == "usb") return Position{.bus = "usb"};
  if (choice.bus == "virtio") return Position{.bus = "virtio", .pci = m_.slots.place(std::nullopt)};
  return place_numbered(choice, group, port, pci_slot);
}

}  // namespace ferry::libvirt
