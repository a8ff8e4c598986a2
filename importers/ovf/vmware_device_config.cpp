// SPDX-License-Identifier: Apache-2.0
// vmw:Config and vmw:ExtraConfig of the devices.
#include "importers/ovf/item.hpp"
#include "importers/ovf/vmware_setting.hpp"
#include "importers/vmware/known_keys.hpp"

#include "support/text.hpp"

namespace ferry::ovf {
namespace {

template <class Handle>
void each_config(const Item &item, Handle handle) {
  for (const char *name : {"Config", "ExtraConfig"}) {
    for (const Setting &setting : settings(item.reader(), name)) {
      if (handle(setting)) continue;
      settle_by(extra_config_rule(setting.key()), setting);
      settle_by(vmware::find_device_config_key(setting.key()), setting);
    }
  }
}

}  // namespace

void read_controller_config(Context & /*in*/, const Item &item, Controller &controller, const std::string &field) {
  each_config(item, [&](const Setting &setting) {
    if (setting.key() != "slotInfo.pciSlotNumber" || !slot(setting)) return false;
    controller.pci_slot = slot(setting);
    setting.take(field + ".pci_slot");
    return true;
  });
}

void read_nic_config(Context & /*in*/, const Item &item, Nic &nic, const std::string &field) {
  each_config(item, [&](const Setting &setting) {
    const std::string key = text::lower_ascii(setting.key());
    if (key == "slotinfo.pcislotnumber" && slot(setting)) {
      nic.pci_slot = slot(setting);
      setting.take(field + ".pci_slot");
    } else if (key == "connectable.startconnected") {
      nic.cable_connected = setting.on();
      setting.take(field + ".cable_connected");
    } else if (key == "macaddress" && MacAddress::parse(setting.value())) {
      nic.mac = MacAddress::parse(setting.value());
      setting.take(field + ".mac");
    } else {
      return false;
    }
    return true;
  });
}

void read_display_config(Context & /*in*/, const Item &item, Display &display) {
  each_config(item, [&](const Setting &setting) {
    const std::string key = text::lower_ascii(setting.key());
    const auto number = setting.number();
    if (key == "videoramsizeinkb" && number && *number < (std::uint64_t{1} << 40U)) {
      display.video_memory_bytes = *number * 1024;
      setting.take("hardware.display.video_memory_bytes");
    } else if (key == "enable3dsupport") {
      display.accelerate_3d = setting.on();
      setting.take("hardware.display.accelerate_3d");
    } else if (key == "numdisplays" && number && *number >= 1 && *number <= 64) {
      display.monitors = static_cast<unsigned>(*number);
      setting.take("hardware.display.monitors");
    } else {
      return false;
    }
    return true;
  });
}

void read_usb_config(Context &in, const Item &item, const std::string &field) {
  auto &controllers = in.machine.hardware.usb_controllers;
  each_config(item, [&](const Setting &setting) {
    const std::string key = text::lower_ascii(setting.key());
    if (key == "ehcienabled" && setting.on() && controllers.back().type == UsbController::Type::uhci) {
      UsbController ehci;
      ehci.type = UsbController::Type::ehci;
      ehci.origin = setting.place();
      setting.take("hardware.usb_controllers." + std::to_string(controllers.size()));
      controllers.push_back(std::move(ehci));
    } else if (key == "slotinfo.pcislotnumber" && slot(setting)) {
      controllers.back().pci_slot = slot(setting);
      setting.take(field + ".pci_slot");
    } else {
      return false;
    }
    return true;
  });
}

void settle_device_config(const Item &item) {
  each_config(item, [](const Setting &) { return false; });
}

}  // namespace ferry::ovf
