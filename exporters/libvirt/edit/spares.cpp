// SPDX-License-Identifier: Apache-2.0
// Spare devices on virtio, so that a guest takes its drivers in use before it needs them.
#include <algorithm>
#include <set>

#include "exporters/libvirt/edit/virtio.hpp"
#include "exporters/libvirt/edit/virtio_parts.hpp"

#include "support/text.hpp"

namespace ferry::libvirt::edit {
namespace {

void collect_slots(const Element &element, std::set<std::uint64_t> &used) {
  if (element.name == "address" && attribute(element, "type") == "pci" && hex_number(attribute(element, "bus")) == 0)
    used.insert(hex_number(attribute(element, "slot")));
  for (const Element &one : element.children) collect_slots(one, used);
}

// Where a spare has the id that a device at `place` has: on the root bus, unless that is where libvirt puts it anyway.
void place_spare(Element &domain, Element &spare, const Element *place) {
  const Element &devices = *domain.child("devices");
  if (place == nullptr || !has_express(devices) || is_port(devices, attribute(*place, "bus"))) return;
  std::set<std::uint64_t> used;
  collect_slots(domain, used);
  constexpr std::uint64_t kFirst = 2, kLast = 0x1C;  // those above belong to the chipset
  for (std::uint64_t slot = kLast; slot >= kFirst; --slot) {
    if (used.contains(slot)) continue;
    Element &address = add_child(spare, "address");
    set(address, "type", "pci");
    set(address, "domain", "0x0000");
    set(address, "bus", "0x00");
    set(address, "slot", "0x" + text::hex(slot, 2));
    set(address, "function", "0x0");
    return;
  }
}

void add_spare_disk(Element &domain, const std::filesystem::path &image, bool scsi, const Element *place) {
  Element &devices = *child(domain, "devices");
  const std::string index = free_index(devices), name = free_name(devices, scsi ? "sd" : "vd");
  if (scsi) {
    Element controller;
    controller.name = "controller";
    set(controller, "type", "scsi");
    set(controller, "index", index);
    set(controller, "model", "virtio-scsi");
    set(add_child(controller, "alias"), "name", std::string(kSpare) + "scsi");
    place_spare(domain, controller, place);
    devices.children.push_back(std::move(controller));
  }
  Element disk;
  disk.name = "disk";
  set(disk, "type", "file");
  set(disk, "device", "disk");
  set(set(add_child(disk, "driver"), "name", "qemu"), "type", "qcow2");
  set(add_child(disk, "source"), "file", image.string());
  set(set(add_child(disk, "target"), "dev", name), "bus", scsi ? "scsi" : "virtio");
  set(add_child(disk, "alias"), "name", std::string(kSpare) + "disk");
  if (scsi) put_on_scsi(disk, index, 0);
  if (!scsi) place_spare(domain, disk, place);
  devices.children.push_back(std::move(disk));
}

void add_spare_card(Element &domain, const Element *place) {
  Element card;
  card.name = "interface";
  set(card, "type", "user");
  set(add_child(card, "model"), "type", "virtio");
  set(add_child(card, "link"), "state", "down");
  set(add_child(card, "alias"), "name", std::string(kSpare) + "net");
  place_spare(domain, card, place);
  child(domain, "devices")->children.push_back(std::move(card));
}

void add_drivers_cd(Element &devices, const std::filesystem::path &image) {
  const bool sata = std::any_of(devices.children.begin(), devices.children.end(), [](const Element &device) {
    return device.name == "controller" && attribute(device, "type") == "sata";
  });
  const std::string name = free_name(devices, sata ? "sd" : "hd");
  Element &disk = add_child(devices, "disk");
  set(disk, "type", "file");
  set(disk, "device", "cdrom");
  set(set(add_child(disk, "driver"), "name", "qemu"), "type", "raw");
  set(add_child(disk, "source"), "file", image.string());
  set(set(add_child(disk, "target"), "dev", name), "bus", sata ? "sata" : "ide");
  add_child(disk, "readonly");
  set(add_child(disk, "alias"), "name", std::string(kSpare) + "cd");
}

// Where the first card, and the controller of the first disk, are.
const Element *place_of_card(const Element &devices) {
  const auto card = std::find_if(devices.children.begin(), devices.children.end(), is_old_card);
  return card == devices.children.end() ? nullptr : card->child("address");
}

// Of the document as it will be.
const Element *place_of_disks(const Element &devices, bool scsi) {
  for (const Element &device : devices.children) {
    if (scsi && device.name == "controller" && attribute(device, "model") == "virtio-scsi")
      return device.child("address");
    if (!scsi && device.name == "disk" && attribute(device, "target", "bus") == "virtio")
      return device.child("address");
  }
  return nullptr;
}

}  // namespace

std::string with_spares(const std::string &domain_xml, const target::VirtioSpares &spares,
                        const target::VirtioChoice &choice) {
  Element domain = parsed_machine(domain_xml);
  Element &devices = child_or_new(domain, "devices");
  const bool scsi = choice.disks == target::VirtioDisks::scsi;
  const Element final_form = parsed_machine(on_virtio(domain_xml, choice));
  if (choice.disks != target::VirtioDisks::keep)
    add_spare_disk(domain, spares.disk, scsi, place_of_disks(*final_form.child("devices"), scsi));
  if (choice.cards != target::VirtioCards::keep) {
    const Element before = devices;
    add_spare_card(domain, place_of_card(before));
  }
  if (spares.cd) add_drivers_cd(devices, *spares.cd);
  if (!has_agent_channel(devices)) {
    Element &channel = add_child(devices, "channel");
    set(channel, "type", "unix");
    set(set(add_child(channel, "target"), "type", "virtio"), "name", kAgent);
  }
  return with_metadata_of(domain_xml, as_text(domain));
}

}  // namespace ferry::libvirt::edit
