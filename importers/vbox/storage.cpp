// SPDX-License-Identifier: Apache-2.0
// Controllers, drives and what is in them. Since 1.9 all in <StorageControllers>, under <Machine> or <Snapshot> until
// 1.18 and under <Hardware> later. Before 1.9 the CD and the floppy drive stand in <Hardware>, before 1.7 the disks in
// <HardDiskAttachments> and the controllers in <BIOS>/<IDEController> and <SATAController>. Facts: VirtualBox's
// settings schema.
#include <algorithm>
#include <array>
#include <tuple>

#include "importers/vbox/defaults.hpp"
#include "importers/vbox/findings.hpp"
#include "importers/vbox/scope.hpp"

#include "support/text.hpp"

namespace ferry::vbox {
namespace {

constexpr std::array<Word<ControllerType>, 11> kTypes{{{"AHCI", ControllerType::ahci},
                                                       {"PIIX3", ControllerType::ide_piix3},
                                                       {"PIIX4", ControllerType::ide_piix4},
                                                       {"ICH6", ControllerType::ide_ich6},
                                                       {"LsiLogic", ControllerType::lsilogic},
                                                       {"LsiLogicSas", ControllerType::lsilogic_sas},
                                                       {"BusLogic", ControllerType::buslogic},
                                                       {"VirtioSCSI", ControllerType::virtio_scsi},
                                                       {"NVMe", ControllerType::nvme},
                                                       {"USB", ControllerType::usb_storage},
                                                       {"I82078", ControllerType::floppy}}};
constexpr unsigned kMostPorts = 4096;

bool is_ide(ControllerType type) {
  return type == ControllerType::ide_piix3 || type == ControllerType::ide_piix4 || type == ControllerType::ide_ich6;
}

std::string controller_field(const Scope &scope, std::size_t index) {
  return scope.field("controllers." + std::to_string(index));
}

std::string drive_name(const Controller &controller, const Drive &drive) {
  return "\"" + text::printable(controller.name) + "\" port " + std::to_string(drive.port) +
         (drive.device == 0 ? "" : " device " + std::to_string(drive.device));
}

void check_free(const Controller &controller, const Drive &drive, const Place &where) {
  const bool taken = std::any_of(controller.drives.begin(), controller.drives.end(), [&drive](const Drive &other) {
    return other.port == drive.port && other.device == drive.device;
  });
  if (!taken) return;
  throw Error(ErrorKind::malformed, {.where = where,
                                     .message = "two drives are attached to the same place",
                                     .found = drive_name(controller, drive),
                                     .expected = "each port and device once"});
}

// <Image uuid> or <HostDrive src>, below `element`.
void read_content(Scope &scope, const SettingsReader &element, const Controller &controller, const std::string &at,
                  Drive &drive) {
  if (const auto image = element.child("Image")) {
    drive.medium = attach_medium(scope.in, *image, "uuid", drive.kind, at + ".medium", drive_name(controller, drive));
  }
  if (const auto host = element.child("HostDrive")) drive.host_device = host->text("src", at + ".host_device");
}

void read_flags(Scope &scope, const SettingsReader &element, const Controller &controller, const std::string &at,
                Drive &drive) {
  drive.passthrough = element.boolean("passthrough", at + ".passthrough");
  drive.temporary_eject = element.boolean("tempeject", at + ".temporary_eject");
  drive.nonrotational = element.boolean("nonrotational", at + ".nonrotational");
  drive.discard = element.boolean("discard", at + ".discard");
  drive.hotpluggable = element.boolean("hotpluggable", at + ".hotpluggable");
  if (scope.version().before(15) && controller.type == ControllerType::ahci) drive.hotpluggable = true;
  element.settle("bandwidthGroup", Disposition::dropped, "limit the disk with <iotune> in the domain");
}

void read_drive(Scope &scope, const SettingsReader &element, const std::string &at, Controller &controller) {
  static constexpr std::array<Word<DriveKind>, 3> kKinds{
      {{"HardDisk", DriveKind::disk}, {"DVD", DriveKind::cdrom}, {"Floppy", DriveKind::floppy}}};
  const std::string below = at + ".drives." + std::to_string(controller.drives.size());
  Drive drive;
  drive.origin = element.place();
  drive.kind = word<DriveKind>(scope.in, element, "type", below + ".kind", kKinds).value_or(DriveKind::disk);
  drive.port = small_number(element, "port", below + ".port", kMostPorts).value_or(0);
  drive.device = small_number(element, "device", below + ".device", kMostPorts).value_or(0);
  if (controller.type == ControllerType::floppy) {  // VirtualBox: one port, two devices; the model: two drives
    drive.port = drive.port * 2 + drive.device;
    drive.device = 0;
  }
  check_free(controller, drive, element.place());
  read_flags(scope, element, controller, below, drive);
  read_content(scope, element, controller, below, drive);
  apply_drive_identity(controller, drive);
  controller.drives.push_back(std::move(drive));
}

unsigned count_of_type(const Scope &scope, ControllerType type) {
  return static_cast<unsigned>(std::count_if(
      scope.hw.controllers.begin(), scope.hw.controllers.end(),
      [type](const Controller &other) { return other.type == type || (is_ide(other.type) && is_ide(type)); }));
}

ControllerType controller_type(const SettingsReader &element, const std::string &field) {
  const auto type = element.text("type", field);
  for (const auto &row : kTypes) {
    if (type && same_word(row.text, *type)) return row.value;
  }
  throw Error(ErrorKind::unsupported,
              {.where = element.place("type"),
               .message = "virt-ferry does not know this kind of storage controller",
               .found = type ? "\"" + text::printable(*type) + "\"" : "no type",
               .expected = "AHCI, PIIX3, PIIX4, ICH6, LsiLogic, LsiLogicSas, BusLogic, VirtioSCSI, NVMe, USB or I82078",
               .advice = "Attach its disks to a SATA controller in VirtualBox."});
}

// What an attribute says as a number, for sorting only; reading it reports what is wrong with it.
std::uint64_t sort_number(const SettingsReader &element, std::string_view attribute) {
  const std::string *value = element.element().attribute(attribute);
  return value == nullptr ? 0 : text::parse_u64(text::trim(*value)).value_or(0);
}

// In the order of their places, which VirtualBox goes by, not of the file.
std::vector<SettingsReader> drives_in_order(const SettingsReader &controller) {
  std::vector<SettingsReader> out = controller.children("AttachedDevice");
  std::stable_sort(out.begin(), out.end(), [](const SettingsReader &a, const SettingsReader &b) {
    return std::pair(sort_number(a, "port"), sort_number(a, "device")) <
           std::pair(sort_number(b, "port"), sort_number(b, "device"));
  });
  return out;
}

// The turn in which VirtualBox's BIOS looks for disks: IDE, SATA, SCSI (its source: orgs.asm, scsi.c). It boots from no
// other bus.
unsigned bios_turn(const SettingsReader &controller) {
  constexpr std::array<std::string_view, 10> kTurns{"PIIX3",       "PIIX4",    "ICH6",       "AHCI", "LsiLogic",
                                                    "LsiLogicSas", "BusLogic", "VirtioSCSI", "NVMe", "USB"};
  constexpr unsigned kIde = 3;  // there is one IDE controller, whatever its model
  const std::string *type = controller.element().attribute("type");
  for (unsigned i = 0; i < kTurns.size() && type != nullptr; ++i) {
    if (same_word(kTurns[i], *type)) return i < kIde ? 0 : i;
  }
  return kTurns.size();
}

// By the BIOS's turns, and controllers of one kind by their instance.
std::vector<SettingsReader> controllers_in_order(const Scope &scope) {
  std::vector<SettingsReader> out;
  for (const SettingsReader *holder : {&scope.owner, &scope.hardware}) {
    for (const SettingsReader &list : holder->children("StorageControllers")) {
      for (SettingsReader &element : list.children("StorageController")) out.push_back(std::move(element));
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const SettingsReader &a, const SettingsReader &b) {
    return std::pair(bios_turn(a), sort_number(a, "Instance")) < std::pair(bios_turn(b), sort_number(b, "Instance"));
  });
  return out;
}

void read_controller(Scope &scope, const SettingsReader &element) {
  const std::string at = controller_field(scope, scope.hw.controllers.size());
  Controller controller;
  controller.origin = element.place();
  controller.type = controller_type(element, at + ".type");
  controller.name = element.text("name", at + ".name").value_or("");
  controller.ports = small_number(element, "PortCount", at + ".ports", kMostPorts);
  controller.host_io_cache = element.boolean("useHostIOCache", at + ".host_io_cache");
  // VirtualBox's BIOS finds IDE disks whatever the setting says.
  controller.bootable = element.boolean("Bootable", at + ".bootable").value_or(true) || is_ide(controller.type);
  controller.index = count_of_type(scope, controller.type);
  element.settle("Instance", Disposition::irrelevant, "VirtualBox's own count of the controllers of a kind");
  for (const std::string_view name : {"PCIBus", "PCIDevice", "PCIFunction"}) {
    element.settle(name, Disposition::irrelevant, "never used by VirtualBox");
  }
  for (const std::string_view name :
       {"IDE0MasterEmulationPort", "IDE0SlaveEmulationPort", "IDE1MasterEmulationPort", "IDE1SlaveEmulationPort"}) {
    element.settle(name, Disposition::irrelevant, "which SATA ports VirtualBox's BIOS showed as IDE");
  }
  for (const SettingsReader &drive : drives_in_order(element)) read_drive(scope, drive, at, controller);
  scope.hw.controllers.push_back(std::move(controller));
}

// ---- before 1.9 ----

Controller &old_ide(Scope &scope, const Place &origin) {
  for (Controller &controller : scope.hw.controllers) {
    if (is_ide(controller.type)) return controller;
  }
  Controller controller;
  controller.type = ControllerType::ide_piix4;
  controller.name = "IDE Controller";
  controller.ports = 2;
  controller.origin = origin;
  controller.index = count_of_type(scope, controller.type);
  scope.hw.controllers.push_back(std::move(controller));
  return scope.hw.controllers.back();
}

std::string field_of(const Scope &scope, const Controller &controller) {
  return controller_field(scope, static_cast<std::size_t>(&controller - scope.hw.controllers.data()));
}

void read_old_controllers(Scope &scope) {
  const auto bios = scope.hardware.child("BIOS");
  if (const auto ide = bios ? bios->child("IDEController") : std::nullopt) {
    Controller &controller = old_ide(scope, ide->place());
    controller.type = controller_type(*ide, field_of(scope, controller) + ".type");
  }
  const auto sata = scope.hardware.child("SATAController");
  if (!sata) return;
  const std::string at = controller_field(scope, scope.hw.controllers.size());
  if (!sata->boolean("enabled", at).value_or(false)) {
    sata->settle("enabled", Disposition::irrelevant, "the controller is off");
    sata->settle_all(Disposition::irrelevant, "the controller is off");
    return;
  }
  Controller controller;
  controller.type = ControllerType::ahci;
  controller.name = "SATA Controller";
  controller.origin = sata->place();
  controller.ports = small_number(*sata, "PortCount", at + ".ports", kMostPorts);
  controller.index = count_of_type(scope, controller.type);
  for (const SettingsReader &drive : drives_in_order(*sata)) read_drive(scope, drive, at, controller);
  sata->settle_all(Disposition::irrelevant, "which SATA ports VirtualBox's BIOS showed as IDE");
  scope.hw.controllers.push_back(std::move(controller));
}

// 1.3: bus="IDE" channel="0" device="0". 1.0 to 1.2: bus="ide0" device="master".
void read_old_attachment(Scope &scope, const SettingsReader &element) {
  const std::string *bus_text = element.element().attribute("bus");
  const std::string bus = bus_text == nullptr ? "ide" : text::lower_ascii(*bus_text);
  Controller *controller = nullptr;
  if (bus.starts_with("sata")) {
    for (Controller &other : scope.hw.controllers) {
      if (other.type == ControllerType::ahci) controller = &other;
    }
  } else if (bus.starts_with("ide")) {
    controller = &old_ide(scope, element.place());
  }
  if (controller == nullptr) {
    throw Error(ErrorKind::malformed, {.where = element.place("bus"),
                                       .message = "a disk is attached to a bus that the machine does not have",
                                       .found = "\"" + text::printable(bus) + "\"",
                                       .expected = "IDE, or SATA with an enabled <SATAController>"});
  }
  const std::string at = field_of(scope, *controller) + ".drives." + std::to_string(controller->drives.size());
  Drive drive;
  drive.origin = element.place();
  (void)element.text("bus", at + ".port");
  drive.port = bus == "ide1" ? 1 : small_number(element, "channel", at + ".port", kMostPorts).value_or(0);
  const std::string *device = element.element().attribute("device");
  if (device != nullptr && (same_word("master", *device) || same_word("slave", *device))) {
    drive.device = same_word("slave", element.text("device", at + ".device").value_or("")) ? 1 : 0;
  } else {
    drive.device = small_number(element, "device", at + ".device", 1).value_or(0);
  }
  check_free(*controller, drive, element.place());
  if (scope.version().before(15) && controller->type == ControllerType::ahci) drive.hotpluggable = true;
  drive.medium =
      attach_medium(scope.in, element, "hardDisk", drive.kind, at + ".medium", drive_name(*controller, drive));
  apply_drive_identity(*controller, drive);
  controller->drives.push_back(std::move(drive));
}

void read_old_dvd(Scope &scope, const SettingsReader &dvd) {
  Controller &controller = old_ide(scope, dvd.place());
  const std::string at = field_of(scope, controller) + ".drives." + std::to_string(controller.drives.size());
  Drive drive;
  drive.kind = DriveKind::cdrom;
  drive.port = 1;  // always the second channel's master
  drive.origin = dvd.place();
  check_free(controller, drive, dvd.place());
  dvd.touch(at);
  drive.passthrough = dvd.boolean("passthrough", at + ".passthrough");
  drive.temporary_eject = dvd.boolean("tempeject", at + ".temporary_eject");
  read_content(scope, dvd, controller, at, drive);
  apply_drive_identity(controller, drive);
  controller.drives.push_back(std::move(drive));
}

// Where a disk of before 1.7 sits, for sorting: bus, channel, device. IDE comes first; "ide1" is its second channel.
std::tuple<bool, std::uint64_t, std::uint64_t> old_place(const SettingsReader &attachment) {
  const auto word = [&attachment](std::string_view name) {
    const std::string *value = attachment.element().attribute(name);
    return value == nullptr ? std::string() : text::lower_ascii(*value);
  };
  const std::string bus = word("bus");
  const std::uint64_t channel = bus == "ide1" ? 1 : sort_number(attachment, "channel");
  const std::uint64_t device = word("device") == "slave" ? 1 : sort_number(attachment, "device");
  return {bus.starts_with("sata"), channel, device};
}

void read_old_ide_and_sata(Scope &scope) {
  std::vector<SettingsReader> disks;
  if (const auto list = scope.owner.child("HardDiskAttachments")) disks = list->children("HardDiskAttachment");
  std::stable_sort(disks.begin(), disks.end(),
                   [](const SettingsReader &a, const SettingsReader &b) { return old_place(a) < old_place(b); });
  auto dvd = scope.hardware.child("DVDDrive");
  for (const SettingsReader &disk : disks) {
    if (dvd && old_place(disk) > std::tuple(false, 1, 0)) {
      read_old_dvd(scope, *dvd);
      dvd.reset();
    }
    read_old_attachment(scope, disk);
  }
  if (dvd) read_old_dvd(scope, *dvd);
}

void read_old_floppy(Scope &scope) {
  const auto floppy = scope.hardware.child("FloppyDrive");
  if (!floppy) return;
  const std::string at = controller_field(scope, scope.hw.controllers.size());
  floppy->touch(at);
  if (!floppy->boolean("enabled", at).value_or(true)) {
    floppy->settle("enabled", Disposition::irrelevant, "the drive is off");
    floppy->settle_all(Disposition::irrelevant, "the drive is off");
    return;
  }
  Controller controller;
  controller.type = ControllerType::floppy;
  controller.name = "Floppy Controller";
  controller.ports = 1;
  controller.origin = floppy->place();
  Drive drive;
  drive.kind = DriveKind::floppy;
  drive.origin = floppy->place();
  read_content(scope, *floppy, controller, at + ".drives.0", drive);
  controller.drives.push_back(std::move(drive));
  scope.hw.controllers.push_back(std::move(controller));
}

}  // namespace

void read_storage(Scope &scope) {
  for (const SettingsReader &element : controllers_in_order(scope)) read_controller(scope, element);
  read_old_controllers(scope);
  read_old_ide_and_sata(scope);
  read_old_floppy(scope);
}

}  // namespace ferry::vbox
