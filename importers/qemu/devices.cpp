// SPDX-License-Identifier: Apache-2.0
// Which devices there are, in QEMU's order of creation: the board's own; video; cards of -net, -nic and the default
// one; -audio and -soundhw; -usbdevice; -device as they stand, with -virtfs, -watchdog and -balloon in their places;
// drives of if=virtio; -device in JSON last. Tried on QEMU 7.2.
#include "importers/qemu/devices.hpp"

#include <algorithm>
#include <array>

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

// The device that -vga names.
std::string video_device(std::string_view name) {
  if (name == "std") return "VGA";
  if (name == "cirrus") return "cirrus-vga";
  if (name == "vmware") return "vmware-svga";
  if (name == "qxl") return "qxl-vga";
  if (name == "virtio") return "virtio-vga";
  return {};
}

// A -device of these takes the place of the board's own video card.
bool replaces_video(std::string_view driver) {
  constexpr std::array<std::string_view, 8> kCards = {"VGA",        "cirrus-vga", "vmware-svga",   "qxl-vga",
                                                      "virtio-vga", "ati-vga",    "virtio-vga-gl", "vhost-user-vga"};
  return std::find(kCards.begin(), kCards.end(), driver) != kCards.end();
}

std::string canonical(const std::string &driver) {
  const Driver *known = find_driver(driver);
  return known == nullptr ? driver : std::string(known->name);
}

}  // namespace

DeviceReader::DeviceReader(Context &c) : c_(c), blocks_(read_blocks(c)), pci_(c.type.q35, c.hardware().firmware.acpi) {
  if (c.has("readconfig")) pci_.forgive_unknown_buses();
}

std::string DeviceReader::key(const Unit &unit, std::string_view name) const {
  return unit.option == nullptr ? std::string{} : Context::peek(*unit.option, name);
}

Place DeviceReader::place_of(const Unit &unit) const {
  if (unit.option != nullptr) return unit.option->where;
  if (unit.block != nullptr && unit.block->option != nullptr) return unit.block->option->where;
  return c_.launch.where;
}

void DeviceReader::read() {
  add_usb_controllers();
  plan();
  add_board_drives();
  for (Unit &unit : units_) make(unit);
  finish_blocks();
  keep_backends();
}

// -usb: the board's own controllers, which have fixed places.
void DeviceReader::add_usb_controllers() {
  Option *cause = c_.last("usb");
  for (Option *option : c_.all("usb")) c_.take(*option, "hardware.usb_controllers");
  if (cause == nullptr) cause = c_.last("usbdevice");
  for (Option *option : c_.all("machine")) {
    if (Context::find(*option, "usb") == nullptr) continue;
    if (c_.flag(*option, "usb", "hardware.usb_controllers").value_or(false)) cause = option;
  }
  if (cause == nullptr) return;
  auto &controllers = c_.hardware().usb_controllers;
  const auto add = [&](UsbController::Type type, std::string device, PciPlace place) {
    UsbController controller;
    controller.type = type;
    controller.device = std::move(device);
    controller.place = place;
    controller.origin = cause->where;
    pci_.reserve(place.slot, place.function);
    controllers.push_back(std::move(controller));
  };
  if (!c_.type.q35) {
    add(UsbController::Type::uhci, "piix3-usb-uhci", {.slot = 1, .function = 2});
    usb_.add_bus({}, 0, 2);
    return;
  }
  add(UsbController::Type::ehci, "ich9-usb-ehci1", {.slot = 0x1d, .function = 7, .multifunction = true});
  for (unsigned i = 0; i < 3; ++i) {
    add(UsbController::Type::uhci, "ich9-usb-uhci" + std::to_string(i + 1),
        {.slot = 0x1d, .function = i, .multifunction = true});
    controllers.back().companion_of = 0;
    controllers.back().first_port = i * 2;
  }
  usb_.add_bus({}, 0, 6);
}

void DeviceReader::plan() {
  plan_defaults();
  plan_nics();
  for (Option &option : c_.options) {
    if (option.known && (option.name == "soundhw" || option.name == "audio" || option.name == "usbdevice"))
      plan_option(option);
  }
  for (Option &option : c_.options) {
    if (!option.known || option.json) continue;
    if (option.name == "device" || option.name == "virtfs" || option.name == "watchdog" || option.name == "balloon")
      plan_option(option);
  }
  for (Block &block : blocks_) {
    if (block.interface == "virtio") units_.push_back({.driver = "virtio-blk-pci", .block = &block});
  }
  for (Option &option : c_.options) {
    if (option.known && option.json && option.name == "device") plan_option(option);
  }
}

void DeviceReader::plan_defaults() {
  const bool none = c_.has("nodefaults");
  for (Option *option : c_.all("nodefaults")) c_.settle(*option, Disposition::irrelevant, "nothing is added");
  std::string video = none ? "none" : "";
  Option *cause = nullptr;
  for (Option *option : c_.all("std-vga")) {
    c_.take(*option, "hardware.display");
    video = "std";
  }
  for (Option *option : c_.all("vga")) {
    video = c_.text(*option, "", "hardware.display").value_or("");
    cause = option;
  }
  for (Option *option : c_.all("device")) {
    if (replaces_video(canonical(Context::peek(*option, "driver"))) && cause == nullptr) video = "none";
  }
  c_.hardware().display.adapter = Display::Adapter::none;
  if (video.empty()) {  // cirrus up to pc-i440fx-2.1
    video = !c_.type.q35 && c_.type.before(2, 2) ? "cirrus" : "std";
    c_.added.emplace_back(video == "std" ? "a standard VGA card" : "a Cirrus VGA card");
  }
  // Short forms are taken, as QEMU takes them: "-vga virt".
  std::string device;
  for (const std::string_view name : {"std", "cirrus", "vmware", "qxl", "virtio"}) {
    if (!video.empty() && name.starts_with(video)) device = video_device(name);
  }
  if (!device.empty()) {
    units_.push_back({.driver = device});
  } else if (video != "none" && cause != nullptr) {
    c_.raise(kDropped, cause->where, "There is no video card '" + text::printable(video) + "'; the machine has none.");
  }
}

void DeviceReader::plan_option(Option &option) {
  if (option.name == "device") {
    units_.push_back({.driver = canonical(Context::peek(option, "driver")), .option = &option});
    return;
  }
  if (option.name == "virtfs") {
    units_.push_back({.driver = "virtio-9p-pci", .option = &option});
    return;
  }
  if (option.name == "watchdog") {
    units_.push_back({.driver = canonical(option.argument), .option = &option});
    return;
  }
  if (option.name == "balloon") {
    if (Context::peek(option, "type") == "none") return c_.settle(option, Disposition::irrelevant, "none");
    units_.push_back({.driver = "virtio-balloon-pci", .option = &option});
    return;
  }
  if (option.name == "soundhw" || option.name == "audio") {
    const std::string models = option.name == "audio" ? Context::peek(option, "model") : option.argument;
    const std::string field = "hardware.sound";
    if (option.name == "audio") c_.settle(option, "driver", Disposition::irrelevant, "where the host plays the sound");
    c_.take_rest(option, field);
    for (std::size_t at = 0; at < models.size();) {
      const std::size_t end = std::min(models.find(',', at), models.size());
      const std::string model = models.substr(at, end - at);
      at = end + 1;
      if (model == "hda") {
        units_.push_back({.driver = "intel-hda"});
        units_.push_back({.driver = "hda-duplex"});
      } else if (model == "all") {
        for (const char *one : {"ES1370", "AC97"}) units_.push_back({.driver = one});
      } else if (const Driver *known = find_driver(model); known != nullptr) {
        units_.push_back({.driver = std::string(known->name)});
      } else if (model != "none" && !model.empty()) {
        c_.raise(kDropped, option.where, "The sound card '" + text::printable(model) + "' is left out.");
      }
    }
    return;
  }
  // -usbdevice
  const std::string what = option.argument.substr(0, option.argument.find(':'));
  std::string driver = what == "tablet" || what == "mouse" ? "usb-" + what : what == "keyboard" ? "usb-kbd" : "";
  if (what == "host") driver = "usb-host";
  if (what == "disk") driver = "usb-storage";
  if (what == "net") driver = "usb-net";
  if (driver.empty()) {
    c_.settle(option, Disposition::dropped, "QEMU has no such USB device any more");
    c_.raise(kDropped, option.where, "The USB device '" + text::printable(option.argument) + "' is left out.");
    return;
  }
  units_.push_back({.driver = driver, .option = &option});
}

PciPlace DeviceReader::pci(Unit &unit, const std::string &field) {
  std::string bus = key(unit, "bus"), address = key(unit, "addr");
  bool multifunction = parse_bool(key(unit, "multifunction")).value_or(false);
  if (unit.block != nullptr && unit.option == nullptr) address = unit.block->address;
  if (unit.option != nullptr && (unit.option->name == "device" || unit.card_of_backend)) {
    for (const std::string_view name : {"bus", "addr", "multifunction"}) c_.text(*unit.option, name, field + ".place");
  }
  return pci_.take(bus, address, multifunction, place_of(unit));
}

UsbPlace DeviceReader::usb(Unit &unit, const std::string &field) {
  const bool hub = unit.driver == "usb-hub";
  UsbBuses::Taken taken = usb_.take(key(unit, "bus"), key(unit, "port"), hub, place_of(unit));
  for (const UsbPlace &place : taken.hubs) {
    Device device;
    device.kind = Device::Kind::hub;
    device.device = "usb-hub";
    device.usb = place;
    device.origin = place_of(unit);
    c_.hardware().devices.push_back(std::move(device));
    c_.added.emplace_back("a USB hub in port " + place.port);
  }
  if (unit.option != nullptr && unit.option->name == "device") {
    const std::string named =
        field.empty() ? "hardware.devices." + std::to_string(c_.hardware().devices.size()) : field;
    for (const std::string_view name : {"bus", "port"}) c_.text(*unit.option, name, named + ".usb");
  }
  return taken.place;
}

// Keys that are left: names inside the command, and properties that the exporter hands on.
void DeviceReader::finish_keys(Unit &unit, const std::string &field, std::map<std::string, std::string> &properties) {
  if (unit.option == nullptr) return;
  Option &option = *unit.option;
  for (Key &one : option.keys) {
    if (one.taken) continue;
    const std::string name = one.name;
    if (name == "driver" || (option.name != "device" && name.empty())) {
      c_.text(option, name, field);
    } else if (name == "id" || name == "audiodev") {
      c_.settle(option, name, Disposition::irrelevant, "a name inside the command");
    } else if (name == "bus" || name == "addr" || name == "port") {
      c_.settle(option, name, Disposition::irrelevant, "the device has no place of its own");
    } else {
      properties[name] = c_.text(option, name, field + ".properties").value_or("");
    }
  }
}

// The same, where the model has no room for properties.
void DeviceReader::drop_keys(Unit &unit, const std::string &field) {
  if (unit.option == nullptr) return;
  c_.text(*unit.option, "driver", field);
  for (const std::string_view name : {"id", "audiodev"}) {
    c_.settle(*unit.option, name, Disposition::irrelevant, "a name inside the command");
  }
  c_.settle_rest(*unit.option, Disposition::dropped, "libvirt has no such setting of this device");
}

void DeviceReader::make(Unit &unit) {
  const Driver *known = find_driver(unit.driver);
  const bool usb = known != nullptr && (known->kind == DriverClass::usb_input || known->kind == DriverClass::usb_host ||
                                        known->kind == DriverClass::usb_redirection);
  if (usb && c_.has("readconfig") && !usb_.has(key(unit, "bus"))) {
    c_.settle_rest(*unit.option, Disposition::dropped, "its controller is in a file that could not be read");
    return;
  }
  if (known == nullptr) return keep_verbatim(unit);
  switch (known->kind) {
    case DriverClass::ide_drive:
    case DriverClass::scsi_drive:
    case DriverClass::virtio_drive:
    case DriverClass::usb_drive:
    case DriverClass::floppy_drive: return make_drive(unit, known->kind);
    case DriverClass::ahci:
    case DriverClass::scsi_adapter: return make_adapter(unit, known->kind, *known);
    case DriverClass::nic:
    case DriverClass::usb_nic:
    case DriverClass::isa_nic: return make_nic(unit, *known);
    case DriverClass::video: return make_video(unit, *known);
    case DriverClass::hda:
    case DriverClass::codec:
    case DriverClass::sound:
    case DriverClass::usb_sound: return make_sound(unit, known->kind, *known);
    case DriverClass::usb_adapter:
    case DriverClass::usb_companion: return make_usb_adapter(unit, known->kind);
    case DriverClass::bridge: return make_bridge(unit, *known);
    case DriverClass::serial_port: return make_channel(unit);
    case DriverClass::tpm: return make_tpm(unit);
    case DriverClass::apple_smc: return make_apple_smc(unit);
    case DriverClass::generation_id: return make_generation_id(unit);
    case DriverClass::isa_serial: return make_port(unit, true);
    case DriverClass::isa_parallel: return make_port(unit, false);
    case DriverClass::other: return keep_verbatim(unit);
    default: return make_device(unit, known->kind);
  }
}

// A device that libvirt has no element for: its place is written out, so that nothing else takes it.
void DeviceReader::keep_verbatim(Unit &unit) {
  if (unit.option == nullptr) return;
  Option &option = *unit.option;
  const bool slot = takes_pci_slot(unit.driver) && !unit.driver.empty();
  std::string argument;
  PciPlace place;
  if (slot) place = pci(unit, "hardware.qemu_arguments");
  for (const Key &one : option.keys) {
    if (slot && (one.name == "bus" || one.name == "addr")) continue;
    c_.ask(one.value, option.where);
    std::string value;
    for (const char c : without_opens(one.value)) value += c == ',' ? ",," : std::string(1, c);
    argument += (argument.empty() ? "" : ",") + (one.name == "driver" ? value : one.name + "=" + value);
    verbatim_ids_.push_back(one.value);
  }
  if (slot) {
    argument += ",bus=" + pci_.name_of(place.bus) + ",addr=0x" + text::hex(place.slot, 2) +
                (place.function != 0 ? "." + std::to_string(place.function) : "");
  }
  c_.take_rest(option, "hardware.qemu_arguments");
  c_.hardware().qemu_arguments.insert(c_.hardware().qemu_arguments.end(), {"-device", argument});
  c_.raise(kCommandlineKept, option.where,
           "libvirt has no element for the device '" + text::printable(unit.driver) + "'; QEMU gets it as it is.");
}

// -netdev, -chardev, -object that verbatim devices name come with them; others that nobody took say nothing.
void DeviceReader::keep_backends() {
  std::vector<std::string> arguments;
  for (Option &option : c_.options) {
    if (!option.known ||
        (option.name != "netdev" && option.name != "chardev" && option.name != "object" && option.name != "fsdev"))
      continue;
    const std::string id = Context::peek(option, "id");
    const bool named = std::find(verbatim_ids_.begin(), verbatim_ids_.end(), id) != verbatim_ids_.end();
    if (named && !id.empty()) {
      c_.take_rest(option, "hardware.qemu_arguments");
      c_.ask(option.argument, option.where);
      arguments.insert(arguments.end(), {option.written, without_opens(option.argument)});
    } else if (option.name == "object") {
      const std::string type = Context::peek(option, "qom-type");
      const bool memory = type.starts_with("memory-backend") || type == "iothread" || type.starts_with("throttle");
      c_.settle_rest(option, memory ? Disposition::irrelevant : Disposition::dropped,
                     memory ? "how the host runs the machine" : "nothing that is carried over uses it");
    } else {
      c_.settle_rest(option, Disposition::irrelevant, "nothing that is carried over uses it");
    }
  }
  auto &all = c_.hardware().qemu_arguments;
  all.insert(all.begin(), arguments.begin(), arguments.end());
}

// Drives that no device holds.
void DeviceReader::finish_blocks() {
  for (Block &block : blocks_) {
    if (block.used || block.option == nullptr || block.interface == "pflash") continue;
    if (block.interface == "none") {
      c_.settle_rest(*block.option, Disposition::irrelevant, "no device holds it");
    } else {
      c_.settle_rest(*block.option, Disposition::dropped, "the board has no place for it");
      c_.raise(kDropped, block.option->where,
               "A drive of the kind '" + text::printable(block.interface) + "' is left out: a PC has no place for it.");
    }
  }
  for (Option *option : c_.all("snapshot")) c_.take(*option, "hardware.controllers");
}

void read_devices(Context &c) { DeviceReader(c).read(); }

}  // namespace ferry::qemu
