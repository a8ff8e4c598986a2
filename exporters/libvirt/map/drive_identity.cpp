// SPDX-License-Identifier: Apache-2.0
// What the guest reads on a drive: serial number, world wide name, model string.
#include <algorithm>
#include <cstdint>

#include "exporters/libvirt/map/storage_parts.hpp"

#include "support/text.hpp"

namespace ferry::libvirt {
namespace {

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return hash;
}

// A world wide name that is the same in every plan of the same machine. NAA 5 (IEEE registered), 24 bits of vendor
// (QEMU's 52:54:00, as in its MAC addresses), 36 bits of our own.
std::string wwn_of(std::string_view identity) {
  return text::hex((std::uint64_t{0x5525400} << 36U) | (fnv1a(identity) & 0xFFFFFFFFFU), 16);
}

// libvirt's schema: letters, digits, '_', '.', '+', '-' and blanks.
bool is_serial(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '+' || c == '-' || c == ' ';
  });
}

// What QEMU's devices hold: ATA identify has 20 characters, SCSI and USB 36, virtio 20.
std::size_t serial_limit(const std::string &bus) { return bus == "scsi" || bus == "usb" ? 36 : 20; }

std::string identity_of(const Mapping &m, std::size_t c, std::size_t d) {
  const Drive &drive = m.hardware.controllers[c].drives[d];
  if (drive.serial) return *drive.serial;
  if (drive.medium && !drive.medium->chain.empty() && drive.medium->chain.front().uuid) {
    return drive.medium->chain.front().uuid->text();
  }
  return m.domain.uuid + "/" + std::to_string(c) + "/" + std::to_string(d);
}

// An NVMe serial number is the controller's, and libvirt refuses a controller without one [tried on 12.8]. Namespaces
// of one controller share the first one's.
void move_serial_to_controller(Mapping &m, std::size_t c, std::size_t d, DomainDisk &disk) {
  DomainController *controller = m.nvme_controller(disk.drive->controller);
  if (controller == nullptr) return;
  if (disk.serial.empty()) disk.serial = wwn_of(identity_of(m, c, d));
  if (controller->serial.empty()) controller->serial = disk.serial;
  if (m.hardware.controllers[c].drives[d].serial && controller->serial != disk.serial) {
    m.translate(drive_field(c, d, "serial"), "its controller's: " + controller->serial);
    m.raise(kDiskSerial, m.hardware.controllers[c].drives[d].origin,
            "The disk serial '" + disk.serial + "' becomes '" + controller->serial +
                "': disks on one NVMe controller share its serial number.");
  }
  disk.serial.clear();
}

// Where the drive says no serial number, its medium may.
void map_medium_identity(Mapping &m, std::size_t c, std::size_t d, DomainDisk &disk) {
  const Drive &drive = m.hardware.controllers[c].drives[d];
  const target::Medium *medium = medium_of(m, c, d);
  if (drive.serial || medium == nullptr || !is_serial(medium->identity) || disk.bus == "fdc") return;
  disk.serial = medium->identity.substr(0, serial_limit(disk.bus));
  if (disk.serial != medium->identity)
    m.raise(kDiskSerial, drive.origin,
            "The disk's UUID, its serial number '" + medium->identity + "', is cut to '" + disk.serial + "'.");
}

void map_serial(Mapping &m, std::size_t c, std::size_t d, DomainDisk &disk) {
  const Drive &drive = m.hardware.controllers[c].drives[d];
  const std::string field = drive_field(c, d, "serial");
  map_medium_identity(m, c, d, disk);
  if (!drive.serial || drive.serial->empty() || disk.bus == "fdc") return;
  if (!is_serial(*drive.serial)) {
    m.drop(field, "libvirt does not take these characters");
    m.raise(kDiskSerial, drive.origin, "The disk serial '" + *drive.serial + "' has characters that libvirt refuses.");
    return;
  }
  disk.serial = *drive.serial;
  m.keep(field);
  if (disk.serial.size() > serial_limit(disk.bus)) {
    disk.serial.resize(serial_limit(disk.bus));
    m.translate(field, "cut to " + disk.serial);
    m.raise(kDiskSerial, drive.origin, "The disk serial '" + *drive.serial + "' is cut to '" + disk.serial + "'.");
  }
}

// "scsi.disk" of the platform; empty where it has no such name, or is not known.
std::string platform_name(const Mapping &m, std::string_view key) {
  const auto &names = m.hardware.platform.drive_models;
  const auto found = names.find(std::string(key));
  return found == names.end() ? std::string{} : found->second;
}

// The ATA model string that the source's drive shows; empty: not known.
std::string source_model(const Mapping &m, const Controller &controller, const Drive &drive) {
  if (drive.model) return *drive.model;
  const std::string bus = controller.type == ControllerType::ahci ? "sata" : "ide";
  return platform_name(m, bus + (drive.kind == DriveKind::disk ? ".disk" : ".cdrom"));
}

bool is_platforms_own(const Mapping &m, const std::string &model) {
  const auto &names = m.hardware.platform.drive_models;
  return std::any_of(names.begin(), names.end(), [&](const auto &name) {
    return name.second == model ||
           (name.first.starts_with("scsi.") && platform_name(m, "scsi.vendor") + " " + name.second == model);
  });
}

// The platform's own strings are reported once, whatever the number of drives.
constexpr std::string_view kOwnModels = "The drives showed '";

bool is_reported(const Mapping &m) {
  return std::any_of(m.result.findings.begin(), m.result.findings.end(), [](const Finding &finding) {
    return finding.id == kDiskModel.id && finding.message.starts_with(kOwnModels);
  });
}

// One word on the platform's own strings, which a Linux guest may have in names below /dev/disk/by-id; each string
// that the user chose is named.
void report_model(Mapping &m, const Controller &controller, const Drive &drive) {
  if (!drive.model) return;
  if (!is_platforms_own(m, *drive.model)) {
    m.raise(kDiskModel, drive.origin,
            drive_label(controller, drive) + " showed the model '" + *drive.model + "'; the guest sees QEMU's.");
  } else if (m.linux_guest() && !is_reported(m)) {
    m.raise(kDiskModel, drive.origin,
            std::string(kOwnModels) + *drive.model + "' and the like; the guest sees QEMU's.");
  }
}

void map_model(Mapping &m, std::size_t c, std::size_t d, DomainDisk &disk) {
  const Controller &controller = m.hardware.controllers[c];
  const Drive &drive = controller.drives[d];
  const std::string field = drive_field(c, d, "model");
  if (disk.bus == "fdc" || disk.bus == "usb" || disk.bus == "virtio" || disk.bus == "nvme") return;
  if (!m.options.keep_disk_models) {
    m.drop(field, "the guest sees QEMU's model string; --disk-model keep keeps the source's");
    report_model(m, controller, drive);
    return;
  }
  const std::string product = platform_name(m, drive.kind == DriveKind::disk ? "scsi.disk" : "scsi.cdrom");
  const std::string model = source_model(m, controller, drive);
  if (disk.bus == "scsi" ? product.empty() : model.empty()) {
    m.drop(field, "the source does not say which model its drives showed");
    return;
  }
  if (disk.bus == "scsi") {
    disk.vendor = platform_name(m, "scsi.vendor");
    disk.product = product;
    m.keep(field);
    return;
  }
  if (!m.host_has_libvirt(8, 2)) {  // <qemu:override>
    m.drop(field, "this host's libvirt cannot set it");
    m.raise(kDiskModel, drive.origin, drive_label(controller, drive) + ": model strings need libvirt 8.2 or newer.");
    return;
  }
  disk.alias = "ua-drive" + std::to_string(c) + "-" + std::to_string(d);
  m.domain.qemu_overrides.push_back({disk.alias, {{"model", "string", model}}});
  m.taint("the drive model '" + model + "'");
  m.keep(field, model);
}

}  // namespace

void map_drive_identity(Mapping &m, std::size_t c, std::size_t d, const BusChoice &choice, DomainDisk &disk) {
  map_serial(m, c, d, disk);
  if (disk.bus == "nvme") move_serial_to_controller(m, c, d, disk);
  map_model(m, c, d, disk);
  // Without a name of its own Linux's SAS transport finds no disk [tried].
  if (choice.model == "lsisas1068") disk.wwn = wwn_of(identity_of(m, c, d));
}

}  // namespace ferry::libvirt
