// SPDX-License-Identifier: Apache-2.0
// Drives on their controllers.
#include <algorithm>

#include "importers/qemu/devices.hpp"

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

ControllerType adapter_type(std::string_view driver) {
  if (driver.starts_with("lsi53c")) return ControllerType::lsi53c895a;
  if (driver == "megasas") return ControllerType::megasas;
  if (driver == "pvscsi") return ControllerType::pvscsi;
  if (driver == "mptsas1068") return ControllerType::lsilogic_sas;
  if (driver == "am53c974" || driver == "dc390") return ControllerType::am53c974;
  return ControllerType::virtio_scsi;
}

[[noreturn]] void refuse(const Place &where, std::string message, const std::string &found) {
  throw Error(ErrorKind::malformed, {.where = where,
                                     .message = std::move(message),
                                     .found = text::printable(found),
                                     .advice = "Correct the command: QEMU itself would refuse it."});
}

std::string drive_field(std::size_t controller, std::size_t drive) {
  return "hardware.controllers." + std::to_string(controller) + ".drives." + std::to_string(drive);
}

}  // namespace

std::size_t DeviceReader::add_controller(ControllerType type, std::string name, std::string device) {
  auto &controllers = c_.hardware().controllers;
  Controller controller;
  controller.type = type;
  controller.name = std::move(name);
  controller.device = std::move(device);
  controller.index = static_cast<unsigned>(std::count_if(controllers.begin(), controllers.end(),
                                                         [&](const Controller &other) { return other.type == type; }));
  controllers.push_back(std::move(controller));
  return controllers.size() - 1;
}

// What the board has: IDE or SATA with the drives of if=ide, and a floppy controller.
void DeviceReader::add_board_drives() {
  const bool q35 = c_.type.q35;
  const std::size_t ide = q35 ? add_controller(ControllerType::ahci, "ide", "ich9-ahci")
                              : add_controller(ControllerType::ide_piix3, "ide", "piix3-ide");
  Controller &board = c_.hardware().controllers[ide];
  board.origin = c_.launch.where;
  board.place = q35 ? PciPlace{.slot = 0x1f, .function = 2} : PciPlace{.slot = 1, .function = 1};
  ide_names_ = q35 ? 6 : 2;
  for (unsigned i = 0; i < ide_names_; ++i) {
    ide_buses_.push_back({.name = "ide." + std::to_string(i), .controller = ide, .port = i, .units = q35 ? 1U : 2U});
  }
  const auto board_drive = [&](Block &block) {
    Drive drive;
    drive.kind = block.cdrom ? DriveKind::cdrom : DriveKind::disk;
    drive.port = *block.bus;
    drive.device = *block.unit;
    ide_buses_[drive.port].used.insert({drive.device, 0});
    Unit unit{.block = &block};
    put(ide, std::move(drive), unit, &block);
  };
  for (Block &block : blocks_) {
    if (block.interface == "ide") board_drive(block);
  }
  bool cd = !c_.has("nodefaults"), floppy = cd && !q35;
  const unsigned cd_bus = q35 ? 2 : 1;
  if (!ide_buses_[cd_bus].used.empty() && ide_buses_[cd_bus].used.contains({0, 0})) cd = false;
  for (const Unit &unit : units_) {
    if (unit.option == nullptr) continue;
    if (unit.driver == "ide-hd" || unit.driver == "ide-cd" || unit.driver == "ide-drive" || unit.driver == "scsi-hd" ||
        unit.driver == "scsi-cd")
      cd = false;
    if (unit.driver == "floppy" || unit.driver == "isa-fdc") floppy = false;
  }
  if (cd) {
    Drive drive;
    drive.kind = DriveKind::cdrom;
    drive.port = cd_bus;
    drive.origin = c_.launch.where;
    ide_buses_[cd_bus].used.insert({0, 0});
    c_.hardware().controllers[ide].drives.push_back(drive);
    c_.added.emplace_back("an empty CD drive");
  }
  bool first_floppy = false;
  for (Block &block : blocks_) {
    if (block.interface != "floppy") continue;
    if (!floppies_) floppies_ = add_controller(ControllerType::floppy, "floppy", "isa-fdc");
    Drive drive;
    drive.kind = DriveKind::floppy;
    drive.port = *block.unit;
    first_floppy = first_floppy || drive.port == 0;
    Unit unit{.block = &block};
    put(*floppies_, std::move(drive), unit, &block);
  }
  if (floppy && !first_floppy) {
    if (!floppies_) floppies_ = add_controller(ControllerType::floppy, "floppy", "isa-fdc");
    Drive drive;
    drive.kind = DriveKind::floppy;
    drive.origin = c_.launch.where;
    auto &drives = c_.hardware().controllers[*floppies_].drives;
    drives.insert(drives.begin(), drive);
    c_.added.emplace_back("an empty floppy drive");
  }
  if (floppies_) c_.hardware().controllers[*floppies_].origin = c_.launch.where;
  // Before QEMU 2.9 if=scsi brought its own adapter.
  for (Block &block : blocks_) {
    if (block.interface != "scsi") continue;
    if (scsi_buses_.empty()) {
      const std::size_t adapter = add_controller(ControllerType::lsi53c895a, "scsi0", "lsi53c895a");
      Unit unit{.block = nullptr};
      c_.hardware().controllers[adapter].place = pci_.take({}, {}, false, block.option->where);
      c_.hardware().controllers[adapter].origin = block.option->where;
      scsi_buses_.push_back(
          {.name = "scsi." + std::to_string(scsi_names_++), .controller = adapter, .units = 7, .scsi = true});
    }
    Drive drive;
    drive.kind = block.cdrom ? DriveKind::cdrom : DriveKind::disk;
    drive.port = *block.unit;
    scsi_buses_.front().used.insert({drive.port, 0});
    Unit unit{.block = &block};
    put(scsi_buses_.front().controller, std::move(drive), unit, &block);
  }
}

Block *DeviceReader::block_of(Unit &unit) {
  if (unit.block != nullptr) return unit.block;
  const std::string id = key(unit, "drive");
  for (Block &block : blocks_) {
    if (block.id == id && !id.empty()) return &block;
  }
  return nullptr;
}

// The drive goes to its controller, with what its block and its own option say.
void DeviceReader::put(std::size_t controller, Drive drive, Unit &unit, Block *block) {
  auto &drives = c_.hardware().controllers[controller].drives;
  const std::string field = drive_field(controller, drives.size());
  drive.origin = place_of(unit);
  if (block != nullptr) fill_drive(c_, *block, drive, field);
  if (unit.option != nullptr) {
    Option &option = *unit.option;
    c_.text(option, "driver", field);
    c_.text(option, "drive", field + ".medium");
    for (const std::string_view name : {"bus", "unit", "scsi-id", "lun", "channel"})
      c_.text(option, name, field + ".port");
    if (const auto serial = c_.text(option, "serial", field + ".serial")) drive.serial = *serial;
    if (const auto index = c_.number(option, "bootindex", field + ".boot_index"))
      drive.boot_index = static_cast<unsigned>(std::min<std::uint64_t>(*index, 100'000));
    if (const auto rate = c_.number(option, "rotation_rate", field + ".nonrotational"))
      drive.nonrotational = *rate == 1;
    c_.settle(option, "write-cache", Disposition::irrelevant, "the default");
    c_.settle(option, "removable", Disposition::irrelevant, "what the guest may do with the drive");
    c_.settle(option, "device_id", Disposition::irrelevant, "libvirt names the drive");
    c_.settle(option, "share-rw", Disposition::irrelevant, "how QEMU locks the image");
    finish_keys(unit, field, drive.properties);
    drive.origin = option.where;
  }
  drives.push_back(std::move(drive));
}

// Without bus= a drive goes to the controller that was made last, and there to the last bus.
DeviceReader::DriveBus &DeviceReader::drive_bus(const Unit &unit, bool scsi) {
  auto &buses = scsi ? scsi_buses_ : ide_buses_;
  const std::string name = key(unit, "bus");
  if (buses.empty()) refuse(place_of(unit), "a SCSI drive has no adapter", unit.driver);
  if (name.empty()) return buses.back();
  const auto found = std::find_if(buses.begin(), buses.end(), [&](const DriveBus &bus) { return bus.name == name; });
  if (found != buses.end()) return *found;
  // Boards whose configuration file could not be read name their buses otherwise.
  if (c_.has("readconfig")) return buses.back();
  refuse(place_of(unit), "there is no bus of this name for the drive", name);
}

void DeviceReader::make_drive(Unit &unit, DriverClass kind) {
  Block *block = block_of(unit);
  Drive drive;
  const bool cd = unit.driver == "ide-cd" || unit.driver == "scsi-cd" || (block != nullptr && block->cdrom);
  drive.kind = cd ? DriveKind::cdrom : DriveKind::disk;
  const auto small = [&](std::string_view name) -> std::optional<unsigned> {
    const std::string text = key(unit, name);
    const auto value = parse_number(text);
    return value && *value < 16384 ? std::optional(static_cast<unsigned>(*value)) : std::nullopt;
  };
  if (kind == DriverClass::ide_drive) {
    DriveBus &bus = drive_bus(unit, false);
    unsigned number = 0;
    while (number < bus.units && bus.used.contains({number, 0})) ++number;
    number = small("unit").value_or(number);
    if (number >= bus.units || bus.used.contains({number, 0})) {
      refuse(place_of(unit), "the bus has no room for the drive", bus.name);
    }
    bus.used.insert({number, 0});
    drive.port = bus.port;
    drive.device = number;
    put(bus.controller, std::move(drive), unit, block);
  } else if (kind == DriverClass::scsi_drive) {
    DriveBus &bus = drive_bus(unit, true);
    const unsigned lun = small("lun").value_or(0);
    unsigned target = 0;
    while (bus.used.contains({target, lun})) ++target;
    target = small("scsi-id").value_or(target);
    if (bus.used.contains({target, lun})) refuse(place_of(unit), "two drives are at one place", bus.name);
    bus.used.insert({target, lun});
    drive.port = target;
    drive.device = lun;
    // QEMU tells the guest the name of the -drive where there is no serial number (hw/scsi/scsi-disk.c), and names
    // below /dev/disk/by-id are made of it.
    if (block != nullptr && key(unit, "serial").empty() && key(unit, "device_id").empty() && !block->id.empty() &&
        block->option != nullptr && block->option->name == "drive" && Context::peek(*block->option, "serial").empty())
      drive.properties["device_id"] = block->id;
    put(bus.controller, std::move(drive), unit, block);
  } else if (kind == DriverClass::virtio_drive) {
    if (!virtio_) virtio_ = add_controller(ControllerType::virtio_blk, "virtio", "virtio-blk-pci");
    Controller &controller = c_.hardware().controllers[*virtio_];
    if (controller.drives.empty()) controller.origin = place_of(unit);
    drive.port = static_cast<unsigned>(controller.drives.size());
    drive.place = pci(unit, drive_field(*virtio_, controller.drives.size()));
    put(*virtio_, std::move(drive), unit, block);
  } else if (kind == DriverClass::usb_drive) {
    if (!usb_drives_) usb_drives_ = add_controller(ControllerType::usb_storage, "usb", "usb-storage");
    Controller &controller = c_.hardware().controllers[*usb_drives_];
    if (controller.drives.empty()) controller.origin = place_of(unit);
    drive.port = static_cast<unsigned>(controller.drives.size());
    drive.usb = usb(unit, drive_field(*usb_drives_, controller.drives.size()));
    // As for SCSI drives, but the disk is inside of the stick, where nobody can name its properties.
    if (block != nullptr && !block->id.empty() && block->option != nullptr && block->option->name == "drive" &&
        block->serial.empty() && key(unit, "serial").empty()) {
      c_.raise(
          kStickName, place_of(unit),
          "The USB stick calls itself '" + text::printable(block->id) + "' where it is asked for a device's name.");
    }
    if (unit.option != nullptr && unit.option->name == "usbdevice") {
      Block own{.option = unit.option,
                .interface = "none",
                .has_file = true,
                .file = unit.option->argument.substr(
                    std::min(unit.option->argument.find(':') + 1, unit.option->argument.size()))};
      put(*usb_drives_, std::move(drive), unit, &own);
    } else {
      put(*usb_drives_, std::move(drive), unit, block);
    }
  } else {
    if (!floppies_) {
      floppies_ = add_controller(ControllerType::floppy, "floppy", "isa-fdc");
      c_.hardware().controllers[*floppies_].origin = place_of(unit);
    }
    drive.kind = DriveKind::floppy;
    drive.port = small("unit").value_or(static_cast<unsigned>(c_.hardware().controllers[*floppies_].drives.size()));
    put(*floppies_, std::move(drive), unit, block);
  }
}

void DeviceReader::make_adapter(Unit &unit, DriverClass kind, const Driver &driver) {
  const std::string id = id_of(unit);
  const bool ahci = kind == DriverClass::ahci;
  const std::size_t index = add_controller(ahci ? ControllerType::ahci : adapter_type(driver.name),
                                           id.empty() ? (ahci ? "ahci" : "scsi") : id, std::string(driver.name));
  const std::string field = "hardware.controllers." + std::to_string(index);
  const PciPlace place = pci(unit, field);
  Controller &controller = c_.hardware().controllers[index];
  controller.place = place;
  controller.origin = place_of(unit);
  if (unit.option != nullptr)
    c_.settle(*unit.option, "iothread", Disposition::irrelevant, "how the host runs the machine");
  finish_keys(unit, field, controller.properties);
  if (ahci) {
    for (unsigned port = 0; port < 6; ++port) {
      const std::string name = id.empty() ? "ide." + std::to_string(ide_names_++) : id + "." + std::to_string(port);
      ide_buses_.push_back({.name = name, .controller = index, .port = port});
    }
  } else {
    scsi_buses_.push_back({.name = id.empty() ? "scsi." + std::to_string(scsi_names_++) : id + ".0",
                           .controller = index,
                           .units = 7,
                           .scsi = true});
  }
}

}  // namespace ferry::qemu
