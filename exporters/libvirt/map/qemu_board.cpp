// SPDX-License-Identifier: Apache-2.0
// The board of a machine of QEMU's own, and what its other parts share: names and places.
#include <algorithm>
#include <array>
#include <charconv>

#include "exporters/libvirt/map/qemu_parts.hpp"

#include "support/text.hpp"

namespace ferry::libvirt {
namespace {

struct Name {
  std::string_view qemu, libvirt;
};
constexpr std::array kNames{
    Name{"virtio-net-pci", "virtio"},
    Name{"VGA", "vga"},
    Name{"cirrus-vga", "cirrus"},
    Name{"qxl-vga", "qxl"},
    Name{"virtio-vga", "virtio"},
    Name{"virtio-vga-gl", "virtio"},
    Name{"virtio-gpu-pci", "virtio"},
    Name{"virtio-gpu-gl-pci", "virtio"},
    Name{"vmware-svga", "vmvga"},
    Name{"bochs-display", "bochs"},
    Name{"intel-hda", "ich6"},
    Name{"ich9-intel-hda", "ich9"},
    Name{"AC97", "ac97"},
    Name{"ES1370", "es1370"},
    Name{"usb-audio", "usb"},
    Name{"lsi53c895a", "lsilogic"},
    Name{"lsi53c810", "lsilogic"},
    Name{"virtio-scsi-pci", "virtio-scsi"},
    Name{"megasas", "lsisas1078"},
    Name{"pvscsi", "vmpvscsi"},
    Name{"mptsas1068", "lsisas1068"},
    Name{"piix3-usb-uhci", "piix3-uhci"},
    Name{"piix4-usb-uhci", "piix4-uhci"},
    Name{"vt82c686b-usb-uhci", "vt82c686b-uhci"},
    Name{"usb-ehci", "ehci"},
    Name{"ich9-usb-ehci1", "ich9-ehci1"},
    Name{"ich9-usb-uhci1", "ich9-uhci1"},
    Name{"ich9-usb-uhci2", "ich9-uhci2"},
    Name{"ich9-usb-uhci3", "ich9-uhci3"},
    Name{"nec-usb-xhci", "nec-xhci"},
    Name{"ioh3420", "pcie-root-port"},
    Name{"i82801b11-bridge", "dmi-to-pci-bridge"},
    Name{"pcie-pci-bridge", "pcie-to-pci-bridge"},
    Name{"x3130-upstream", "pcie-switch-upstream-port"},
    Name{"xio3130-downstream", "pcie-switch-downstream-port"},
    Name{"pxb", "pci-expander-bus"},
    Name{"pxb-pcie", "pcie-expander-bus"},
    Name{"usb-kbd", "keyboard"},
    Name{"usb-mouse", "mouse"},
    Name{"usb-tablet", "tablet"},
    Name{"virtio-keyboard-pci", "keyboard"},
    Name{"virtio-mouse-pci", "mouse"},
    Name{"virtio-tablet-pci", "tablet"},
};

// QEMU's properties of the kind that is neither a number nor on or off where both are taken (OnOffAuto).
constexpr std::array<std::string_view, 6> kOnOffAuto = {"disable-legacy",     "msi",  "acpi",
                                                        "x-pcie-extcap-init", "pcie", "display"};

QemuProperty typed(const std::string &name, const std::string &value) {
  const bool words = std::find(kOnOffAuto.begin(), kOnOffAuto.end(), name) != kOnOffAuto.end();
  if (!words && (value == "on" || value == "off")) return {name, "bool", value == "on" ? "true" : "false"};
  std::uint64_t number = 0;
  const bool hexadecimal = value.starts_with("0x");
  const char *begin = value.data() + (hexadecimal ? 2 : 0);
  const auto [end, error] = std::from_chars(begin, value.data() + value.size(), number, hexadecimal ? 16 : 10);
  if (error == std::errc{} && end == value.data() + value.size()) return {name, "unsigned", std::to_string(number)};
  return {name, "string", value};
}

// "pc-i440fx-4.2" -> 4, 2.
std::optional<std::pair<unsigned, unsigned>> version_of(std::string_view name, std::string_view family) {
  if (!name.starts_with(family)) return std::nullopt;
  name.remove_prefix(family.size());
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto major = text::parse_u64(name.substr(0, dot)), minor = text::parse_u64(name.substr(dot + 1));
  if (!major || !minor) return std::nullopt;
  return std::pair{static_cast<unsigned>(*major), static_cast<unsigned>(*minor)};
}

// The type that the source names, or the nearest newer one of its family that the host has.
std::string machine_type(Mapping &m) {
  const std::string &wanted = m.hardware.machine_type;
  if (wanted == "pc" || wanted == "q35" || unknown_or_has(m.host.machine_types, wanted)) {
    m.keep("machine_type", wanted);
    return wanted;
  }
  const std::string_view family = m.board.q35 ? "pc-q35-" : "pc-i440fx-";
  const auto asked = version_of(wanted, family);
  std::optional<std::pair<unsigned, unsigned>> best;
  std::string name = m.board.q35 ? "q35" : "pc";
  for (const std::string &candidate : m.host.machine_types) {
    const auto version = version_of(candidate, family);
    if (!version || !asked || *version < *asked || (best && *best <= *version)) continue;
    best = version;
    name = candidate;
  }
  m.translate("machine_type", name + ": this host has no " + wanted);
  m.raise(kMachineVersionGone, m.machine.origin,
          "This host has no machine type " + wanted + "; the machine becomes " + name + ".");
  return name;
}

}  // namespace

std::string libvirt_model(std::string_view device) {
  for (const Name &name : kNames) {
    if (name.qemu == device) return std::string(name.libvirt);
  }
  return std::string(device);
}

namespace {
// A bus with room for one device.
bool is_port(std::string_view bridge) { return bridge == "pcie-root-port" || bridge == "pcie-switch-downstream-port"; }
}  // namespace

PciAddress pci_address(Mapping &m, const PciPlace &place, const Place &where) {
  PciAddress out{
      .bus = place.bus, .slot = place.slot, .function = place.function, .multifunction = place.multifunction};
  if (place.bus == 0 || place.bus > m.hardware.bridges.size()) return out;
  const std::string bridge = libvirt_model(m.hardware.bridges[place.bus - 1].device);
  const bool port = is_port(bridge);
  const bool from_one = bridge == "pci-bridge" || bridge == "pcie-to-pci-bridge";
  if (port ? place.slot == 0 : place.slot != 0 || !from_one) return out;
  if (port) {
    out.function = place.slot;
    out.slot = 0;
    out.multifunction = false;
  } else {
    out.slot = 31 - m.moved_slots++ % 30;
  }
  m.raise(kSlotMoved, where,
          "libvirt has no slot " + std::to_string(place.slot) + " behind this bridge; the device moves to slot " +
              std::to_string(out.slot) + ", function " + std::to_string(out.function) + ".");
  return out;
}

UsbAddress usb_address(const Mapping &m, const UsbPlace &place) {
  // libvirt numbers controllers, and a group with companions is one.
  unsigned number = 0;
  for (unsigned i = 0; i < place.controller && i < m.hardware.usb_controllers.size(); ++i) {
    if (!m.hardware.usb_controllers[i].companion_of) ++number;
  }
  return {number, place.port};
}

DomainElement address_element(const PciAddress &address) {
  DomainElement out{.name = "address"};
  out.attributes = {{"type", "pci"},
                    {"domain", "0"},
                    {"bus", std::to_string(address.bus)},
                    {"slot", std::to_string(address.slot)},
                    {"function", std::to_string(address.function)}};
  if (address.multifunction) out.attributes.emplace_back("multifunction", "on");
  return out;
}

DomainElement address_element(const UsbAddress &address) {
  return {.name = "address",
          .attributes = {{"type", "usb"}, {"bus", std::to_string(address.bus)}, {"port", address.port}}};
}

void override_properties(Mapping &m, const std::string &alias, const std::map<std::string, std::string> &properties,
                         std::string_view field) {
  if (properties.empty()) return;
  const std::string below = std::string(field) + ".properties";
  if (!m.host_has_libvirt(8, 2)) {  // <qemu:override>
    m.drop(below, "this host's libvirt cannot set them");
    return;
  }
  QemuOverride out{alias, {}};
  std::string names;
  for (const auto &[name, value] : properties) {
    out.properties.push_back(typed(name, value));
    names += (names.empty() ? "" : ", ") + name;
  }
  m.domain.qemu_overrides.push_back(std::move(out));
  m.translate(below, "handed to QEMU: " + names);
  m.taint("properties of devices (" + names + ")");
}

void map_qemu_large_pages(Mapping &m) {
  m.domain.huge_pages = m.hardware.memory.large_pages.value_or(false);
  m.keep("memory.large_pages");
}

void map_qemu_clock(Mapping &m) {
  const Clock &clock = m.hardware.clock;
  m.domain.clock.offset = clock.base == Clock::Base::local_time ? "localtime" : "utc";
  m.keep("clock");
  if (clock.rtc_policy) m.domain.clock.timers.push_back({.name = "rtc", .tickpolicy = *clock.rtc_policy});
  if (clock.pit_policy == "discard" || clock.pit_policy == "delay") {
    m.domain.clock.timers.push_back({.name = "pit", .tickpolicy = *clock.pit_policy});
  }
  if (clock.hpet == false) m.domain.clock.timers.push_back({.name = "hpet", .present = false});
  if (m.hardware.cpu.enlightenments.contains("time") && m.host.kvm) {
    m.domain.clock.timers.push_back({.name = "hypervclock", .present = true});
  }
}

void map_qemu_board(Mapping &m) {
  const Hardware &hardware = m.hardware;
  m.keep("chipset");
  m.domain.os.machine = machine_type(m);
  m.domain.controllers.push_back({.type = "pci", .index = 0, .model = m.board.q35 ? "pcie-root" : "pci-root"});
  m.domain.suspend_to_mem.reset();
  m.domain.suspend_to_disk.reset();
  m.domain.features.vmport.reset();
  m.keep("machine_properties");
  for (const auto &[name, value] : hardware.machine_properties) {
    const std::string field = "machine_properties." + name;
    if (name == "vmport" && value != "auto") {
      m.domain.features.vmport = value == "on";
    } else if (name == "smm") {
      m.domain.features.smm = value == "on";
      if (value == "off") m.domain.features.smm_off = true;
    } else if (name == "disable_s3" || name == "disable_s4") {
      (name == "disable_s3" ? m.domain.suspend_to_mem : m.domain.suspend_to_disk) = value == "0";
    } else if (name == "i8042" || name == "sata" || name == "smbus" || name == "pit" || name == "pic" ||
               name == "pcspk-audiodev" || name == "max-ram-below-4g") {
      m.domain.qemu_arguments.insert(m.domain.qemu_arguments.end(), {"-machine", name + "=" + value});
    }
  }
  m.keep("bridges");
  for (std::size_t i = 0; i < hardware.bridges.size(); ++i) {
    const PciBridge &bridge = hardware.bridges[i];
    DomainController out{.type = "pci", .index = static_cast<unsigned>(i + 1), .model = libvirt_model(bridge.device)};
    if (is_port(out.model)) {
      out.chassis = bridge.chassis.value_or(static_cast<unsigned>(i + 1));
      out.port = bridge.port.value_or(static_cast<unsigned>(i));
    } else if (out.model == "pci-bridge" && bridge.chassis) {
      out.chassis_number = *bridge.chassis;
    }
    out.address = pci_address(m, bridge.place, bridge.origin);
    m.domain.controllers.push_back(std::move(out));
  }
  m.keep("iommu");
  m.keep("kernel");
  if (hardware.kernel) {
    m.domain.os.kernel = hardware.kernel->kernel.string();
    m.domain.os.initrd = hardware.kernel->initrd.string();
    m.domain.os.command_line = hardware.kernel->command_line;
  }
  m.keep("qemu_arguments");
  m.domain.qemu_arguments.insert(m.domain.qemu_arguments.end(), hardware.qemu_arguments.begin(),
                                 hardware.qemu_arguments.end());
  if (!m.domain.qemu_arguments.empty()) m.taint("options that libvirt has no element for");
}

}  // namespace ferry::libvirt
