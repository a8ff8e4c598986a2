// SPDX-License-Identifier: Apache-2.0
// Video, sound, USB, and the devices that only machines of QEMU have.
#include <algorithm>
#include <array>

#include "exporters/libvirt/map/qemu_parts.hpp"

#include "support/text.hpp"

namespace ferry::libvirt {
namespace {

using Properties = std::map<std::string, std::string>;
using Attributes = std::vector<std::pair<std::string, std::string>>;

// QEMU counts in MiB or bytes, libvirt in KiB.
Attributes video_attributes(const std::string &model, Properties &properties, std::string &x, std::string &y) {
  Attributes out;
  const auto take = [&](const char *name, const char *attribute, std::uint64_t multiply, std::uint64_t divide) {
    const auto found = properties.find(name);
    if (found == properties.end()) return;
    if (const auto value = text::parse_u64(found->second); value && *value < (1U << 31U)) {
      out.emplace_back(attribute, std::to_string(*value * multiply / divide));
      properties.erase(found);
    }
  };
  if (model == "qxl") {
    take("ram_size_mb", "ram", 1024, 1);
    take("ram_size", "ram", 1, 1024);
    take("vram_size_mb", "vram", 1024, 1);
    take("vram_size", "vram", 1, 1024);
    take("vram64_size_mb", "vram64", 1024, 1);
    take("vgamem_mb", "vgamem", 1024, 1);
  } else if (model == "vga" || model == "vmvga" || model == "bochs") {
    take("vgamem_mb", "vram", 1024, 1);
    take("vgamem", "vram", 1, 1024);
  }
  if (properties.contains("xres") && properties.contains("yres") && model != "qxl") {
    x = properties["xres"];
    y = properties["yres"];
    properties.erase("xres");
    properties.erase("yres");
  }
  return out;
}

bool has_vga(const std::string &device) {
  return device == "VGA" || device == "cirrus-vga" || device == "qxl-vga" || device.starts_with("virtio-vga") ||
         device == "vmware-svga" || device == "bochs-display" || device == "ramfb";
}

void map_graphics(Mapping &m) {
  if (has(m.host.graphics, "spice") || m.host.graphics.empty()) {
    m.domain.graphics = "spice";
  } else if (has(m.host.graphics, "vnc")) {
    m.domain.graphics = "vnc";
    m.raise(kNoSpice, {}, "This host has no SPICE: the display is VNC, which GNOME Boxes does not open.");
  } else {
    m.raise(kNoDisplay, {}, "This host's QEMU has neither SPICE nor VNC: the machine has no display.");
  }
}

// "VALUE" as an element of QEMU's command: properties with an explicit place.
std::string device_argument(const std::string &device, const Properties &properties, const PciAddress &address,
                            bool q35) {
  std::string out = device;
  for (const auto &[name, value] : properties) out += "," + name + "=" + value;
  return out + ",bus=" + (q35 ? "pcie.0" : "pci.0") + ",addr=0x" + text::hex(address.slot, 2);
}

class QemuDevices {
 public:
  explicit QemuDevices(Mapping &m) : m_(m) {}

  void map() {
    map_usb_controllers();
    const auto &devices = m_.hardware.devices;
    m_.keep("devices");
    for (std::size_t i = 0; i < devices.size(); ++i) map(devices[i], field_at("devices", i));
  }

 private:
  void map_usb_controllers() {
    const auto &controllers = m_.hardware.usb_controllers;
    m_.keep("usb_controllers");
    m_.keep("usb_filters");
    m_.keep("input");
    for (std::size_t i = 0; i < controllers.size(); ++i) {
      const UsbController &usb = controllers[i];
      DomainController out{.type = "usb", .model = libvirt_model(usb.device)};
      const unsigned master = usb.companion_of.value_or(static_cast<unsigned>(i));
      out.index = usb_address(m_, {master, {}}).bus;
      if (usb.companion_of) out.master_port = usb.first_port.value_or(0);
      if (usb.place) out.address = pci_address(m_, *usb.place, usb.origin);
      m_.domain.controllers.push_back(std::move(out));
    }
    if (controllers.empty()) m_.domain.controllers.push_back({.type = "usb", .model = "none"});
  }

  void place(DomainElement &element, const Device &device) {
    if (device.usb) element.children.push_back(address_element(usb_address(m_, *device.usb)));
    if (device.place) element.children.push_back(address_element(pci_address(m_, *device.place, device.origin)));
  }

  void finish(DomainElement element, const Device &device, const Properties &properties, const std::string &field) {
    if (!properties.empty()) {
      const std::string alias = "ua-" + field.substr(field.rfind('.') + 1) + "-" + std::string(element.name);
      element.children.push_back({.name = "alias", .attributes = {{"name", alias}}});
      override_properties(m_, alias, properties, field);
    }
    place(element, device);
    m_.domain.other_devices.push_back(std::move(element));
  }

  void map(const Device &device, const std::string &field) {
    Properties rest = device.properties;
    const auto take = [&rest](const char *name) {
      const auto found = rest.find(name);
      if (found == rest.end()) return std::string{};
      std::string value = found->second;
      rest.erase(found);
      return value;
    };
    const std::string model = libvirt_model(device.device);
    switch (device.kind) {
      case Device::Kind::input:
        finish({.name = "input", .attributes = {{"type", model}, {"bus", device.usb ? "usb" : "virtio"}}}, device, rest,
               field);
        break;
      case Device::Kind::hub: finish({.name = "hub", .attributes = {{"type", "usb"}}}, device, {}, field); break;
      case Device::Kind::redirection:
        if (m_.domain.graphics != "spice") {
          m_.drop(field, "without SPICE nothing is redirected");
        } else {
          finish({.name = "redirdev", .attributes = {{"bus", "usb"}, {"type", "spicevmc"}}}, device, {}, field);
        }
        break;
      case Device::Kind::smartcard: {
        DomainElement out{.name = "controller", .attributes = {{"type", "ccid"}, {"index", std::to_string(ccid_++)}}};
        finish(std::move(out), device, rest, field);
        break;
      }
      case Device::Kind::serial_bus: {
        DomainController out{.type = "virtio-serial", .index = serial_buses_++};
        if (device.place) out.address = pci_address(m_, *device.place, device.origin);
        rest.erase("max_ports");
        if (!rest.empty()) {
          out.alias = "ua-virtio-serial" + std::to_string(out.index);
          override_properties(m_, out.alias, rest, field);
        }
        m_.domain.controllers.push_back(std::move(out));
        ports_ = 0;
        break;
      }
      case Device::Kind::channel: channel(device, take("name"), take("backend"), field); break;
      case Device::Kind::balloon:
        m_.domain.balloon = true;
        if (device.place) m_.domain.balloon_address = pci_address(m_, *device.place, device.origin);
        if (!rest.empty()) {
          m_.domain.balloon_alias = "ua-balloon";
          override_properties(m_, m_.domain.balloon_alias, rest, field);
        }
        break;
      case Device::Kind::random: {
        std::string file = take("file");
        if (file.empty()) file = "/dev/urandom";
        take("period");
        take("max-bytes");
        DomainElement out{.name = "rng", .attributes = {{"model", "virtio"}}};
        out.children.push_back({.name = "backend", .attributes = {{"model", "random"}}, .text = file});
        finish(std::move(out), device, rest, field);
        break;
      }
      case Device::Kind::watchdog: {
        const std::string action = take("action");
        finish({.name = "watchdog",
                .attributes = {{"model", device.device}, {"action", action.empty() ? "reset" : action}}},
               device, rest, field);
        break;
      }
      case Device::Kind::file_system:
        file_system(device, take("path"), take("tag"), take("access"), take("readonly"), field);
        break;
      case Device::Kind::host_pci: {
        const std::string host = take("host");  // before `rest` is handed on: arguments have no order
        host_pci(device, host, rest, field);
        break;
      }
      case Device::Kind::host_usb: host_usb(device, rest, field); break;
      case Device::Kind::iommu: {
        DomainElement out{.name = "iommu", .attributes = {{"model", "intel"}}};
        finish(std::move(out), device, {}, field);
        break;
      }
      case Device::Kind::video: video(device, rest, field); break;
      case Device::Kind::sound: {
        DomainElement out{.name = "sound", .attributes = {{"model", model}}};
        if (const std::string codec = take("codec"); !codec.empty())
          out.children.push_back({.name = "codec", .attributes = {{"type", codec}}});
        finish(std::move(out), device, rest, field);
        break;
      }
    }
  }

  void channel(const Device &device, const std::string &name, const std::string &backend, const std::string &field) {
    DomainElement out{.name = "channel"};
    DomainElement target{.name = "target", .attributes = {{"type", "virtio"}}};
    const bool spice = m_.domain.graphics == "spice";
    std::string type = "unix";
    if (backend == "spicevmc") type = spice ? "spicevmc" : "pty";
    if (backend == "spiceport") type = spice ? "spiceport" : "pty";
    if (device.device == "virtconsole") {
      out.name = "console";
      type = "pty";
    } else if (!name.empty()) {
      target.attributes.emplace_back("name", name);
    }
    out.attributes = {{"type", type}};
    if (type == "spiceport") out.children.push_back({.name = "source", .attributes = {{"channel", name}}});
    out.children.push_back(std::move(target));
    const unsigned bus = serial_buses_ == 0 ? 0 : serial_buses_ - 1;
    out.children.push_back({.name = "address",
                            .attributes = {{"type", "virtio-serial"},
                                           {"controller", std::to_string(bus)},
                                           {"bus", "0"},
                                           {"port", std::to_string(++ports_)}}});
    m_.translate(field, "channel " + (name.empty() ? type : name));
    m_.domain.other_devices.push_back(std::move(out));
  }

  void file_system(const Device &device, const std::string &path, const std::string &tag, const std::string &access,
                   const std::string &read_only, const std::string &field) {
    if (path.empty() || tag.empty() || access == "mapped-file") {
      m_.drop(field, "libvirt has no such share");
      m_.raise(kFolderDropped, device.origin,
               "The shared folder '" + tag + "' is left out: libvirt has no such share.");
      return;
    }
    const std::string mode = access == "passthrough"        ? "passthrough"
                             : access.starts_with("mapped") ? "mapped"
                                                            : "squash";
    DomainElement out{.name = "filesystem", .attributes = {{"type", "mount"}, {"accessmode", mode}}};
    out.children.push_back({.name = "source", .attributes = {{"dir", path}}});
    out.children.push_back({.name = "target", .attributes = {{"dir", tag}}});
    if (read_only == "on") out.children.push_back({.name = "readonly"});
    finish(std::move(out), device, {}, field);
  }

  // "01:00.0" or "0000:01:00.0"
  void host_pci(const Device &device, std::string host, Properties rest, const std::string &field) {
    if (std::count(host.begin(), host.end(), ':') == 1) host = "0000:" + host;
    const std::size_t first = host.find(':'), second = host.rfind(':'), dot = host.rfind('.');
    if (first == std::string::npos || second == first || dot == std::string::npos || dot < second) {
      m_.drop(field, "the host's device cannot be told");
      m_.raise(kHostDeviceDropped, device.origin,
               "A device of the host's is left out: which one it is cannot be told.");
      return;
    }
    rest.erase("x-no-kvm-intx");
    rest.erase("x-vga");
    DomainElement out{.name = "hostdev",
                      .attributes = {{"mode", "subsystem"}, {"type", "pci"}, {"managed", m_.session() ? "no" : "yes"}}};
    DomainElement source{.name = "source"};
    source.children.push_back({.name = "address",
                               .attributes = {{"domain", "0x" + host.substr(0, first)},
                                              {"bus", "0x" + host.substr(first + 1, second - first - 1)},
                                              {"slot", "0x" + host.substr(second + 1, dot - second - 1)},
                                              {"function", "0x" + host.substr(dot + 1)}}});
    out.children.push_back(std::move(source));
    if (const auto rom = rest.find("romfile"); rom != rest.end()) {
      if (!rom->second.empty()) out.children.push_back({.name = "rom", .attributes = {{"file", rom->second}}});
      rest.erase(rom);
    }
    finish(std::move(out), device, rest, field);
  }

  void host_usb(const Device &device, Properties rest, const std::string &field) {
    DomainElement out{.name = "hostdev", .attributes = {{"mode", "subsystem"}, {"type", "usb"}, {"managed", "no"}}};
    DomainElement source{.name = "source"};
    const auto hexadecimal = [](const std::string &text) { return text.starts_with("0x") ? text : "0x" + text; };
    if (rest.contains("vendorid") && rest.contains("productid")) {
      source.attributes = {{"startupPolicy", "optional"}};
      source.children.push_back({.name = "vendor", .attributes = {{"id", hexadecimal(rest["vendorid"])}}});
      source.children.push_back({.name = "product", .attributes = {{"id", hexadecimal(rest["productid"])}}});
    } else if (rest.contains("hostbus") && rest.contains("hostaddr")) {
      source.children.push_back(
          {.name = "address", .attributes = {{"bus", rest["hostbus"]}, {"device", rest["hostaddr"]}}});
    } else {
      m_.drop(field, "the host's device cannot be told");
      m_.raise(kHostDeviceDropped, device.origin,
               "A device of the host's is left out: which one it is cannot be told.");
      return;
    }
    out.children.push_back(std::move(source));
    for (const char *name : {"vendorid", "productid", "hostbus", "hostaddr", "hostport", "guest-reset"})
      rest.erase(name);
    finish(std::move(out), device, rest, field);
  }

  void video(const Device &device, Properties rest, const std::string &field) {
    if (m_.domain.video.model == "none") {
      m_.drop(field, "libvirt has no second card without a first");
      return;
    }
    DomainElement model{.name = "model", .attributes = {{"type", libvirt_model(device.device)}}};
    std::string x, y;
    for (auto &attribute : video_attributes(libvirt_model(device.device), rest, x, y)) {
      model.attributes.push_back(std::move(attribute));
    }
    DomainElement out{.name = "video", .children = {std::move(model)}};
    finish(std::move(out), device, rest, field);
  }

  Mapping &m_;
  unsigned serial_buses_ = 0, ports_ = 0, ccid_ = 0;
};

}  // namespace

void map_qemu_display(Mapping &m) {
  const Display &display = m.hardware.display;
  m.keep("display");
  map_exchange(m);
  if (display.remote) {
    m.drop("display.remote", "the display listens on no port");
    m.raise(kRemoteDisplayDropped, display.remote->origin,
            "The machine's remote display (port " + display.remote->ports + ") is not opened to the network.");
  }
  const bool asked = m.options.video_model.has_value();
  DomainVideo &video = m.domain.video;
  std::optional<PciAddress> address;
  if (display.place) address = pci_address(m, *display.place, display.origin);
  if (display.adapter == Display::Adapter::none && !asked) {
    video.model = "none";
  } else if (!asked && !has_vga(display.device) && address && address->bus == 0) {
    // libvirt's first card always has VGA where QEMU has such a one: this one is QEMU's to make.
    video.model = "none";
    m.domain.qemu_arguments.insert(
        m.domain.qemu_arguments.end(),
        {"-device", device_argument(display.device, display.properties, *address, m.board.q35)});
    m.translate("display", "QEMU's own " + display.device);
    m.taint("a video card without VGA (" + display.device + ")");
  } else {
    video.model = asked ? std::string(to_string(*m.options.video_model)) : libvirt_model(display.device);
    video.address = address;
    Properties rest = display.properties;
    rest.erase("edid");
    rest.erase("multifunction");
    video.attributes = video_attributes(video.model, rest, video.x, video.y);
    if (!rest.empty() && !asked) {
      video.alias = "ua-video";
      override_properties(m, video.alias, rest, "display");
    }
  }
  map_graphics(m);
  m.keep("sound");
  if (!m.hardware.sound) return;
  const Sound &sound = *m.hardware.sound;
  DomainSound out{.model = libvirt_model(sound.device)};
  if (sound.codec) out.codec = *sound.codec;
  if (sound.place) out.address = pci_address(m, *sound.place, sound.origin);
  m.domain.sound = out;
  m.domain.audio = m.domain.graphics == "spice" ? "spice" : "none";
}

void map_qemu_devices(Mapping &m) { QemuDevices(m).map(); }

}  // namespace ferry::libvirt
