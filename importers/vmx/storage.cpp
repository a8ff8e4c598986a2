// SPDX-License-Identifier: Apache-2.0
// Disk, CD and floppy drives. Facts: files in the wild, and libvirt's test files (compared, not copied).
//   ideC:D.*  C channel, D 0 master 1 slave; the one PIIX4 controller has no keys of its own
//   scsiB.*, scsiB:T.*  B controller, T target (7 is the controller's own, or 15 of 16 and more)
//   sataB:P.*, nvmeB:N.*, usb:P.*, ehci:P.*, usb_xhci:P.*, floppyN.*
// deviceType is often left out for disks. "disk" stands for a disk on any bus.
#include <array>
#include <map>
#include <set>

#include "importers/vmx/findings.hpp"
#include "importers/vmx/reader.hpp"

#include "support/text.hpp"

namespace ferry::vmx {
namespace {

bool ends_with(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text::iequals_ascii(text.substr(text.size() - suffix.size()), suffix);
}

enum class Backing { image, host, raw_disk, passthrough };

struct DeviceType {
  DriveKind kind;
  Backing backing;
};

// What deviceType says; the file's name decides when it says nothing or nothing that is known.
DeviceType device_type(Reader &reader, const std::string &name, const std::string &file, const std::string &field) {
  struct Row {
    std::string_view value;
    DeviceType type;
  };
  static constexpr std::array<Row, 16> kRows{{{"disk", {DriveKind::disk, Backing::image}},
                                              {"scsi-harddisk", {DriveKind::disk, Backing::image}},
                                              {"ata-harddisk", {DriveKind::disk, Backing::image}},
                                              {"sata-harddisk", {DriveKind::disk, Backing::image}},
                                              {"nvme-harddisk", {DriveKind::disk, Backing::image}},
                                              {"plaindisk", {DriveKind::disk, Backing::image}},
                                              {"rawdisk", {DriveKind::disk, Backing::raw_disk}},
                                              {"scsi-nonpassthru-rdm", {DriveKind::disk, Backing::raw_disk}},
                                              {"scsi-passthru-rdm", {DriveKind::disk, Backing::raw_disk}},
                                              {"scsi-passthru", {DriveKind::cdrom, Backing::passthrough}},
                                              {"cdrom-image", {DriveKind::cdrom, Backing::image}},
                                              {"sata-cdrom-image", {DriveKind::cdrom, Backing::image}},
                                              {"cdrom-raw", {DriveKind::cdrom, Backing::host}},
                                              {"atapi-cdrom", {DriveKind::cdrom, Backing::host}},
                                              {"cdrom", {DriveKind::cdrom, Backing::host}},
                                              {"scsi-cdrom", {DriveKind::cdrom, Backing::host}}}};
  const std::string key = name + ".deviceType";
  const auto value = reader.settings.filled(key, field);
  if (value) {
    const std::string lower = text::lower_ascii(*value);
    for (const Row &row : kRows) {
      if (row.value == lower) return row.type;
    }
    reader.find(kBadValue, key, "\"" + text::printable(*value) + "\" is not a known kind of drive");
  }
  const bool cd = ends_with(file, ".iso") || text::iequals_ascii(file, "auto detect");
  if (cd) return {DriveKind::cdrom, ends_with(file, ".iso") ? Backing::image : Backing::host};
  return {DriveKind::disk, Backing::image};
}

// mode and redo of a disk: what becomes of its writes.
void read_mode(Reader &reader, const std::string &name, const std::string &field, Medium &medium) {
  const std::string key = name + ".mode";
  const std::string mode =
      text::lower_ascii(reader.settings.filled(key, field + ".medium.type").value_or("persistent"));
  if (mode == "independent-persistent") {
    medium.type = MediumType::writethrough;
  } else if (mode == "independent-nonpersistent" || mode == "nonpersistent") {
    medium.type = MediumType::immutable;
    medium.auto_reset = true;
  } else if (mode != "persistent" && mode != "undoable" && mode != "append") {
    reader.find(kBadValue, key, "\"" + text::printable(mode) + "\" is not a known disk mode");
  }
  const std::string redo = reader.settings.text(name + ".redo", field + ".medium").value_or("");
  if (!text::trim(redo).empty()) {
    reader.find(kRedoLog, name + ".redo", name + " has changes in the redo log \"" + text::printable(redo) + "\"");
  }
}

void read_disk(Reader &reader, const std::string &name, const std::string &field, Backing backing,
               const std::optional<std::string> &file, Drive &drive) {
  Settings &settings = reader.settings;
  if (backing == Backing::raw_disk) {
    reader.find(kRawDisk, name + ".deviceType", name + " is a raw disk mapping");
  }
  Medium medium;
  medium.origin = drive.origin;
  if (file) medium.chain.push_back(locate_image(reader, name + ".fileName", *file));
  read_mode(reader, name, field, medium);
  if (const auto sharing = settings.filled(name + ".sharing", field + ".medium.type")) {
    if (text::iequals_ascii(*sharing, "multi-writer")) medium.type = MediumType::shareable;
  }
  if (const auto ssd = settings.boolean(name + ".virtualSSD", field + ".nonrotational")) drive.nonrotational = ssd;
  if (const auto serial = settings.filled(name + ".serialNumber", field + ".serial")) drive.serial = serial;
  const auto vendor = settings.filled(name + ".vendorID", field + ".model");
  const auto product = settings.filled(name + ".productID", field + ".model");
  if (vendor || product) drive.model = std::string(text::trim(vendor.value_or("") + " " + product.value_or("")));
  if (settings.boolean(name + ".writeThrough", field).value_or(false)) {
    settings.settle(name + ".writeThrough", Disposition::dropped,
                    "how the host caches writes is decided anew; choose cache='writethrough' for the disk if needed");
  } else {
    settings.settle(name + ".writeThrough", Disposition::irrelevant, "this is the default");
  }
  if (file) {
    drive.medium = std::move(medium);
  } else if (reader.report) {
    reader.find(kMediumMissing, name + ".fileName", name + " is a disk without a file");
  }
}

// fileName; ESX 2 has name = "vmhba0:0:0:1:web.vmdk" or "volume:web.vmdk" in its place.
std::optional<std::string> drive_file(Settings &settings, const std::string &name, const std::string &field) {
  if (auto file = settings.filled(name + ".fileName", field)) return file;
  const auto old = settings.filled(name + ".name", field);
  return old ? std::optional(old->substr(old->rfind(':') + 1)) : std::nullopt;  // npos + 1 is 0
}

Drive read_drive(Reader &reader, const std::string &name, const std::string &field) {
  Settings &settings = reader.settings;
  Drive drive;
  drive.origin = settings.place(name + ".present");
  const auto file = drive_file(settings, name, field + ".medium");
  const DeviceType type = device_type(reader, name, file.value_or(""), field + ".kind");
  drive.kind = type.kind;
  drive.connected_at_start = settings.boolean(name + ".startConnected", field + ".connected_at_start").value_or(true);
  const bool autodetect = settings.boolean(name + ".autodetect", field + ".host_device").value_or(false);
  const bool remote = settings.boolean(name + ".clientDevice", field + ".client_device").value_or(false);
  if (type.kind == DriveKind::disk) {
    read_disk(reader, name, field, type.backing, file, drive);
    return drive;
  }
  settings.settle(name + ".redo", Disposition::irrelevant, "CD drives have no redo log");
  settings.settle(name + ".mode", Disposition::irrelevant, "CD drives have no disk mode");
  const std::string value = file.value_or("");
  if (remote || text::iequals_ascii(value, "emptyBackingString") || value.rfind("vmware-null-remote", 0) == 0) {
    drive.client_device = value;
  } else if (type.backing == Backing::image && !text::iequals_ascii(value, "auto detect")) {
    if (!value.empty())
      drive.medium =
          Medium{{locate_image(reader, name + ".fileName", value)}, MediumType::readonly, false, drive.origin};
  } else if (ends_with(value, ".iso")) {
    drive.medium = Medium{{locate_image(reader, name + ".fileName", value)}, MediumType::readonly, false, drive.origin};
  } else {
    drive.host_device = autodetect || value.empty() ? "auto detect" : value;
    drive.passthrough = type.backing == Backing::passthrough;
    if (*drive.passthrough && reader.report) {
      reader.find(kPassthrough, name + ".deviceType", name + " passes the SCSI device " + value + " through");
    }
  }
  return drive;
}

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

Drive read_floppy(Reader &reader, const std::string &name, const std::string &field) {
  Settings &settings = reader.settings;
  Drive drive;
  drive.kind = DriveKind::floppy;
  drive.origin = settings.place(name + ".present");
  const std::string type = text::lower_ascii(settings.filled(name + ".fileType", field + ".kind").value_or(""));
  const std::string file = settings.filled(name + ".fileName", field + ".medium").value_or("");
  const bool remote = settings.boolean(name + ".clientDevice", field + ".client_device").value_or(false);
  const bool autodetect = settings.boolean(name + ".autodetect", field + ".host_device").value_or(false);
  drive.connected_at_start = settings.boolean(name + ".startConnected", field + ".connected_at_start").value_or(true);
  const bool image_name = ends_with(file, ".flp") || ends_with(file, ".img") || ends_with(file, ".ima");
  if (remote || file.rfind("vmware-null-remote", 0) == 0 || text::iequals_ascii(file, "emptyBackingString")) {
    drive.client_device = file;
  } else if (!file.empty() && (type == "file" || (type.empty() && image_name))) {
    drive.medium = Medium{{locate_image(reader, name + ".fileName", file)}, MediumType::normal, false, drive.origin};
    const bool readonly = settings.boolean(name + ".readonly", field + ".medium.type").value_or(false);
    if (readonly) drive.medium->type = MediumType::readonly;
  } else {
    drive.host_device = autodetect || file.empty() ? "auto detect" : file;
  }
  return drive;
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
  read_bus(reader, {"scsi", std::nullopt}, hardware);
  read_bus(reader, {"sata", 30}, hardware);
  read_bus(reader, {"nvme", std::nullopt}, hardware);
  for (const char *bus : {"usb", "ehci", "usb_xhci"}) read_usb_drives(reader, bus, hardware);
  read_floppies(reader, hardware);
}

}  // namespace ferry::vmx
