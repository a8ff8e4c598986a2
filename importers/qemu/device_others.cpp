// SPDX-License-Identifier: Apache-2.0
// Video, sound, USB, bridges, and what only machines of QEMU have.
#include <algorithm>

#include "importers/qemu/chardev.hpp"
#include "importers/qemu/devices.hpp"

#include "support/text.hpp"

namespace ferry::qemu {

void DeviceReader::make_video(Unit &unit, const Driver &driver) {
  Display &display = c_.hardware().display;
  const bool first = display.adapter == Display::Adapter::none;
  const std::string field =
      first ? "hardware.display" : "hardware.devices." + std::to_string(c_.hardware().devices.size());
  Device device;
  device.kind = Device::Kind::video;
  device.device = driver.name;
  device.origin = place_of(unit);
  if (driver.pci) device.place = pci(unit, field);
  finish_keys(unit, field, device.properties);
  if (!first) {
    c_.hardware().devices.push_back(std::move(device));
    return;
  }
  display.adapter = Display::Adapter::qemu_card;
  display.device = device.device;
  display.place = device.place;
  display.properties = std::move(device.properties);
  display.origin = device.origin;
}

void DeviceReader::make_sound(Unit &unit, DriverClass kind, const Driver &driver) {
  auto &devices = c_.hardware().devices;
  if (kind == DriverClass::codec) {
    // The codec belongs to the card that was made last.
    const std::string codec(driver.libvirt);
    if (unit.option != nullptr) c_.take_rest(*unit.option, "hardware.sound.codec");
    for (auto device = devices.rbegin(); device != devices.rend(); ++device) {
      if (device->kind != Device::Kind::sound) continue;
      device->properties["codec"] = codec;
      return;
    }
    if (c_.hardware().sound) c_.hardware().sound->codec = codec;
    return;
  }
  const bool first = !sound_there_ && kind != DriverClass::usb_sound;
  Device device;
  device.kind = Device::Kind::sound;
  device.device = driver.name;
  device.origin = place_of(unit);
  if (kind == DriverClass::usb_sound) device.usb = usb(unit, {});
  const std::string field = first ? "hardware.sound" : "hardware.devices." + std::to_string(devices.size());
  if (kind != DriverClass::usb_sound && driver.pci) device.place = pci(unit, field);
  if (!first) {
    finish_keys(unit, field, device.properties);
    devices.push_back(std::move(device));
    return;
  }
  drop_keys(unit, field);
  sound_there_ = true;
  Sound sound;
  sound.model = driver.name == "AC97"     ? Sound::Model::ac97
                : driver.name == "ES1370" ? Sound::Model::es1371
                : driver.name == "sb16"   ? Sound::Model::sb16
                                          : Sound::Model::hda;
  sound.device = driver.name;
  sound.place = device.place;
  sound.origin = device.origin;
  c_.hardware().sound = std::move(sound);
}

void DeviceReader::make_usb_adapter(Unit &unit, DriverClass kind) {
  auto &controllers = c_.hardware().usb_controllers;
  const auto index = static_cast<unsigned>(controllers.size());
  const std::string field = "hardware.usb_controllers." + std::to_string(index);
  UsbController controller;
  controller.device = unit.driver;
  controller.origin = place_of(unit);
  controller.type = unit.driver.find("xhci") != std::string::npos   ? UsbController::Type::xhci
                    : unit.driver.find("ehci") != std::string::npos ? UsbController::Type::ehci
                    : unit.driver.find("ohci") != std::string::npos ? UsbController::Type::ohci
                                                                    : UsbController::Type::uhci;
  controller.place = pci(unit, field);
  const std::string id = id_of(unit);
  const std::string master = key(unit, "masterbus");
  if (kind == DriverClass::usb_companion && !master.empty()) {
    c_.text(*unit.option, "masterbus", field + ".companion_of");
    const std::string name = master.substr(0, master.rfind('.'));
    const auto found = usb_by_name_.find(name);
    if (found != usb_by_name_.end()) controller.companion_of = found->second;
    controller.first_port =
        static_cast<unsigned>(c_.number(*unit.option, "firstport", field + ".first_port").value_or(0));
  } else {
    unsigned ports = controller.type == UsbController::Type::ehci   ? 6
                     : controller.type == UsbController::Type::xhci ? 4
                     : controller.type == UsbController::Type::ohci ? 3
                                                                    : 2;
    if (unit.option != nullptr && controller.type == UsbController::Type::xhci) {
      // As many for each speed; the slower ones are what emulated devices take.
      if (const auto given = parse_number(key(unit, "p2")); given && *given > 0 && *given <= 15)
        ports = static_cast<unsigned>(*given);
    }
    usb_.add_bus(id, index, ports);
    usb_by_name_[id.empty() ? "usb-bus" : id] = index;
  }
  drop_keys(unit, field);
  controllers.push_back(std::move(controller));
}

void DeviceReader::make_bridge(Unit &unit, const Driver &driver) {
  auto &bridges = c_.hardware().bridges;
  const std::string field = "hardware.bridges." + std::to_string(bridges.size());
  PciBridge bridge;
  bridge.device = driver.name;
  bridge.name = id_of(unit);
  bridge.origin = place_of(unit);
  bridge.place = pci(unit, field);
  if (unit.option != nullptr) {
    for (const std::string_view name : {"chassis", "chassis_nr"}) {
      if (const auto number = c_.number(*unit.option, name, field + ".chassis"))
        bridge.chassis = static_cast<unsigned>(*number);
    }
    if (const auto port = c_.number(*unit.option, "port", field + ".port")) bridge.port = static_cast<unsigned>(*port);
    c_.settle(*unit.option, "slot", Disposition::dropped, "libvirt numbers the slot");
    c_.settle(*unit.option, "bus_nr", Disposition::dropped, "libvirt numbers the bus");
  }
  drop_keys(unit, field);
  bridges.push_back(bridge);
  pci_.add_bus(bridge.name.empty() ? "pci." + std::to_string(bridges.size()) : bridge.name,
               static_cast<unsigned>(bridges.size()));
}

void DeviceReader::make_device(Unit &unit, DriverClass kind) {
  auto &devices = c_.hardware().devices;
  Device device;
  device.device = unit.driver;
  device.origin = place_of(unit);
  bool on_usb = false, on_pci = true;
  switch (kind) {
    case DriverClass::usb_input:
      device.kind = Device::Kind::input;
      on_usb = true;
      break;
    case DriverClass::virtio_input: device.kind = Device::Kind::input; break;
    case DriverClass::usb_host:
      device.kind = Device::Kind::host_usb;
      on_usb = true;
      break;
    case DriverClass::usb_redirection:
      device.kind = Device::Kind::redirection;
      on_usb = true;
      break;
    case DriverClass::usb_hub:
      device.kind = Device::Kind::hub;
      on_usb = true;
      break;
    case DriverClass::smartcard:
      device.kind = Device::Kind::smartcard;
      on_usb = true;
      break;
    case DriverClass::serial_bus: device.kind = Device::Kind::serial_bus; break;
    case DriverClass::balloon: device.kind = Device::Kind::balloon; break;
    case DriverClass::random: device.kind = Device::Kind::random; break;
    case DriverClass::watchdog:
      device.kind = Device::Kind::watchdog;
      on_pci = unit.driver != "ib700";
      break;
    case DriverClass::file_system: device.kind = Device::Kind::file_system; break;
    case DriverClass::iommu:
      device.kind = Device::Kind::iommu;
      on_pci = false;
      break;
    default: device.kind = Device::Kind::host_pci; break;
  }
  // A hub that the place needs is a device of its own, and comes before.
  if (on_usb) device.usb = usb(unit, {});
  const std::string field = "hardware.devices." + std::to_string(devices.size());
  if (!on_usb && on_pci) device.place = pci(unit, field);
  if (unit.option != nullptr) {
    Option &option = *unit.option;
    if (option.name == "usbdevice" && kind == DriverClass::usb_host) {
      // host:BUS.ADDR or host:VENDOR:PRODUCT
      const std::string what =
          option.argument.substr(std::min(std::string_view("host:").size(), option.argument.size()));
      const std::size_t colon = what.find(':'), dot = what.find('.');
      if (colon != std::string::npos) {
        device.properties = {{"vendorid", "0x" + what.substr(0, colon)}, {"productid", "0x" + what.substr(colon + 1)}};
      } else if (dot != std::string::npos) {
        device.properties = {{"hostbus", what.substr(0, dot)}, {"hostaddr", what.substr(dot + 1)}};
      }
      c_.take_rest(option, field);
    } else if (option.name != "device" && option.name != "virtfs") {
      c_.take_rest(option, field);
    }
    if (kind == DriverClass::file_system) {
      Option *folder = &option;
      const std::string id = key(unit, "fsdev");
      for (Option *one : c_.all("fsdev")) {
        if (Context::peek(*one, "id") == id && option.name == "device") folder = one;
      }
      const auto take = [&](std::string_view name, const char *into) {
        if (const auto value = c_.text(*folder, name, field + ".properties")) device.properties[into] = *value;
      };
      take("path", "path");
      if (const auto path = device.properties.find("path"); path != device.properties.end() && !path->second.empty())
        path->second = c_.locate(path->second, folder->where).path.string();
      take("security_model", "access");
      take("security-model", "access");
      take("readonly", "readonly");
      if (const auto tag = c_.text(option, "mount_tag", field + ".properties")) device.properties["tag"] = *tag;
      c_.settle(option, "fsdev", Disposition::irrelevant, "a name inside the command");
      c_.text(*folder, "fsdriver", field);
      c_.settle_rest(*folder, Disposition::irrelevant, "how QEMU reads the folder");
    }
    if (kind == DriverClass::random) {
      const std::string id = key(unit, "rng");
      c_.settle(option, "rng", Disposition::irrelevant, "a name inside the command");
      for (Option *one : c_.all("object")) {
        if (Context::peek(*one, "id") != id || id.empty()) continue;
        if (const auto file = c_.text(*one, "filename", field + ".properties")) device.properties["file"] = *file;
        c_.take_rest(*one, field);
      }
    }
    for (const std::string_view name : {"chardev"}) {
      const std::string id = key(unit, name);
      for (Option *one : c_.all("chardev")) {
        if (Context::peek(*one, "id") == id && !id.empty()) c_.take_rest(*one, field);
      }
      if (!id.empty()) c_.text(option, name, field);
    }
    finish_keys(unit, field, device.properties);
    device.properties.erase("");
  }
  if (kind == DriverClass::watchdog) {
    for (Option *option : c_.all("watchdog-action")) {
      if (const auto action = c_.text(*option, "", field + ".properties")) device.properties["action"] = *action;
    }
  }
  if (device.kind == Device::Kind::host_pci || device.kind == Device::Kind::host_usb) {
    const auto at = device.properties.find("host");
    c_.raise(kHostDevice, device.origin,
             "The machine takes the host's device " +
                 text::printable(at == device.properties.end() ? unit.driver : at->second) + ".");
  }
  devices.push_back(std::move(device));
}

void DeviceReader::make_channel(Unit &unit) {
  auto &devices = c_.hardware().devices;
  const std::string field = "hardware.devices." + std::to_string(devices.size());
  Device device;
  device.kind = Device::Kind::channel;
  device.device = unit.driver;
  device.origin = place_of(unit);
  if (const auto name = c_.text(*unit.option, "name", field + ".properties")) device.properties["name"] = *name;
  const std::string id = c_.text(*unit.option, "chardev", field + ".properties").value_or("");
  for (Option *option : c_.all("chardev")) {
    if (Context::peek(*option, "id") != id || id.empty()) continue;
    device.properties["backend"] = c_.text(*option, "backend", field + ".properties").value_or("");
    c_.settle_rest(*option, Disposition::dropped, "libvirt makes the channel's other end");
  }
  c_.settle(*unit.option, "nr", Disposition::irrelevant, "channels keep their order");
  finish_keys(unit, field, device.properties);
  devices.push_back(std::move(device));
}

// The key is kept for the exporter alone.
void DeviceReader::make_apple_smc(Unit &unit) {
  Option &option = *unit.option;
  c_.machine().extra["smc.key"] = c_.text(option, "osk", "extra.smc.key").value_or("");
  c_.text(option, "driver", "extra.smc.key");
  c_.settle_rest(option, Disposition::irrelevant, "a name inside the command");
  c_.machine().guest_os.family = OsFamily::macos;
  c_.machine().guest_os.label = "macOS";
  c_.machine().guest_os.is_64bit = true;
  c_.raise(kApplesmc, option.where, "The machine has Apple's SMC: its guest is macOS.");
}

// What tells a guest that it runs from a copy; "auto" is another one at each start.
void DeviceReader::make_generation_id(Unit &unit) {
  Option &option = *unit.option;
  const std::string guid = c_.text(option, "guid", "extra.generation.id").value_or("auto");
  c_.text(option, "driver", "extra.generation.id");
  c_.settle_rest(option, Disposition::irrelevant, "a name inside the command");
  const auto id = Uuid::parse(guid);
  if (!id && guid != "auto") {
    c_.raise(kDropped, option.where, "The generation ID '" + text::printable(guid) + "' is left out: it is no UUID.");
    return;
  }
  c_.machine().extra["generation.id"] = id ? id->text() : guid;
}

void DeviceReader::make_port(Unit &unit, bool serial) {
  auto &ports = serial ? c_.hardware().serial_ports : c_.hardware().parallel_ports;
  const std::string field =
      (serial ? "hardware.serial_ports." : "hardware.parallel_ports.") + std::to_string(ports.size());
  CharPort port;
  port.slot = static_cast<unsigned>(ports.size());
  port.origin = place_of(unit);
  Option &option = *unit.option;
  c_.text(option, "driver", field);
  const std::string id = c_.text(option, "chardev", field + ".backend").value_or("");
  for (Option *chardev : c_.all("chardev")) {
    if (Context::peek(*chardev, "id") == id && !id.empty()) fill_port(c_, *chardev, port, field);
  }
  if (const auto index = c_.number(option, "index", field + ".slot")) port.slot = static_cast<unsigned>(*index);
  if (const auto base = c_.number(option, "iobase", field + ".io_base")) port.io_base = static_cast<unsigned>(*base);
  if (const auto irq = c_.number(option, "irq", field + ".irq")) port.irq = static_cast<unsigned>(*irq);
  c_.settle_rest(option, Disposition::irrelevant, "a name inside the command");
  ports.push_back(std::move(port));
}

}  // namespace ferry::qemu
