// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/edit/virtio_parts.hpp"

#include <algorithm>
#include <utility>

#include "support/error.hpp"
#include "support/text.hpp"

namespace ferry::libvirt::edit {

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

std::uint64_t hex_number(const std::string &text) {
  std::uint64_t out = 0;
  for (std::size_t i = text.starts_with("0x") ? 2 : 0; i < text.size(); ++i)
    out = out * 16 + text::hex_digit(text[i]).value_or(0);
  return out;
}

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

std::string free_index(const Element &devices) {
  for (std::size_t index = 0;; ++index) {
    std::string text = std::to_string(index);
    if (std::none_of(devices.children.begin(), devices.children.end(),
                     [&](const Element &device) { return is_controller(device, "scsi", text); }))
      return text;
  }
}

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

}  // namespace ferry::libvirt::edit
