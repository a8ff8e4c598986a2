// SPDX-License-Identifier: Apache-2.0
// What became of drives and controllers, setting by setting.
#include <algorithm>
#include <utility>

#include "exporters/libvirt/map/storage_parts.hpp"

namespace ferry::libvirt {
namespace {

// What may happen to this guest on the new bus, and what to do.
std::string way_out(const Mapping &m, const Controller &controller, const std::string &bus) {
  const std::string driver = bus == "ide"    ? "IDE (ata_piix, intelide)"
                             : bus == "sata" ? "AHCI (ahci, storahci or msahci)"
                                             : "53C895A (sym53c8xx, sym, siop)";
  std::string advice;
  switch (m.machine.guest_os.family) {
    case OsFamily::windows:
      advice = "Windows stops with 0x7B if its " + driver +
               " driver is not started at boot: then start the new machine from a Windows installation CD, load the "
               "registry with 'reg load', and set Start of that service to 0.";
      break;
    case OsFamily::linux:
      advice =
          "If the initial RAM disk was built for the old machine only (dracut hostonly, MODULES=dep) and lacks the " +
          driver + " driver, start the rescue entry or a rescue CD, and rebuild it there.";
      break;
    case OsFamily::bsd:
      advice =
          "Make sure that the kernel has the " + driver + " driver; disks that fstab names by device may change names.";
      break;
    case OsFamily::solaris:
      advice = "Boot the installation medium and rebuild the device tree: Solaris finds its disks by path.";
      break;
    default: advice = "Make sure that the guest has the " + driver + " driver."; break;
  }
  advice += " Other choices: --disk-bus sata, ide or scsi";
  advice += controller.type == ControllerType::nvme ? ", or a host with libvirt 11.5 or newer." : ".";
  return advice;
}

void settle_position(Mapping &m, std::size_t c, std::size_t d, const Buses::Position &position, const BusChoice &used) {
  const Controller &controller = m.hardware.controllers[c];
  const Drive &drive = controller.drives[d];
  const std::string field = drive_field(c, d);
  m.keep(field);
  m.keep(drive_field(c, d, "port"));
  m.keep(drive_field(c, d, "device"));
  const std::string bus = position.bus + (used.model.empty() ? "" : " (" + used.model + ")");
  if (!used.exact) {
    m.translate(drive_field(c, d, "port"), "moved to " + bus);
    const target::Medium *medium = medium_of(m, c, d);
    const bool data = medium != nullptr && medium->data_only;
    const bool system_disk = drive.kind == DriveKind::disk && !m.options.disk_bus && !data;
    const FindingKind &kind = system_disk ? kControllerReplaced : kDriveMovedBus;
    m.raise(kind, drive.origin, drive_label(controller, drive) + " moves to " + bus + ": " + used.why + ".",
            system_disk ? way_out(m, controller, position.bus) : "");
  } else if (position.moved) {
    m.translate(drive_field(c, d, "port"), "another port: QEMU's controller has fewer ports");
    m.raise(kDriveMovedPort, drive.origin,
            drive_label(controller, drive) + " gets another port: QEMU's controller has fewer ports.");
  }
}

void settle_settings(Mapping &m, std::size_t c, std::size_t d) {
  const Drive &drive = m.hardware.controllers[c].drives[d];
  const target::Medium *medium = medium_of(m, c, d);
  m.keep(drive_field(c, d, "kind"));
  if (medium != nullptr) {
    m.translate(drive_field(c, d, "medium"), "image " + medium->file.filename().string() + " (" + medium->format + ")");
  } else if (drive.medium) {
    m.drop(drive_field(c, d, "medium"), "the drive is empty: its medium was not carried over");
  }
  if (drive.host_device) {
    m.drop(drive_field(c, d, "host_device"), "devices of the source's host are not passed through");
    m.raise(kHostDriveDropped, drive.origin,
            drive_label(m.hardware.controllers[c], drive) + " showed the host's " + *drive.host_device +
                "; it is empty now.");
  }
  m.drop(drive_field(c, d, "client_device"), "the drive is empty");
  m.drop_if(drive.passthrough, drive_field(c, d, "passthrough"), "belongs to a drive of the source's host");
  m.drop_if(drive.temporary_eject, drive_field(c, d, "temporary_eject"),
            "libvirt keeps a guest's eject until the machine stops");
  m.translate(drive_field(c, d, "hotpluggable"), "libvirt decides by bus");
  m.translate(drive_field(c, d, "discard"), "freed blocks are given back to the host");
  m.keep(drive_field(c, d, "nonrotational"));
  m.keep(drive_field(c, d, "connected_at_start"), drive.connected_at_start ? "" : "the drive is empty at start");
}

void settle_slot(Mapping &m, std::size_t c, const BusChoice &choice, const std::string &field) {
  const auto slot = m.hardware.controllers[c].pci_slot;
  const bool there =
      slot && std::any_of(m.domain.controllers.begin(), m.domain.controllers.end(), [&](const DomainController &made) {
        return made.type == choice.bus && made.address && made.address->slot == *slot;
      });
  if (there) {
    m.keep(field);
  } else {
    m.translate(field, "another PCI slot");
  }
}

}  // namespace

void settle_drive(Mapping &m, std::size_t c, std::size_t d, const Buses::Position &position, const BusChoice &used) {
  settle_position(m, c, d, position, used);
  settle_settings(m, c, d);
}

void settle_controller(Mapping &m, std::size_t c) {
  const Controller &controller = m.hardware.controllers[c];
  const std::string field = field_at("controllers", c);
  m.keep(field);
  m.translate(below<Controller>(field, "name"), "libvirt names controllers by type and number");
  m.keep(below<Controller>(field, "index"));
  m.translate(below<Controller>(field, "ports"), "as many as QEMU's controller has");
  m.keep(below<Controller>(field, "bootable"));
  m.translate(below<Controller>(field, "host_io_cache"),
              controller.host_io_cache == true ? "cache writeback" : "QEMU's default cache");
  DriveNeeds first{.kind = DriveKind::cdrom};
  if (!controller.drives.empty()) first = needs_of(m, c, 0);
  first.empty = false;
  const BusChoice choice = choose_bus(m, controller, first);
  const std::string becomes = choice.bus + (choice.model.empty() ? "" : " " + choice.model);
  if (choice.exact && controller.type != ControllerType::ide_piix4 && controller.type != ControllerType::ide_ich6) {
    m.keep(below<Controller>(field, "type"), becomes);
  } else {
    m.translate(below<Controller>(field, "type"), becomes);
  }
  settle_slot(m, c, choice, below<Controller>(field, "pci_slot"));
}

}  // namespace ferry::libvirt
