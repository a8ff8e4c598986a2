// SPDX-License-Identifier: Apache-2.0
// The mapping's spine, and snapshot metadata.
#include "exporters/libvirt/export.hpp"

#include <utility>

#include "exporters/libvirt/map/mapping.hpp"
#include "exporters/libvirt/map/qemu_parts.hpp"
#include "exporters/libvirt/xml/domain_xml.hpp"

#include "support/xml.hpp"

namespace ferry::libvirt {
namespace {

// A machine of another platform: its devices become the nearest that QEMU has, and keep their slots where they can.
void translate(Mapping &m) {
  map_board(m);
  map_identity(m);
  map_uuid(m);
  map_smbios(m);
  map_memory(m);
  map_large_pages(m);
  map_cpu(m);
  map_macos(m);
  map_firmware(m);
  map_clock(m);
  // The guest knows its devices by slot, so those with a slot of the source's come before those without.
  m.slots.reserve(kVideoSlot);
  if (m.hardware.sound && m.hardware.sound->pci_slot) m.slots.reserve(*m.hardware.sound->pci_slot);
  reserve_usb_slots(m);
  map_nics(m);
  map_storage(m);
  map_display(m);
  map_sound(m);
  map_usb_input(m);
}

// A machine that QEMU's own names describe.
void take(Mapping &m) {
  map_qemu_board(m);
  map_identity(m);
  map_uuid(m);
  map_smbios(m);
  map_memory(m);
  map_qemu_large_pages(m);
  map_qemu_cpu(m);
  map_macos(m);
  map_firmware(m);
  map_qemu_clock(m);
  map_nics(m);
  map_qemu_storage(m);
  map_qemu_display(m);
  map_qemu_devices(m);
}

}  // namespace

target::Result export_domain(const ExportInput &input) {
  if (input.machine == nullptr || input.host == nullptr) {
    throw Error(ErrorKind::internal, {.message = "export_domain needs a machine and a host profile"});
  }
  Mapping m(input);
  map_emulator(m);
  if (m.hardware.described_by_qemu()) {
    take(m);
  } else {
    translate(m);
  }
  map_generation_id(m);
  map_char_ports(m);
  map_tpm(m);
  map_folders(m);
  map_boot_order(m);
  place_channels(m);
  map_nvme_arguments(m);
  m.result.has_tpm = m.domain.tpm.has_value();
  m.result.document = domain_xml(m.domain);
  m.result.board = m.domain.os.machine;
  return std::move(m.result);
}

std::string snapshot_xml(const target::SnapshotRequest &input) {
  xml::Document document("domainsnapshot");
  xml::Node root = document.root();
  root.child("name", input.name);
  // GNOME Boxes shows the description and not the name.
  root.child("description", input.description.empty() ? input.name : input.description);
  root.child("state", "shutoff");
  if (!input.parent.empty()) root.child("parent").child("name", input.parent);
  root.child("creationTime", std::to_string(input.created));
  root.child("memory").set("snapshot", "no");
  xml::Node disks = root.child("disks");
  for (const std::string &target : input.disk_targets) {
    disks.child("disk").set("name", target).set("snapshot", "internal");
  }
  for (const std::string &target : input.other_targets) {
    disks.child("disk").set("name", target).set("snapshot", "no");
  }
  root.import(input.machine_document);
  return document.text();
}

}  // namespace ferry::libvirt
