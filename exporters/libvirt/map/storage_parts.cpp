// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/map/storage_parts.hpp"

namespace ferry::libvirt {
std::string drive_field(std::size_t c, std::size_t d) {
  return field_at(below<Controller>(field_at("controllers", c), "drives"), d);
}

std::string drive_field(std::size_t c, std::size_t d, FieldOf<Drive> member) {
  return below<Drive>(drive_field(c, d), member);
}

std::string drive_label(const Controller &controller, const Drive &drive) {
  const std::string_view kind = drive.kind == DriveKind::disk    ? "Disk"
                                : drive.kind == DriveKind::cdrom ? "CD drive"
                                                                 : "Floppy drive";
  std::string label = std::string(kind) + " " + std::to_string(drive.port);
  if (is_ide(controller.type)) label += ":" + std::to_string(drive.device);
  return label + " on '" + controller.name + "' (" + controller_label(controller) + ")";
}

std::string drive_letters(std::size_t number) {
  constexpr std::size_t kLetters = 26;
  std::string name;
  for (++number; number > 0; number = (number - 1) / kLetters) {
    name.insert(name.begin(), static_cast<char>('a' + (number - 1) % kLetters));
  }
  return name;
}

const target::Medium *medium_of(const Mapping &m, std::size_t c, std::size_t d) {
  for (const target::Medium &medium : m.input.media) {
    if (medium.controller == c && medium.drive == d) return &medium;
  }
  return nullptr;
}

void map_backing(const Mapping &m, const target::Medium &medium, DomainDisk &disk) {
  if (!medium.reads_source) return;
  disk.error_policy = "stop";
  disk.read_error_policy = "stop";
  if (!medium.backing) return;
  // libvirt 9.0's schema has no <reconnect> for NBD, 11.3's has it [both tried]; it came in 2023.
  constexpr unsigned kReconnect = 60;  // seconds: to start a server again takes about one
  const target::Backing &backing = *medium.backing;
  disk.backing = DomainBacking{.format = backing.format,
                               .file = backing.file.string(),
                               .offset = backing.offset,
                               .length = backing.length,
                               .socket = backing.socket.string(),
                               .name = backing.name,
                               .reconnect = m.host_has_libvirt(10, 0) ? kReconnect : 0};
}

DriveNeeds needs_of(const Mapping &m, std::size_t c, std::size_t d) {
  const target::Medium *medium = medium_of(m, c, d);
  return {.kind = m.hardware.controllers[c].drives[d].kind, .empty = medium == nullptr, .medium = medium};
}

}  // namespace ferry::libvirt
