// SPDX-License-Identifier: Apache-2.0
#include "importers/vbox/storage_parts.hpp"

#include <algorithm>
#include <array>

#include "importers/vbox/defaults.hpp"
#include "importers/vbox/findings.hpp"

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

}  // namespace

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

void read_content(Scope &scope, const SettingsReader &element, const Controller &controller, const std::string &at,
                  Drive &drive) {
  if (const auto image = element.child("Image")) {
    drive.medium = attach_medium(scope.in, *image, "uuid", drive.kind, at + ".medium", drive_name(controller, drive));
  }
  if (const auto host = element.child("HostDrive")) drive.host_device = host->text("src", at + ".host_device");
}

void read_drive(Scope &scope, const SettingsReader &element, const std::string &at, Controller &controller) {
  static constexpr std::array<Word<DriveKind>, 3> kKinds{
      {{"HardDisk", DriveKind::disk}, {"DVD", DriveKind::cdrom}, {"Floppy", DriveKind::floppy}}};
  const std::string below = at + ".drives." + std::to_string(controller.drives.size());
  Drive drive;
  drive.origin = element.place();
  drive.kind = word<DriveKind>(scope.in, element, "type", below + ".kind", kKinds).value_or(DriveKind::disk);
  drive.port = small_number(element, "port", below + ".port", kMostDrivePorts).value_or(0);
  drive.device = small_number(element, "device", below + ".device", kMostDrivePorts).value_or(0);
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
               .advice = "Update virt-ferry; or write AHCI for the type in a copy of the settings, if the guest has a "
                         "driver for that."});
}

std::uint64_t sort_number(const SettingsReader &element, std::string_view attribute) {
  const std::string *value = element.element().attribute(attribute);
  return value == nullptr ? 0 : text::parse_u64(text::trim(*value)).value_or(0);
}

std::vector<SettingsReader> drives_in_order(const SettingsReader &controller) {
  std::vector<SettingsReader> out = controller.children("AttachedDevice");
  std::stable_sort(out.begin(), out.end(), [](const SettingsReader &a, const SettingsReader &b) {
    return std::pair(sort_number(a, "port"), sort_number(a, "device")) <
           std::pair(sort_number(b, "port"), sort_number(b, "device"));
  });
  return out;
}

}  // namespace ferry::vbox
