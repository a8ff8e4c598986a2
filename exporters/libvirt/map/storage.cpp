// SPDX-License-Identifier: Apache-2.0
// Drives and their controllers. Which bus suits which controller is in storage_buses.cpp, what the guest reads on a
// drive in drive_identity.cpp, what became of each setting in storage_account.cpp.
#include <algorithm>
#include <cstdint>

#include "exporters/libvirt/map/storage_parts.hpp"

namespace ferry::libvirt {
namespace {

class StorageMapper {
 public:
  explicit StorageMapper(Mapping &m) : m_(m), buses_(m) {}

  void map() {
    reserve_slots();
    for (const bool exact : {true, false}) {
      // Of the drives that move to another bus the disks come first.
      for (const bool disks : {true, false}) {
        for (std::size_t c = 0; c < m_.hardware.controllers.size(); ++c) place_drives(c, exact, disks);
      }
      for (std::size_t c = 0; c < m_.hardware.controllers.size(); ++c) keep_empty(c, exact);
    }
    sort_and_name();
    release_slots();
    for (std::size_t c = 0; c < m_.hardware.controllers.size(); ++c) settle_controller(m_, c);
    add_ide_controller();
    if (m_.machine.extra.contains("disk.enable_uuid"))
      m_.translate("/extra.disk.enable_uuid", "each disk's UUID is its serial number");
  }

 private:
  struct Made {
    DomainDisk disk;
    target::Disk target;
  };

  // Slots that the source names go to their own controllers, whatever is placed first.
  void reserve_slots() {
    for (const Controller &controller : m_.hardware.controllers) {
      if (controller.pci_slot) m_.slots.reserve(*controller.pci_slot);
    }
  }

  void release_slots() {
    for (const Controller &controller : m_.hardware.controllers) {
      if (controller.pci_slot) m_.slots.release(*controller.pci_slot);
    }
  }

  void place_drives(std::size_t c, bool exact, bool disks) {
    const Controller &controller = m_.hardware.controllers[c];
    for (std::size_t d = 0; d < controller.drives.size(); ++d) {
      if ((controller.drives[d].kind == DriveKind::disk) != disks) continue;
      const BusChoice choice = choose_bus(m_, controller, needs_of(m_, c, d));
      if (choice.exact == exact) place_drive(c, d, choice);
    }
  }

  void keep_empty(std::size_t c, bool exact) {
    const Controller &controller = m_.hardware.controllers[c];
    const BusChoice choice = choose_bus(m_, controller, {.kind = DriveKind::cdrom});
    const bool kept = exact && choice.exact && controller.drives.empty();
    if (kept) buses_.ensure(choice, c, controller.pci_slot);
  }

  // VMware's two IDE channels can come as two controllers.
  [[nodiscard]] unsigned ide_channel(std::size_t c, const Drive &drive) const {
    const Controller &controller = m_.hardware.controllers[c];
    return drive.port + (is_ide(controller.type) ? controller.index : 0);
  }

  void place_drive(std::size_t c, std::size_t d, const BusChoice &choice) {
    const Controller &controller = m_.hardware.controllers[c];
    const Drive &drive = controller.drives[d];
    const target::Medium *medium = medium_of(m_, c, d);
    if (drive.kind == DriveKind::disk && medium == nullptr) {
      m_.drop(drive_field(c, d), drive.medium ? "left out on purpose" : "no image is there for it");
      // A disk with a medium was left out by the planner, which says so.
      if (!drive.medium)
        m_.raise(kDiskLeftOut, drive.origin, drive_label(controller, drive) + " is left out: it has no image.");
      return;
    }
    if (!unknown_or_has(m_.host.disk_buses, choice.bus) && choice.bus != "nvme") {
      m_.drop(drive_field(c, d), "this host's QEMU has no " + choice.bus + " drives");
      m_.raise(
          kDriveUnsupported, drive.origin,
          drive_label(controller, drive) + " is left out: this host has no drives of the kind '" + choice.bus + "'.");
      return;
    }
    const bool was_ide = is_ide(controller.type);
    const unsigned port = was_ide && choice.bus == "ide" ? ide_channel(c, drive) : drive.port;
    const bool slot_is_ours = choice.exact;
    auto position = buses_.place(choice, c, port, drive.device, slot_is_ours ? controller.pci_slot : std::nullopt);
    BusChoice used = choice;
    if (!position) {  // four IDE drives, two floppies
      if (choice.bus == "fdc") {
        m_.drop(drive_field(c, d), "QEMU has two floppy drives at most");
        m_.raise(kDriveUnsupported, drive.origin,
                 drive_label(controller, drive) + " is left out: QEMU has two at most.");
        return;
      }
      used = {"sata", {}, false, "all four IDE positions are taken"};
      position = buses_.place(used, c, drive.port, drive.device, std::nullopt);
    }
    Made made;
    made.target = {c, d, {}, position->bus, used.model};
    made.disk = describe(c, d, *position, medium, used);
    settle_drive(m_, c, d, *position, used);
    made_.push_back(std::move(made));
  }

  DomainDisk describe(std::size_t c, std::size_t d, const Buses::Position &position, const target::Medium *medium,
                      const BusChoice &choice) {
    const Controller &controller = m_.hardware.controllers[c];
    const Drive &drive = controller.drives[d];
    DomainDisk disk;
    disk.device = drive.kind == DriveKind::disk ? "disk" : drive.kind == DriveKind::cdrom ? "cdrom" : "floppy";
    disk.bus = position.bus;
    disk.drive = position.drive;
    disk.pci = position.pci;
    disk.format = "raw";
    if (drive.kind == DriveKind::cdrom) disk.read_only = true;
    if (medium != nullptr && drive.connected_at_start) {
      take_medium(disk, *medium);
      map_backing(m_, *medium, disk);
    }
    // A floppy is writable, so libvirt would count it in, and then refuse every internal snapshot: it is a raw image.
    if (drive.kind == DriveKind::floppy) disk.no_snapshots = true;
    if (drive.kind == DriveKind::disk) {
      disk.discard = "unmap";
      if (controller.host_io_cache == true && !disk.shareable) disk.cache = "writeback";
      disk.solid_state = drive.nonrotational.value_or(false) && has_rotation_rate(disk.bus);
    }
    map_sharing(c, d, disk);
    map_drive_identity(m_, c, d, choice, disk);
    return disk;
  }

  [[nodiscard]] bool has_rotation_rate(const std::string &bus) const {
    return (bus == "ide" || bus == "sata" || bus == "scsi") && m_.host_has_libvirt(7, 3);
  }

  static void take_medium(DomainDisk &disk, const target::Medium &medium) {
    disk.file = medium.file.string();
    disk.format = medium.format.empty() ? "raw" : medium.format;
    disk.read_only = disk.read_only || medium.read_only;
    disk.shareable = medium.shareable;
    disk.transient = medium.transient;
    disk.no_snapshots = medium.no_snapshots;
  }

  void map_sharing(std::size_t c, std::size_t d, DomainDisk &disk) {
    const Controller &controller = m_.hardware.controllers[c];
    const Drive &drive = controller.drives[d];
    const std::string label = drive_label(controller, drive);
    if (disk.shareable && disk.format != "raw") {
      disk.shareable = false;
      m_.raise(kDiskNotShareable, drive.origin,
               label + " was shared between machines; QEMU shares raw images only, so this machine has it to itself.");
      m_.drop(drive_field(c, d, "medium.type"), "not shared: QEMU shares raw images only");
    }
    if (disk.shareable) disk.cache = "none";
    // QEMU's ATA disks cannot be read-only; a transient one leaves its image untouched as well.
    const bool ata = disk.bus == "ide" || disk.bus == "sata";
    if (disk.device == "disk" && disk.read_only && ata) {
      disk.read_only = false;
      disk.transient = true;
      m_.raise(kDiskReadOnlyTransient, drive.origin,
               label + " was read-only; the guest can write to it, and its changes are lost when it stops.");
    } else if (disk.transient) {
      m_.raise(kDiskTransient, drive.origin, label + " forgets its changes when the machine stops.");
    }
  }

  void sort_and_name() {
    std::stable_sort(made_.begin(), made_.end(), [](const Made &a, const Made &b) {
      return std::pair(a.target.controller, a.target.drive) < std::pair(b.target.controller, b.target.drive);
    });
    std::size_t sd = 0, vd = 0;
    for (Made &made : made_) {
      DomainDisk &disk = made.disk;
      if (disk.bus == "ide") {
        disk.target = "hd" + drive_letters(disk.drive->bus * 2 + disk.drive->unit);
      } else if (disk.bus == "fdc") {
        disk.target = "fd" + drive_letters(disk.drive->unit);
      } else if (disk.bus == "virtio") {
        disk.target = "vd" + drive_letters(vd++);
      } else if (disk.bus == "nvme") {
        // libvirt takes controller and namespace from the name.
        disk.target = "nvme" + std::to_string(disk.drive->controller) + "n" + std::to_string(disk.drive->unit + 1);
      } else {
        disk.target = "sd" + drive_letters(sd++);
      }
      made.target.target = disk.target;
      m_.result.disks.push_back(made.target);
      m_.domain.disks.push_back(std::move(disk));
    }
  }

  void add_ide_controller() {
    const bool ide = std::any_of(m_.domain.disks.begin(), m_.domain.disks.end(),
                                 [](const DomainDisk &disk) { return disk.bus == "ide"; });
    if (!ide) return;
    m_.domain.controllers.push_back({.type = "ide", .address = PciAddress{.slot = 1, .function = 1}});
  }

  Mapping &m_;
  Buses buses_;
  std::vector<Made> made_;
};

}  // namespace

void map_storage(Mapping &m) { StorageMapper(m).map(); }

}  // namespace ferry::libvirt
