// SPDX-License-Identifier: Apache-2.0
// Drives where QEMU has them.
#include <algorithm>

#include "exporters/libvirt/map/qemu_parts.hpp"
#include "exporters/libvirt/map/storage_parts.hpp"

namespace ferry::libvirt {
namespace {

class QemuStorage {
 public:
  explicit QemuStorage(Mapping &m) : m_(m) {}

  void map() {
    m_.keep("controllers");
    for (std::size_t c = 0; c < m_.hardware.controllers.size(); ++c) {
      add_controller(c);
      for (std::size_t d = 0; d < m_.hardware.controllers[c].drives.size(); ++d) add_drive(c, d);
    }
  }

 private:
  static std::string bus_of(ControllerType type) {
    switch (type) {
      case ControllerType::ide_piix3: return "ide";
      case ControllerType::ahci: return "sata";
      case ControllerType::floppy: return "fdc";
      case ControllerType::virtio_blk: return "virtio";
      case ControllerType::usb_storage: return "usb";
      default: return "scsi";
    }
  }

  void add_controller(std::size_t c) {
    const Controller &controller = m_.hardware.controllers[c];
    const std::string bus = bus_of(controller.type);
    index_ = 0;
    if (bus == "virtio" || bus == "usb" || bus == "fdc") return;
    if (bus == "ide" && controller.drives.empty()) return;  // the board has it in any case
    DomainController out{.type = bus};
    out.index = index_ = count_[bus]++;
    if (bus == "scsi") out.model = libvirt_model(controller.device);
    if (controller.place) out.address = pci_address(m_, *controller.place, controller.origin);
    if (!controller.properties.empty()) {
      out.alias = "ua-" + bus + std::to_string(out.index);
      override_properties(m_, out.alias, controller.properties, field_at("controllers", c));
    }
    m_.domain.controllers.push_back(std::move(out));
  }

  void add_drive(std::size_t c, std::size_t d) {
    const Controller &controller = m_.hardware.controllers[c];
    const Drive &drive = controller.drives[d];
    const std::string bus = bus_of(controller.type);
    const std::string field = drive_field(c, d);
    const target::Medium *medium = medium_of(m_, c, d);
    if (drive.kind == DriveKind::disk && medium == nullptr) {
      m_.drop(field, drive.medium ? "left out on purpose" : "no image is there for it");
      if (!drive.medium)
        m_.raise(kDiskLeftOut, drive.origin, drive_label(controller, drive) + " is left out: it has no image.");
      return;
    }
    DomainDisk disk;
    disk.device = drive.kind == DriveKind::disk ? "disk" : drive.kind == DriveKind::cdrom ? "cdrom" : "floppy";
    disk.bus = bus;
    disk.format = "raw";
    disk.read_only = drive.kind == DriveKind::cdrom;
    if (drive.kind == DriveKind::floppy) disk.no_snapshots = true;
    place(disk, controller, drive);
    m_.keep(field);
    if (medium != nullptr) take(disk, *medium, field);
    settings(disk, drive, field);
    if (medium != nullptr) map_backing(m_, *medium, disk);
    const BusChoice choice{bus, controller.device == "mptsas1068" ? "lsisas1068" : "", true, {}};
    map_drive_identity(m_, c, d, choice, disk);
    if (!drive.properties.empty()) {
      if (disk.alias.empty()) disk.alias = "ua-drive" + std::to_string(c) + "-" + std::to_string(d);
      override_properties(m_, disk.alias, drive.properties, field);
    }
    if (drive.host_device) {
      m_.drop(field + ".host_device", "devices of the host are not passed through unasked");
      m_.raise(kHostDriveDropped, drive.origin,
               drive_label(controller, drive) + " showed the host's " + *drive.host_device + "; it is empty now.");
    }
    m_.result.disks.push_back({c, d, disk.target, disk.bus});
    m_.domain.disks.push_back(std::move(disk));
  }

  void place(DomainDisk &disk, const Controller &controller, const Drive &drive) {
    if (disk.bus == "ide") {
      disk.drive = DriveAddress{.controller = index_, .bus = drive.port, .unit = drive.device};
      disk.target = "hd" + drive_letters(drive.port * 2 + drive.device);
    } else if (disk.bus == "sata") {
      disk.drive = DriveAddress{.controller = index_, .unit = drive.port};
      disk.target = "sd" + drive_letters(sd_++);
    } else if (disk.bus == "scsi") {
      const bool by_unit = controller.type == ControllerType::lsi53c895a || controller.type == ControllerType::am53c974;
      disk.drive = by_unit ? DriveAddress{.controller = index_, .unit = drive.port}
                           : DriveAddress{.controller = index_, .target = drive.port, .unit = drive.device};
      disk.target = "sd" + drive_letters(sd_++);
    } else if (disk.bus == "fdc") {
      disk.drive = DriveAddress{.unit = drive.port};
      disk.target = "fd" + drive_letters(drive.port);
    } else if (disk.bus == "virtio") {
      if (drive.place) disk.pci = pci_address(m_, *drive.place, drive.origin);
      disk.target = "vd" + drive_letters(vd_++);
    } else {
      if (drive.usb) disk.usb = usb_address(m_, *drive.usb);
      disk.target = "sd" + drive_letters(sd_++);
    }
  }

  void take(DomainDisk &disk, const target::Medium &medium, const std::string &field) {
    disk.file = medium.file.string();
    disk.format = medium.format.empty() ? "raw" : medium.format;
    disk.read_only = disk.read_only || medium.read_only;
    disk.shareable = medium.shareable;
    disk.transient = medium.transient;
    disk.no_snapshots = disk.no_snapshots || medium.no_snapshots;
    m_.translate(field + ".medium", "image " + medium.file.filename().string() + " (" + disk.format + ")");
    // QEMU's ATA disks cannot be read-only.
    if (disk.device == "disk" && disk.read_only && (disk.bus == "ide" || disk.bus == "sata")) {
      disk.read_only = false;
      disk.transient = true;
    }
    if (disk.transient) m_.raise(kDiskTransient, {}, "A disk forgets its changes when the machine stops.");
  }

  void settings(DomainDisk &disk, const Drive &drive, const std::string &field) {
    if (disk.file.empty()) return;
    const auto one_of = [](const std::optional<std::string> &value, std::initializer_list<std::string_view> known) {
      return value && std::find(known.begin(), known.end(), *value) != known.end();
    };
    if (one_of(drive.cache, {"none", "writeback", "writethrough", "directsync", "unsafe"})) disk.cache = *drive.cache;
    if (one_of(drive.io, {"threads", "native", "io_uring"})) disk.io = *drive.io;
    if (disk.io == "native" && disk.cache != "none" && disk.cache != "directsync") {
      disk.io.clear();
      m_.drop(field + ".io", "aio=native needs a cache that goes past the host's");
    }
    if (drive.discard) disk.discard = *drive.discard ? "unmap" : "ignore";
    if (one_of(drive.detect_zeroes, {"on", "unmap"})) disk.detect_zeroes = *drive.detect_zeroes;
    if (one_of(drive.error_policy, {"stop", "report", "ignore"})) disk.error_policy = *drive.error_policy;
    if (drive.error_policy == "enospc") disk.error_policy = "enospace";
    if (one_of(drive.read_error_policy, {"stop", "report", "ignore"})) {
      disk.read_error_policy = *drive.read_error_policy;
    }
    disk.solid_state =
        drive.nonrotational.value_or(false) && (disk.bus == "sata" || disk.bus == "scsi" || disk.bus == "ide");
  }

  Mapping &m_;
  std::map<std::string, unsigned> count_;
  unsigned index_ = 0;  // libvirt's number of the controller that is mapped now
  std::size_t sd_ = 0, vd_ = 0;
};

}  // namespace

void map_qemu_storage(Mapping &m) { QemuStorage(m).map(); }

}  // namespace ferry::libvirt
