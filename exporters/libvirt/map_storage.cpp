// SPDX-License-Identifier: Apache-2.0
// Drives and their controllers. Which bus suits which controller is in storage_buses.cpp.
#include <algorithm>
#include <cstdint>

#include "exporters/libvirt/storage_buses.hpp"

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
  constexpr std::string_view kHex = "0123456789abcdef";
  std::uint64_t value = (std::uint64_t{0x5525400} << 36U) | (fnv1a(identity) & 0xFFFFFFFFFU);
  std::string text(16, '0');
  for (std::size_t i = 16; i-- > 0; value >>= 4U) text[i] = kHex[value & 15U];
  return text;
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

std::string letters(std::size_t number) {
  std::string name;
  for (++number; number > 0; number = (number - 1) / 26) {
    name.insert(name.begin(), static_cast<char>('a' + (number - 1) % 26));
  }
  return name;
}

std::string drive_label(const Controller &controller, const Drive &drive) {
  const std::string_view kind = drive.kind == DriveKind::disk    ? "Disk"
                                : drive.kind == DriveKind::cdrom ? "CD drive"
                                                                 : "Floppy drive";
  std::string label = std::string(kind) + " " + std::to_string(drive.port);
  if (is_ide(controller.type)) label += ":" + std::to_string(drive.device);
  return label + " on '" + controller.name + "' (" + controller_label(controller) + ")";
}

std::optional<unsigned> virtualbox_slot(ControllerType type, bool q35) {
  switch (type) {
    case ControllerType::ahci: return q35 ? 31 : 13;
    case ControllerType::nvme: return 14;
    case ControllerType::virtio_scsi: return 15;
    case ControllerType::lsilogic:
    case ControllerType::buslogic: return 20;
    case ControllerType::lsilogic_sas: return 22;
    default: return std::nullopt;
  }
}

class StorageMapper {
 public:
  explicit StorageMapper(Mapping &m) : m_(m), buses_(m) {}

  void map() {
    reserve_slots();
    for (const bool exact : {true, false}) {
      for (std::size_t c = 0; c < m_.hardware.controllers.size(); ++c) place_drives(c, exact);
    }
    sort_and_name();
    release_slots();
    for (std::size_t c = 0; c < m_.hardware.controllers.size(); ++c) settle_controller(c);
    add_ide_controller();
  }

 private:
  struct Made {
    DomainDisk disk;
    TargetDisk target;
  };

  [[nodiscard]] std::optional<unsigned> slot_of(std::size_t c) const {
    const Controller &controller = m_.hardware.controllers[c];
    if (controller.pci_slot) return controller.pci_slot;
    if (!m_.from_virtualbox() || controller.index > 0) return std::nullopt;
    return virtualbox_slot(controller.type, m_.hardware.chipset == Chipset::ich9);
  }

  // Slots that the source names go to their own controllers, whatever is placed first.
  void reserve_slots() {
    for (std::size_t c = 0; c < m_.hardware.controllers.size(); ++c) {
      const auto slot = slot_of(c);
      if (slot && *slot < 32) m_.slots.reserve(*slot);
    }
  }

  void release_slots() {
    for (std::size_t c = 0; c < m_.hardware.controllers.size(); ++c) {
      const auto slot = slot_of(c);
      if (slot && *slot < 32) m_.slots.release(*slot);
    }
  }

  void place_drives(std::size_t c, bool exact) {
    const Controller &controller = m_.hardware.controllers[c];
    for (std::size_t d = 0; d < controller.drives.size(); ++d) {
      const BusChoice choice = choose_bus(m_, controller, controller.drives[d].kind, medium_of(c, d) == nullptr);
      if (choice.exact == exact) place_drive(c, d, choice);
    }
    const BusChoice choice = choose_bus(m_, controller, DriveKind::cdrom);
    const bool keep_empty = exact && choice.exact && controller.drives.empty();
    if (keep_empty) buses_.ensure(choice, c, slot_of(c));
  }

  [[nodiscard]] const TargetMedium *medium_of(std::size_t c, std::size_t d) const {
    for (const TargetMedium &medium : m_.input.media) {
      if (medium.controller == c && medium.drive == d) return &medium;
    }
    return nullptr;
  }

  static std::string drive_field(std::size_t c, std::size_t d, std::string_view member = {}) {
    std::string field = field_at(field_at("controllers", c) + ".drives", d);
    if (!member.empty()) field += "." + std::string(member);
    return field;
  }

  // VMware's two IDE channels can come as two controllers.
  [[nodiscard]] unsigned ide_channel(std::size_t c, const Drive &drive) const {
    const Controller &controller = m_.hardware.controllers[c];
    return drive.port + (is_ide(controller.type) ? controller.index : 0);
  }

  void place_drive(std::size_t c, std::size_t d, const BusChoice &choice) {
    const Controller &controller = m_.hardware.controllers[c];
    const Drive &drive = controller.drives[d];
    const TargetMedium *medium = medium_of(c, d);
    if (drive.kind == DriveKind::disk && medium == nullptr) {
      m_.drop(drive_field(c, d), "no image is there for it");
      m_.raise(kDiskLeftOut, drive.origin, drive_label(controller, drive) + " is left out: it has no image.");
      return;
    }
    if (!unknown_or_has(m_.host.disk_buses, choice.bus)) {
      m_.drop(drive_field(c, d), "this host's QEMU has no " + choice.bus + " drives");
      m_.raise(
          kDriveUnsupported, drive.origin,
          drive_label(controller, drive) + " is left out: this host has no drives of the kind '" + choice.bus + "'.");
      return;
    }
    const bool was_ide = is_ide(controller.type);
    const unsigned port = was_ide && choice.bus == "ide" ? ide_channel(c, drive) : drive.port;
    const bool slot_is_ours = choice.exact;
    auto position = buses_.place(choice, c, port, drive.device, slot_is_ours ? slot_of(c) : std::nullopt);
    BusChoice used = choice;
    if (!position) {  // four IDE drives, two floppies
      if (choice.bus == "fdc") {
        m_.drop(drive_field(c, d), "QEMU has two floppy drives at most");
        m_.raise(kDriveUnsupported, drive.origin, drive_label(controller, drive) + " is left out: two is the most.");
        return;
      }
      used = {"sata", {}, false, "all four IDE positions are taken"};
      position = buses_.place(used, c, drive.port, drive.device, std::nullopt);
    }
    Made made;
    made.target = {c, d, {}, position->bus};
    made.disk = describe(c, d, *position, medium, used);
    report_position(c, d, *position, used);
    made_.push_back(std::move(made));
  }

  DomainDisk describe(std::size_t c, std::size_t d, const Buses::Position &position, const TargetMedium *medium,
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
    if (medium != nullptr && drive.connected_at_start) take_medium(disk, *medium);
    // A floppy is writable, so libvirt would count it in, and then refuse every internal snapshot: it is a raw image.
    if (drive.kind == DriveKind::floppy) disk.no_snapshots = true;
    if (drive.kind == DriveKind::disk) {
      disk.discard = "unmap";
      if (controller.host_io_cache == true && !disk.shareable) disk.cache = "writeback";
      disk.solid_state = drive.nonrotational.value_or(false) && has_rotation_rate(disk.bus);
    }
    map_sharing(c, d, disk);
    map_serial(c, d, disk);
    map_model(c, d, disk);
    // Without a name of its own Linux's SAS transport finds no disk [tried].
    if (choice.model == "lsisas1068") disk.wwn = wwn_of(identity_of(c, d));
    return disk;
  }

  [[nodiscard]] bool has_rotation_rate(const std::string &bus) const {
    return (bus == "ide" || bus == "sata" || bus == "scsi") && m_.host_has_libvirt(7, 3);
  }

  static void take_medium(DomainDisk &disk, const TargetMedium &medium) {
    disk.file = medium.file.string();
    disk.format = medium.format.empty() ? "raw" : medium.format;
    disk.backing = medium.backing.string();
    disk.backing_format = medium.backing_format;
    disk.read_only = disk.read_only || medium.read_only;
    disk.shareable = medium.shareable;
    disk.transient = medium.transient;
    disk.no_snapshots = medium.no_snapshots;
  }

  [[nodiscard]] std::string identity_of(std::size_t c, std::size_t d) const {
    const Drive &drive = m_.hardware.controllers[c].drives[d];
    if (drive.serial) return *drive.serial;
    if (drive.medium && !drive.medium->chain.empty() && drive.medium->chain.front().uuid) {
      return drive.medium->chain.front().uuid->text();
    }
    return m_.domain.uuid + "/" + std::to_string(c) + "/" + std::to_string(d);
  }

  void map_sharing(std::size_t c, std::size_t d, DomainDisk &disk) {
    const Controller &controller = m_.hardware.controllers[c];
    const Drive &drive = controller.drives[d];
    const std::string label = drive_label(controller, drive);
    if (disk.shareable && disk.format != "raw") {
      disk.shareable = false;
      m_.raise(kDiskNotShareable, drive.origin,
               label + " was shared between machines; QEMU shares raw images only, so this machine has it alone.");
      m_.drop(drive_field(c, d, "medium.type"), "not shared: QEMU shares raw images only");
    }
    if (disk.shareable) disk.cache = "none";
    // QEMU's ATA disks cannot be read-only; a transient one leaves its image untouched as well.
    const bool ata = disk.bus == "ide" || disk.bus == "sata";
    if (disk.device == "disk" && disk.read_only && ata) {
      disk.read_only = false;
      disk.transient = true;
      m_.raise(kDiskReadOnlyTransient, drive.origin,
               label + " was read-only; the guest can write to it, and the changes go when it stops.");
    } else if (disk.transient) {
      m_.raise(kDiskTransient, drive.origin, label + " forgets its changes when the machine stops.");
    }
  }

  void map_serial(std::size_t c, std::size_t d, DomainDisk &disk) {
    const Drive &drive = m_.hardware.controllers[c].drives[d];
    const std::string field = drive_field(c, d, "serial");
    if (!drive.serial || drive.serial->empty() || disk.bus == "fdc") return;
    if (!is_serial(*drive.serial)) {
      m_.drop(field, "libvirt does not take these characters");
      m_.raise(kDiskSerial, drive.origin,
               "The disk serial '" + *drive.serial + "' has characters that libvirt refuses.");
      return;
    }
    disk.serial = *drive.serial;
    m_.keep(field);
    if (disk.serial.size() > serial_limit(disk.bus)) {
      disk.serial.resize(serial_limit(disk.bus));
      m_.translate(field, "cut to " + disk.serial);
      m_.raise(kDiskSerial, drive.origin, "The disk serial '" + *drive.serial + "' is cut to '" + disk.serial + "'.");
    }
    if (disk.bus == "nvme") move_serial_to_controller(disk);
  }

  // An NVMe serial number is the controller's; libvirt 11.5 writes it there.
  void move_serial_to_controller(DomainDisk &disk) {
    for (DomainController &controller : m_.domain.controllers) {
      if (controller.type == "nvme" && controller.index == disk.drive->controller) controller.serial = disk.serial;
    }
    disk.serial.clear();
  }

  // The model string that the source's drive shows.
  [[nodiscard]] std::string source_model(const Controller &controller, const Drive &drive) const {
    if (drive.model) return *drive.model;
    const bool disk = drive.kind == DriveKind::disk;
    if (m_.hardware.chipset != Chipset::i440bx_vmware) return disk ? "VBOX HARDDISK" : "VBOX CD-ROM";
    const std::string bus = controller.type == ControllerType::ahci ? "SATA" : "IDE";
    return "VMware Virtual " + bus + (disk ? " Hard Drive" : " CDROM Drive");
  }

  // One word on the platform's own strings, which a Linux guest may have in names below /dev/disk/by-id; each string
  // that the user chose is named.
  void report_model(const Controller &controller, const Drive &drive) {
    if (!drive.model) return;
    const bool own = drive.model->starts_with("VBOX ") || drive.model->starts_with("ORCL-VBOX") ||
                     drive.model->starts_with("VMware ");
    if (!own) {
      m_.raise(kDiskModel, drive.origin,
               drive_label(controller, drive) + " showed the model '" + *drive.model + "'; the guest sees QEMU's.");
    } else if (m_.linux_guest() && !model_reported_) {
      model_reported_ = true;
      m_.raise(kDiskModel, drive.origin,
               "The drives showed '" + *drive.model + "' and the like; the guest sees QEMU's.");
    }
  }

  void map_model(std::size_t c, std::size_t d, DomainDisk &disk) {
    const Controller &controller = m_.hardware.controllers[c];
    const Drive &drive = controller.drives[d];
    const std::string field = drive_field(c, d, "model");
    if (disk.bus == "fdc" || disk.bus == "usb" || disk.bus == "virtio" || disk.bus == "nvme") return;
    if (!m_.options.keep_disk_models) {
      m_.drop(field, "the guest sees QEMU's model string; --disk-model keep keeps the source's");
      report_model(controller, drive);
      return;
    }
    if (disk.bus == "scsi") {
      const bool vmware = m_.hardware.chipset == Chipset::i440bx_vmware;
      disk.vendor = vmware ? "VMware" : "VBOX";
      disk.product = drive.kind == DriveKind::disk ? (vmware ? "Virtual disk" : "HARDDISK") : "CD-ROM";
      m_.keep(field);
      return;
    }
    if (!m_.host_has_libvirt(8, 2)) {  // <qemu:override>
      m_.drop(field, "this host's libvirt cannot set it");
      m_.raise(kDiskModel, drive.origin, drive_label(controller, drive) + ": model strings need libvirt 8.2 or newer.");
      return;
    }
    disk.alias = "ua-drive" + std::to_string(c) + "-" + std::to_string(d);
    const std::string model = source_model(controller, drive);
    m_.domain.qemu_overrides.push_back({disk.alias, {{"model", "string", model}}});
    m_.taint("the drive model '" + model + "'");
    m_.keep(field, model);
  }

  // ---- the account ----

  void report_position(std::size_t c, std::size_t d, const Buses::Position &position, const BusChoice &used) {
    const Controller &controller = m_.hardware.controllers[c];
    const Drive &drive = controller.drives[d];
    const std::string field = drive_field(c, d);
    m_.keep(field);
    m_.keep(drive_field(c, d, "port"));
    m_.keep(drive_field(c, d, "device"));
    const std::string bus = position.bus + (used.model.empty() ? "" : " (" + used.model + ")");
    if (!used.exact) {
      m_.translate(drive_field(c, d, "port"), "moved to " + bus);
      const bool system_disk = drive.kind == DriveKind::disk && !m_.options.disk_bus;
      const FindingKind &kind = system_disk ? kControllerReplaced : kDriveMovedBus;
      m_.raise(kind, drive.origin, drive_label(controller, drive) + " moves to " + bus + ": " + used.why + ".",
               system_disk ? way_out(controller, position.bus) : "");
    } else if (position.moved) {
      m_.translate(drive_field(c, d, "port"), "another port: QEMU's controller has fewer");
      m_.raise(kDriveMovedPort, drive.origin,
               drive_label(controller, drive) + " gets another port: QEMU's controller has fewer.");
    }
    settle_drive(c, d);
  }

  // What may happen to this guest on the new bus, and what to do.
  [[nodiscard]] std::string way_out(const Controller &controller, const std::string &bus) const {
    const std::string driver = bus == "ide"    ? "IDE (ata_piix, intelide)"
                               : bus == "sata" ? "AHCI (ahci, storahci or msahci)"
                                               : "53C895A (sym53c8xx, sym, siop)";
    std::string advice;
    switch (m_.machine.guest_os.family) {
      case OsFamily::windows:
        advice = "Windows stops with 0x7B if its " + driver +
                 " driver is not started at boot: before migrating, attach a small disk on such a controller and boot "
                 "once, or boot once into safe mode.";
        break;
      case OsFamily::linux:
        advice = "The initial RAM disk must hold the " + driver +
                 " driver: if it was made for this machine only (dracut hostonly, MODULES=dep), rebuild it before "
                 "migrating, or boot the rescue entry.";
        break;
      case OsFamily::bsd:
        advice = "The kernel must have the " + driver + " driver; disks that fstab names by device may change names.";
        break;
      case OsFamily::solaris:
        advice = "Solaris finds its disks by path: boot its installation medium and rebuild the device tree.";
        break;
      default: advice = "The guest must have the " + driver + " driver before it is migrated."; break;
    }
    advice += " Other choices: --disk-bus sata, ide or scsi";
    advice += controller.type == ControllerType::nvme ? ", or a host with libvirt 11.5 or newer." : ".";
    return advice;
  }

  void settle_drive(std::size_t c, std::size_t d) {
    const Drive &drive = m_.hardware.controllers[c].drives[d];
    const TargetMedium *medium = medium_of(c, d);
    m_.keep(drive_field(c, d, "kind"));
    if (medium != nullptr) {
      m_.translate(drive_field(c, d, "medium"),
                   "image " + medium->file.filename().string() + " (" + medium->format + ")");
    } else if (drive.medium) {
      m_.drop(drive_field(c, d, "medium"), "the drive is empty: its medium was not taken along");
    }
    if (drive.host_device) {
      m_.drop(drive_field(c, d, "host_device"), "devices of the source's host are not passed through");
      m_.raise(kHostDriveDropped, drive.origin,
               drive_label(m_.hardware.controllers[c], drive) + " showed the host's " + *drive.host_device +
                   "; it is empty now.");
    }
    m_.drop(drive_field(c, d, "client_device"), "the drive is empty");
    m_.drop(drive_field(c, d, "passthrough"), "belongs to a drive of the source's host");
    m_.drop(drive_field(c, d, "temporary_eject"), "libvirt keeps a guest's eject until the machine stops");
    m_.translate(drive_field(c, d, "hotpluggable"), "libvirt decides by bus");
    m_.translate(drive_field(c, d, "discard"), "freed blocks are given back to the host");
    m_.keep(drive_field(c, d, "nonrotational"));
    m_.keep(drive_field(c, d, "connected_at_start"), drive.connected_at_start ? "" : "the drive is empty at start");
  }

  void settle_controller(std::size_t c) {
    const Controller &controller = m_.hardware.controllers[c];
    const std::string field = field_at("controllers", c);
    m_.keep(field);
    m_.translate(field + ".name", "libvirt names controllers by type and number");
    m_.keep(field + ".index");
    m_.translate(field + ".ports", "as many as QEMU's controller has");
    m_.keep(field + ".bootable");
    m_.translate(field + ".host_io_cache",
                 controller.host_io_cache == true ? "cache writeback" : "QEMU's default cache");
    const BusChoice choice =
        choose_bus(m_, controller, controller.drives.empty() ? DriveKind::cdrom : controller.drives.front().kind);
    const std::string becomes = choice.bus + (choice.model.empty() ? "" : " " + choice.model);
    if (choice.exact && controller.type != ControllerType::ide_piix4 && controller.type != ControllerType::ide_ich6) {
      m_.keep(field + ".type", becomes);
    } else {
      m_.translate(field + ".type", becomes);
    }
    settle_slot(c, choice, field + ".pci_slot");
  }

  void settle_slot(std::size_t c, const BusChoice &choice, const std::string &field) {
    const auto slot = slot_of(c);
    const bool there =
        slot &&
        std::any_of(m_.domain.controllers.begin(), m_.domain.controllers.end(), [&](const DomainController &made) {
          return made.type == choice.bus && made.address && made.address->slot == *slot;
        });
    if (there) {
      m_.keep(field);
    } else {
      m_.translate(field, "another PCI slot");
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
        disk.target = "hd" + letters(disk.drive->bus * 2 + disk.drive->unit);
      } else if (disk.bus == "fdc") {
        disk.target = "fd" + letters(disk.drive->unit);
      } else if (disk.bus == "virtio") {
        disk.target = "vd" + letters(vd++);
      } else if (disk.bus == "nvme") {
        // libvirt takes the controller from the name.
        disk.target = "nvme" + std::to_string(disk.drive->controller) + "n1";
        disk.drive.reset();
      } else {
        disk.target = "sd" + letters(sd++);
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
  bool model_reported_ = false;
};

}  // namespace

void map_storage(Mapping &m) { StorageMapper(m).map(); }

}  // namespace ferry::libvirt
