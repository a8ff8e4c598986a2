// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/edit/virtio.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "exporters/libvirt/edit/tree.hpp"

#include "support/error.hpp"
#include "support/text.hpp"

namespace ferry::libvirt::edit {
namespace {

// libvirt keeps aliases that begin with "ua-".
constexpr std::string_view kSpare = "ua-ferry-spare-";
constexpr const char *kAgent = "org.qemu.guest_agent.0";

Element parsed_machine(const std::string &domain_xml) { return xml::parse(domain_xml, "libvirt domain"); }

bool is_spare(const Element &device) { return attribute(device, "alias", "name").starts_with(kSpare); }

bool is_hard_disk(const Element &device) {
  const std::string kind = attribute(device, "device");
  return device.name == "disk" && (kind.empty() || kind == "disk") && !is_spare(device);
}

bool is_controller(const Element &device, std::string_view type, std::string_view index) {
  return device.name == "controller" && attribute(device, "type") == type && attribute(device, "index") == index;
}

const Element *controller_of(const Element &devices, const Element &disk) {
  for (const Element &device : devices.children) {
    if (is_controller(device, attribute(disk, "target", "bus"), attribute(disk, "address", "controller")))
      return &device;
  }
  return nullptr;
}

bool is_virtio_scsi(const Element *controller) {
  const std::string model = controller == nullptr ? "" : attribute(*controller, "model");
  return model.starts_with("virtio");
}

// On a controller that virtio is faster than.
bool is_to_move(const Element &devices, const Element &device) {
  if (!is_hard_disk(device)) return false;
  const std::string bus = attribute(device, "target", "bus");
  return bus == "sata" || bus == "ide" || (bus == "scsi" && !is_virtio_scsi(controller_of(devices, device)));
}

bool is_old_card(const Element &device) {
  return device.name == "interface" && !is_spare(device) && attribute(device, "type") != "hostdev" &&
         !attribute(device, "model", "type").starts_with("virtio");
}

bool has_agent_channel(const Element &devices) {
  return std::any_of(devices.children.begin(), devices.children.end(), [](const Element &device) {
    return device.name == "channel" && attribute(device, "target", "name") == kAgent;
  });
}

bool names_windows(const Element &element) {
  const std::string *id = element.attribute("id");
  return (id != nullptr && id->find("microsoft.com/win") != std::string::npos) ||
         std::any_of(element.children.begin(), element.children.end(), names_windows);
}

// What others keep in <metadata>, with the prefixes that they gave it.
std::string with_metadata_of(const std::string &original, std::string text) {
  const auto block = [](const std::string &document) {
    const std::size_t begin = document.find("<metadata>"), end = document.find("</metadata>");
    return std::pair(begin, end == std::string::npos || end < begin ? std::string::npos : end);
  };
  const auto [from, from_end] = block(original);
  const auto [to, to_end] = block(text);
  if (from_end == std::string::npos || to_end == std::string::npos) return text;
  return text.replace(to, to_end - to, original, from, from_end - from);
}

// ---- places ----

std::uint64_t hex_number(const std::string &text) {
  std::uint64_t out = 0;
  for (std::size_t i = text.starts_with("0x") ? 2 : 0; i < text.size(); ++i)
    out = out * 16 + text::hex_digit(text[i]).value_or(0);
  return out;
}

// Virtio devices are modern ones behind a PCI Express port, and transitional ones, of other ids, everywhere else.
bool is_port(const Element &devices, const std::string &bus) {
  return std::any_of(devices.children.begin(), devices.children.end(), [&](const Element &device) {
    const std::string model = attribute(device, "model");
    return is_controller(device, "pci", std::to_string(hex_number(bus))) &&
           (model == "pcie-root-port" || model == "pcie-switch-downstream-port");
  });
}

bool has_express(const Element &devices) {
  return std::any_of(devices.children.begin(), devices.children.end(),
                     [](const Element &device) { return attribute(device, "model") == "pcie-root"; });
}

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

// A part of the chipset, which is there whether it is used or not.
bool is_built_in(const Element &controller) {
  const Element *address = controller.child("address");
  if (address == nullptr || attribute(*address, "type") != "pci") return false;
  const std::uint64_t slot = hex_number(attribute(*address, "slot")),
                      function = hex_number(attribute(*address, "function"));
  return hex_number(attribute(*address, "bus")) == 0 &&
         ((slot == 1 && function == 1) || (slot == 0x1F && function == 2));
}

bool is_used(const Element &devices, const Element &controller) {
  const std::string type = attribute(controller, "type");
  return std::any_of(devices.children.begin(), devices.children.end(), [&](const Element &device) {
    return device.name == "disk" && attribute(device, "target", "bus") == type &&
           attribute(device, "address", "controller") == attribute(controller, "index");
  });
}

// Of the controllers that have lost all their disks the first one's place; those are taken out.
std::optional<Element> take_emptied(Element &devices, const std::vector<Element> &before) {
  const auto is_emptied = [&](const Element &device) {
    const bool had_disks = std::any_of(before.begin(), before.end(), [&](const Element &one) {
      return is_controller(device, attribute(one, "type"), attribute(one, "index"));
    });
    return had_disks && !is_used(devices, device) && !is_built_in(device);
  };
  std::optional<Element> place;
  std::vector<Element> staying;
  for (const Element &device : devices.children) {
    if (!is_emptied(device)) {
      staying.push_back(device);
      continue;
    }
    const Element *address = device.child("address");
    if (!place && address != nullptr && attribute(*address, "type") == "pci") place = *address;
  }
  devices.children = std::move(staying);
  return place;
}

std::string free_index(const Element &devices) {
  for (std::size_t index = 0;; ++index) {
    std::string text = std::to_string(index);
    if (std::none_of(devices.children.begin(), devices.children.end(),
                     [&](const Element &device) { return is_controller(device, "scsi", text); }))
      return text;
  }
}

// "sdc": the first that no disk has.
std::string free_name(const Element &devices, const std::string &prefix) {
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    std::string name = prefix + letter;
    if (std::none_of(devices.children.begin(), devices.children.end(), [&](const Element &device) {
          return device.name == "disk" && attribute(device, "target", "dev") == name;
        }))
      return name;
  }
  throw Error(ErrorKind::unsupported, {.message = "the machine has no name left for another disk",
                                       .found = "26 disks whose names begin with " + prefix});
}

void put_on_scsi(Element &disk, const std::string &index, std::size_t unit) {
  remove_children(disk, "address");
  Element &address = add_child(disk, "address");
  set(address, "type", "drive");
  set(address, "controller", index);
  set(address, "bus", "0");
  set(address, "target", "0");
  set(address, "unit", std::to_string(unit));
}

void move_disks(Element &devices, bool scsi) {
  std::vector<Element> before;
  for (const Element &device : devices.children) {
    const Element *controller = is_to_move(devices, device) ? controller_of(devices, device) : nullptr;
    if (controller != nullptr) before.push_back(*controller);
  }
  std::vector<std::size_t> moving;
  for (std::size_t i = 0; i < devices.children.size(); ++i)
    if (is_to_move(devices, devices.children[i])) moving.push_back(i);
  const std::string prefix = scsi ? "sd" : "vd";
  for (const std::size_t i : moving) {
    Element &disk = devices.children[i];
    Element &target = child_or_new(disk, "target");
    if (!attribute(target, "dev").starts_with(prefix)) set(target, "dev", free_name(devices, prefix));
    set(target, "bus", scsi ? "scsi" : "virtio");
    remove_children(disk, "address");
    set(child_or_new(disk, "driver"), "discard", "unmap");
    // Names of the drive that only other buses give to the guest.
    if (!scsi)
      for (const char *name : {"vendor", "product", "wwn"}) remove_children(disk, name);
  }
  std::vector<std::string> names;
  for (const std::size_t i : moving) names.push_back(attribute(devices.children[i], "target", "dev"));
  const std::optional<Element> slot = take_emptied(devices, before);
  const std::string index = free_index(devices);
  for (std::size_t unit = 0; unit < names.size(); ++unit) {
    for (Element &disk : devices.children) {
      if (disk.name != "disk" || attribute(disk, "target", "dev") != names[unit]) continue;
      if (scsi) put_on_scsi(disk, index, unit);
      if (!scsi && unit == 0 && slot) disk.children.push_back(*slot);
    }
  }
  if (!scsi) return;
  Element &controller = add_child(devices, "controller");
  set(controller, "type", "scsi");
  set(controller, "index", index);
  set(controller, "model", "virtio-scsi");
  if (slot) controller.children.push_back(*slot);
}

void move_cards(Element &devices) {
  for (Element &device : devices.children) {
    if (is_old_card(device)) set(child_or_new(device, "model"), "type", "virtio");
  }
}

void add_comforts(Element &devices) {
  Element *balloon = child(devices, "memballoon");
  if (balloon != nullptr && attribute(*balloon, "model") == "none") set(*balloon, "model", "virtio");
  if (child(devices, "rng") != nullptr) return;
  Element &rng = add_child(devices, "rng");
  set(rng, "model", "virtio");
  Element &backend = add_child(rng, "backend");
  set(backend, "model", "random");
  backend.text = "/dev/urandom";
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

target::VirtioState virtio_state(const std::string &domain_xml) {
  const Element domain = parsed_machine(domain_xml);
  target::VirtioState out;
  out.is_windows = names_windows(domain);
  const Element *devices = domain.child("devices");
  if (devices == nullptr) return out;
  out.has_agent = has_agent_channel(*devices);
  for (const Element &device : devices->children) {
    out.has_spares = out.has_spares || is_spare(device);
    if (is_hard_disk(device)) {
      const std::string bus = attribute(device, "target", "bus");
      const bool on_scsi = bus == "scsi" && is_virtio_scsi(controller_of(*devices, device));
      out.disks.push_back(
          {attribute(device, "target", "dev"), on_scsi ? "virtio-scsi" : bus, on_scsi || bus == "virtio"});
      if (const std::string file = attribute(device, "source", "file"); out.folder.empty() && !file.empty())
        out.folder = std::filesystem::path(file).parent_path();
    }
    if (device.name == "interface" && !is_spare(device)) {
      const std::string model = attribute(device, "model", "type");
      out.cards.push_back({attribute(device, "mac", "address"), model, model.starts_with("virtio")});
    }
  }
  return out;
}

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

std::string on_virtio(const std::string &domain_xml, const target::VirtioChoice &choice) {
  Element domain = parsed_machine(domain_xml);
  Element &devices = child_or_new(domain, "devices");
  std::erase_if(devices.children, is_spare);
  const bool disks = choice.disks != target::VirtioDisks::keep &&
                     std::any_of(devices.children.begin(), devices.children.end(),
                                 [&](const Element &device) { return is_to_move(devices, device); });
  const bool cards = choice.cards != target::VirtioCards::keep &&
                     std::any_of(devices.children.begin(), devices.children.end(), is_old_card);
  if (!disks && !cards)
    throw Error(ErrorKind::unsupported,
                {.message = "there is nothing to switch: disks and cards are on virtio already, "
                            "or on buses that are left alone"});
  if (disks) move_disks(devices, choice.disks == target::VirtioDisks::scsi);
  if (cards) move_cards(devices);
  add_comforts(devices);
  return with_metadata_of(domain_xml, as_text(domain));
}

}  // namespace ferry::libvirt::edit
