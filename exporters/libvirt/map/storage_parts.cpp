// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/map/storage_parts.hpp"

namespace ferry::libvirt {
namespace {

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

}  // namespace

std::string drive_field(std::size_t c, std::size_t d, std::string_view member) {
  std::string field = field_at(field_at("controllers", c) + ".drives", d);
  if (!member.empty()) field += "." + std::string(member);
  return field;
}

std::string drive_label(const Controller &controller, const Drive &drive) {
  const std::string_view kind = drive.kind == DriveKind::disk    ? "Disk"
                                : drive.kind == DriveKind::cdrom ? "CD drive"
                                                                 : "Floppy drive";
  std::string label = std::string(kind) + " " + std::to_string(drive.port);
  if (is_ide(controller.type)) label += ":" + std::to_string(drive.device);
  return label + " on '" + controller.name + "' (" + controller_label(controller) + ")";
}

const TargetMedium *medium_of(const Mapping &m, std::size_t c, std::size_t d) {
  for (const TargetMedium &medium : m.input.media) {
    if (medium.controller == c && medium.drive == d) return &medium;
  }
  return nullptr;
}

std::optional<unsigned> source_slot(const Mapping &m, std::size_t c) {
  const Controller &controller = m.hardware.controllers[c];
  if (controller.pci_slot) return controller.pci_slot;
  if (!m.from_virtualbox() || controller.index > 0) return std::nullopt;
  return virtualbox_slot(controller.type, m.hardware.chipset == Chipset::ich9);
}

}  // namespace ferry::libvirt
