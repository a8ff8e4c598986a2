// SPDX-License-Identifier: Apache-2.0
// The machine's name and description, and what it boots.
#include <string>
#include <utility>

#include "importers/ovf/context.hpp"

#include "support/text.hpp"

namespace ferry::ovf {
namespace {

// Names that exporters give when they have none.
bool says_nothing(const std::string &name) { return name.empty() || name == "vm" || name == "VM"; }

void read_name(Context &in) {
  const SettingsReader &system = in.system();
  const auto name = system.child("Name");
  const auto id = system.text("id", "name");
  std::string chosen = name ? name->content("name").value_or("") : "";
  if (chosen.empty()) chosen = id.value_or("");
  if (says_nothing(chosen)) {
    for (const Section &section : sections(system)) {
      if (section.name != "VirtualHardwareSection") continue;
      const auto setting = section.reader.child("System");
      if (setting) chosen = peek(*setting, "VirtualSystemIdentifier").value_or(chosen);
    }
  }
  if (says_nothing(chosen)) chosen = in.package.file().stem().string();
  in.machine.name = chosen;
}

void read_annotation(Context &in, const Section &section) {
  const auto annotation = section.reader.child("Annotation");
  if (!annotation || !in.machine.description.empty()) return;
  in.machine.description = annotation->content("description").value_or("");
}

// vmw:BootOrderSection: a kind, or the InstanceID of a device, one section for each step.
void read_boot_order(Context &in, const Section &section) {
  const std::string type = text::lower_ascii(section.reader.text("type", "hardware.boot_order").value_or(""));
  const auto instance = section.reader.text("instanceId", "hardware.boot_order");
  BootDevice device;
  if (type == "disk" || type == "hdd") {
    device.kind = BootDevice::Kind::disk;
  } else if (type == "cdrom" || type == "cd") {
    device.kind = BootDevice::Kind::cdrom;
  } else if (type == "net" || type == "network" || type == "ethernet") {
    device.kind = BootDevice::Kind::network;
  } else if (type == "floppy") {
    device.kind = BootDevice::Kind::floppy;
  } else {
    section.reader.settle("type", Disposition::dropped, "an unknown kind of boot device");
    return;
  }
  // Which device that is, is known when the devices are read.
  if (instance) in.boot_instances[in.machine.hardware.boot_order.size()] = std::string(text::trim(*instance));
  in.machine.hardware.boot_order.push_back(std::move(device));
}

// CIM_BootSourceSetting.StructuredBootString: "CIM:Hard-Disk:1".
void read_boot_sources(Context &in, const SettingsReader &element) {
  for (const SettingsReader &child : element.children()) {
    if (child.element().name != "StructuredBootString") {
      read_boot_sources(in, child);
      continue;
    }
    const std::string text = text::lower_ascii(child.content("hardware.boot_order").value_or(""));
    BootDevice device;
    if (text.find("hard-disk") != std::string::npos) {
      device.kind = BootDevice::Kind::disk;
    } else if (text.find("cd/dvd") != std::string::npos) {
      device.kind = BootDevice::Kind::cdrom;
    } else if (text.find("network") != std::string::npos || text.find("iscsi") != std::string::npos) {
      device.kind = BootDevice::Kind::network;
    } else if (text.find("floppy") != std::string::npos) {
      device.kind = BootDevice::Kind::floppy;
    } else if (text.find("usb") != std::string::npos) {
      device.kind = BootDevice::Kind::usb;
    } else {
      child.settle("", Disposition::dropped, "not a kind of boot device that a virtual machine has");
      continue;
    }
    in.machine.hardware.boot_order.push_back(std::move(device));
  }
}

}  // namespace

void read_identity(Context &in) {
  read_name(in);
  for (const Section &section : sections(in.system())) {
    if (section.name == "OperatingSystemSection") read_guest_os(in, section.reader);
    if (section.name == "AnnotationSection") read_annotation(in, section);
    if (section.name == "BootOrderSection") read_boot_order(in, section);
    if (section.name == "BootDeviceSection" && in.machine.hardware.boot_order.empty()) {
      read_boot_sources(in, section.reader);
    }
  }
}

}  // namespace ferry::ovf
