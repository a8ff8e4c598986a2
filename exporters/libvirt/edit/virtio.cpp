// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/edit/virtio.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "exporters/libvirt/edit/guest_system.hpp"
#include "exporters/libvirt/edit/virtio_parts.hpp"

#include "support/error.hpp"

namespace ferry::libvirt::edit {
namespace {

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

// What every KVM can of Hyper-V, and Windows is faster with.
void add_enlightenments(Element &domain) {
  Element &features = child_or_new(domain, "features");
  if (child(features, "hyperv") != nullptr) return;
  Element &hyperv = add_child(features, "hyperv");
  set(hyperv, "mode", "custom");
  for (const char *name : {"relaxed", "vapic", "spinlocks"}) set(add_child(hyperv, name), "state", "on");
  set(*child(hyperv, "spinlocks"), "retries", "8191");
  Element *clock = child(domain, "clock");
  if (clock == nullptr) return;
  for (const Element &timer : clock->children)
    if (attribute(timer, "name") == "hypervclock") return;
  set(set(add_child(*clock, "timer"), "name", "hypervclock"), "present", "yes");
}

// In place of the model that QEMU's emulation has. One that somebody chose stays.
void use_host_processor(Element &domain) {
  static const std::set<std::string_view> kEmulated = {"", "qemu32", "qemu64", "kvm32", "kvm64"};
  Element &cpu = child_or_new(domain, "cpu");
  const std::string mode = attribute(cpu, "mode");
  const Element *model = cpu.child("model");
  if ((!mode.empty() && mode != "custom") || !kEmulated.contains(model == nullptr ? "" : model->text)) return;
  remove_children(cpu, "model");
  remove_children(cpu, "vendor");
  remove_attribute(cpu, "match");
  set(set(cpu, "mode", "host-passthrough"), "check", "none");
}

void add_what_kvm_has(Element &domain) {
  if (attribute(domain, "type") != "kvm") return;
  if (names_windows(domain)) add_enlightenments(domain);
  use_host_processor(domain);
}

// Whether a virtio device at that place is a modern one. Where a board with PCI Express leaves it to libvirt, it gets a
// port of its own.
bool is_modern(const Element &devices, const Element *place) {
  if (place == nullptr || attribute(*place, "type") != "pci") return has_express(devices);
  return is_port(devices, attribute(*place, "bus"));
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
      out.disks.push_back({attribute(device, "target", "dev"), on_scsi ? "virtio-scsi" : bus,
                           on_scsi || bus == "virtio", is_to_move(*devices, device)});
      if (const std::string file = attribute(device, "source", "file"); out.folder.empty() && !file.empty())
        out.folder = std::filesystem::path(file).parent_path();
    }
    if (device.name == "interface" && !is_spare(device)) {
      const std::string model = attribute(device, "model", "type");
      out.cards.push_back(
          {attribute(device, "mac", "address"), model, model.starts_with("virtio"), is_old_card(device)});
    }
  }
  return out;
}

// Virtio specification 1.2, 4.1.2: modern ids are 0x1040 + the device's type; the older ones are listed there.
target::VirtioIds virtio_ids(const std::string &domain_xml) {
  const Element domain = parsed_machine(domain_xml);
  target::VirtioIds out;
  const Element *devices = domain.child("devices");
  if (devices == nullptr) return out;
  const auto id = [&](const Element &device, const char *modern, const char *transitional) {
    return std::string("1af4:") + (is_modern(*devices, device.child("address")) ? modern : transitional);
  };
  for (const Element &device : devices->children) {
    if (is_spare(device)) continue;
    if (device.name == "controller" && attribute(device, "type") == "scsi" && is_virtio_scsi(&device))
      out.disks.insert(id(device, "1048", "1004"));
    if (device.name == "disk" && attribute(device, "target", "bus") == "virtio")
      out.disks.insert(id(device, "1042", "1001"));
    if (device.name == "interface" && attribute(device, "model", "type").starts_with("virtio"))
      out.cards.insert(id(device, "1041", "1000"));
  }
  return out;
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
  add_what_kvm_has(domain);
  return with_metadata_of(domain_xml, as_text(domain));
}

}  // namespace ferry::libvirt::edit
