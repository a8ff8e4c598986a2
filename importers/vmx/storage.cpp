// SPDX-License-Identifier: Apache-2.0
// Storage controllers and what is on their buses. Facts: files in the wild, and libvirt's test files (compared, not
// copied).
//   ideC:D.*  C channel, D 0 master 1 slave; the one PIIX4 controller has no keys of its own
//   scsiB.*, scsiB:T.*  B controller, T target (7 is the controller's own, or 15 of 16 and more)
//   sataB:P.*, nvmeB:N.*, usb:P.*, ehci:P.*, usb_xhci:P.*, floppyN.*
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "importers/vmx/drive.hpp"
#include "importers/vmx/findings.hpp"
#include "importers/vmx/reader.hpp"

#include "support/text.hpp"

namespace ferry::vmx {
namespace {

// The controller's own type, by virtualDev or as VMware chooses it: BusLogic for 32-bit guests older than Windows
// Server 2003 and Linux 2.6, LSI Logic parallel for all others [believed].
ControllerType scsi_type(Reader &reader, const std::string &name, const std::string &field) {
  static const std::map<std::string, ControllerType, std::less<>> kTypes{
      {"buslogic", ControllerType::buslogic},       {"vmxbuslogic", ControllerType::buslogic},
      {"lsilogic", ControllerType::lsilogic},       {"vmxlsilogic", ControllerType::lsilogic},
      {"lsisas1068", ControllerType::lsilogic_sas}, {"pvscsi", ControllerType::pvscsi}};
  const std::string key = name + ".virtualDev";
  if (const auto value = reader.settings.filled(key, field + ".type")) {
    if (const auto hit = kTypes.find(text::lower_ascii(*value)); hit != kTypes.end()) return hit->second;
    reader.find(kBadValue, key, "\"" + text::printable(*value) + "\" is not a known SCSI controller");
  }
  const std::string guest = text::lower_ascii(reader.guest.source_id);
  const bool old =
      !reader.guest.is_64bit && (guest.empty() || guest.rfind("winxp", 0) == 0 || guest.rfind("win2000", 0) == 0 ||
                                 guest.rfind("winnt", 0) == 0 || guest.rfind("win9", 0) == 0 || guest == "winme" ||
                                 guest.rfind("other", 0) == 0 || guest == "linux" || guest.rfind("redhat", 0) == 0 ||
                                 reader.guest.family == OsFamily::dos || reader.guest.family == OsFamily::os2 ||
                                 reader.guest.family == OsFamily::netware);
  reader.find(
      kScsiDefault, name + ".present",
      name + " has no virtualDev; VMware's default for this guest is assumed to be " + (old ? "buslogic" : "lsilogic"));
  return old ? ControllerType::buslogic : ControllerType::lsilogic;
}

struct Bus {
  std::string_view name;
  std::optional<unsigned> ports;
  std::set<std::pair<unsigned, unsigned>> nodes{};  // bus and unit of each drive that the file names
};

ControllerType bus_type(Reader &reader, const Bus &bus, const std::string &name, const std::string &field) {
  if (bus.name == "scsi") return scsi_type(reader, name, field);
  if (bus.name == "sata") return ControllerType::ahci;
  return ControllerType::nvme;
}

unsigned count_of(const std::vector<Controller> &controllers, ControllerType type) {
  unsigned count = 0;
  for (const Controller &controller : controllers) count += controller.type == type ? 1U : 0U;
  return count;
}

// Reads the drives of bus number `index`; `there` says whether their controller is.
void read_drives(Reader &reader, const Bus &bus, unsigned index, const std::string &field, bool there,
                 std::vector<Drive> &drives) {
  for (auto at = bus.nodes.lower_bound({index, 0}); at != bus.nodes.end() && at->first == index; ++at) {
    const auto [at_bus, unit] = *at;
    const std::string name = std::string(bus.name) + std::to_string(at_bus) + ":" + std::to_string(unit);
    if (!there) {
      reader.settings.settle_rest(name + ".", Disposition::irrelevant, "the controller is not present");
      continue;
    }
    const std::string drive_field = field + ".drives." + std::to_string(drives.size());
    if (!reader.settings.present(name, false, drive_field)) continue;
    Drive drive = read_drive(reader, name, drive_field);
    drive.port = bus.name == "ide" ? at_bus : unit;
    drive.device = bus.name == "ide" ? unit : 0;
    drives.push_back(std::move(drive));
  }
}

bool any_drive(Reader &reader, const Bus &bus, unsigned index) {
  for (auto at = bus.nodes.lower_bound({index, 0}); at != bus.nodes.end() && at->first == index; ++at) {
    const std::string *value = reader.settings.peek(std::string(bus.name) + std::to_string(index) + ":" +
                                                    std::to_string(at->second) + ".present");
    if (value != nullptr && parse_boolean(*value).value_or(false)) return true;
  }
  return false;
}

void read_sharing(Reader &reader, const std::string &name, const std::string &field, Controller &controller) {
  const auto shared = reader.settings.filled(name + ".sharedBus", field + ".drives");
  if (!shared || text::iequals_ascii(*shared, "none")) return;
  for (Drive &drive : controller.drives) {
    if (drive.medium && drive.kind == DriveKind::disk) drive.medium->type = MediumType::shareable;
  }
}

void read_bus(Reader &reader, Bus bus, Hardware &hardware) {
  bus.nodes = reader.settings.nodes(bus.name);
  for (const unsigned index : reader.settings.indices(bus.name)) {
    const std::string name = std::string(bus.name) + std::to_string(index);
    const std::string field = reader.field("controllers." + std::to_string(hardware.controllers.size()));
    const bool declared = reader.settings.has(name + ".present");
    const bool assumed = !declared && any_drive(reader, bus, index);
    const bool there = reader.settings.present(name, assumed, field);
    Controller controller;
    if (there) {
      if (assumed) reader.find(kControllerAssumed, name + ".present", name + " is not declared but has drives");
      controller.type = bus_type(reader, bus, name, field);
      controller.name = name;
      controller.index = count_of(hardware.controllers, controller.type);
      controller.ports = bus.ports;
      controller.pci_slot = read_pci_slot(reader, name, field + ".pci_slot");
      controller.origin = reader.settings.place(name + ".present");
    }
    read_drives(reader, bus, index, field, there, controller.drives);
    if (!there) continue;
    read_sharing(reader, name, field, controller);
    hardware.controllers.push_back(std::move(controller));
  }
}

void read_ide(Reader &reader, Hardware &hardware) {
  Controller controller;
  controller.type = ControllerType::ide_vmware;
  controller.name = "ide";
  controller.ports = 2;
  controller.pci_slot = std::nullopt;
  const std::string field = reader.field("controllers." + std::to_string(hardware.controllers.size()));
  const Bus bus{"ide", 2, reader.settings.nodes("ide")};
  for (const unsigned channel : reader.settings.indices("ide")) {
    const bool there = reader.settings.present("ide" + std::to_string(channel), true, field);
    read_drives(reader, bus, channel, field, there, controller.drives);
  }
  if (controller.drives.empty()) return;
  controller.origin = controller.drives.front().origin;
  hardware.controllers.push_back(std::move(controller));
}

// Whether a drive on that bus is a hard disk.
bool holds_disk(const Settings &settings, std::string_view bus) {
  const std::set<std::pair<unsigned, unsigned>> nodes = settings.nodes(bus);
  return std::any_of(nodes.begin(), nodes.end(), [&](const auto &node) {
    const std::string name = std::string(bus) + std::to_string(node.first) + ":" + std::to_string(node.second);
    const std::string *present = settings.peek(name + ".present"), *type = settings.peek(name + ".deviceType"),
                      *file = settings.peek(name + ".fileName");
    const bool cd = (type != nullptr && text::lower_ascii(*type).find("cdrom") != std::string::npos) ||
                    (file != nullptr && text::lower_ascii(*file).ends_with(".iso"));
    return present != nullptr && parse_boolean(*present).value_or(false) && !cd && file != nullptr;
  });
}

// Workstation and Fusion put disks on the USB buses too: usb:N.*, ehci:N.*, usb_xhci:N.*, among other USB devices.
void read_usb_drives(Reader &reader, const std::string &bus, Hardware &hardware) {
  Controller controller;
  controller.type = ControllerType::usb_storage;
  controller.name = bus;
  const std::string field = reader.field("controllers." + std::to_string(hardware.controllers.size()));
  for (const unsigned index : reader.settings.indices(bus + ":")) {
    const std::string name = bus + ":" + std::to_string(index);
    const std::string drive_field = field + ".drives." + std::to_string(controller.drives.size());
    if (!is_usb_drive(reader.settings, name) || !reader.settings.present(name, false, drive_field)) continue;
    Drive drive = read_drive(reader, name, drive_field);
    drive.port = index;
    for (const char *key : {".port", ".parent", ".speed"}) {
      reader.settings.settle(name + key, Disposition::irrelevant, "where on the bus the drive is plugged in");
    }
    controller.drives.push_back(std::move(drive));
  }
  if (controller.drives.empty()) return;
  controller.index = count_of(hardware.controllers, controller.type);
  controller.origin = controller.drives.front().origin;
  hardware.controllers.push_back(std::move(controller));
}

// A machine without a word about its floppy drive has one in VMware, but nobody misses that; a machine that
// says anything of floppy0 but "not present" has one.
void read_floppies(Reader &reader, Hardware &hardware) {
  Controller controller;
  controller.type = ControllerType::floppy;
  controller.name = "floppy";
  const std::string field = reader.field("controllers." + std::to_string(hardware.controllers.size()));
  for (const unsigned index : reader.settings.indices("floppy")) {
    const std::string name = "floppy" + std::to_string(index);
    const std::string drive_field = field + ".drives." + std::to_string(controller.drives.size());
    if (!reader.settings.present(name, index == 0, drive_field)) continue;
    Drive drive = read_floppy(reader, name, drive_field);
    drive.port = index;
    controller.drives.push_back(std::move(drive));
  }
  if (controller.drives.empty()) return;
  controller.origin = controller.drives.front().origin;
  hardware.controllers.push_back(std::move(controller));
}

}  // namespace

bool is_usb_drive(const Settings &settings, const std::string &name) {
  const std::string *type = settings.peek(name + ".deviceType");
  const std::string *file = settings.peek(name + ".fileName");
  const bool drive =
      type != nullptr && (text::iequals_ascii(*type, "disk") || text::iequals_ascii(*type, "cdrom-image"));
  return drive && file != nullptr && !text::trim(*file).empty();
}

std::optional<unsigned> read_pci_slot(Reader &reader, const std::string &device, std::string_view field) {
  const auto slot = reader.settings.number(device + ".pciSlotNumber", field);
  if (!slot || *slot < 0 || *slot > 0xFFFF) return std::nullopt;
  return static_cast<unsigned>(*slot);
}

void read_storage(Reader &reader, Hardware &hardware) {
  read_ide(reader, hardware);
  // The turns of VMware's BIOS where hddOrder does not say otherwise, which number the disks: IDE, SATA, SCSI, NVMe
  // [read: machines that no longer start once a SATA disk is added to a SCSI one, or a SCSI disk to an NVMe one].
  const bool sata_first = holds_disk(reader.settings, "sata");
  if (sata_first) read_bus(reader, {"sata", 30}, hardware);
  read_bus(reader, {"scsi", std::nullopt}, hardware);
  if (!sata_first) read_bus(reader, {"sata", 30}, hardware);
  read_bus(reader, {"nvme", std::nullopt}, hardware);
  for (const char *bus : {"usb", "ehci", "usb_xhci"}) read_usb_drives(reader, bus, hardware);
  read_floppies(reader, hardware);
}

}  // namespace ferry::vmx
