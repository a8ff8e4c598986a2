// SPDX-License-Identifier: Apache-2.0
// Storage before settings 1.9: the CD and the floppy drive stand in <Hardware>, and before 1.7 the disks in
// <HardDiskAttachments> and the controllers in <BIOS>/<IDEController> and <SATAController>. Facts: VirtualBox's
// settings schema.
#include <algorithm>
#include <tuple>

#include "importers/vbox/defaults.hpp"
#include "importers/vbox/scope.hpp"
#include "importers/vbox/storage_parts.hpp"

#include "support/text.hpp"

namespace ferry::vbox {
namespace {

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
  controller.ports = small_number(*sata, "PortCount", at + ".ports", kMostDrivePorts);
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
  drive.port = bus == "ide1" ? 1 : small_number(element, "channel", at + ".port", kMostDrivePorts).value_or(0);
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

void read_old_storage(Scope &scope) {
  read_old_controllers(scope);
  read_old_ide_and_sata(scope);
  read_old_floppy(scope);
}

}  // namespace ferry::vbox
