// SPDX-License-Identifier: Apache-2.0
// <devices>, but for disks and controllers.
#include "exporters/libvirt/xml/domain_xml.hpp"

#include "support/text.hpp"

namespace ferry::libvirt {
namespace {

void write_interface_backend(xml::Node &interface, const DomainInterface &values) {
  if (values.type == "bridge") interface.child("source").set("bridge", values.source);
  if (values.type == "network") interface.child("source").set("network", values.source);
  if (!values.socket_port.empty()) {
    xml::Node source = interface.child("source");
    if (!values.socket_address.empty()) source.set("address", values.socket_address);
    source.set("port", values.socket_port);
  }
  if (!values.target.empty()) interface.child("target").set("dev", values.target).set("managed", "no");
  if (!values.ip.empty()) {
    interface.child("ip").set("family", "ipv4").set("address", values.ip).set("prefix", std::uint64_t{values.prefix});
  }
  for (const HostForward &forward : values.forwards) {
    xml::Node node = interface.child("portForward");
    node.set("proto", forward.protocol);
    if (!forward.address.empty()) node.set("address", forward.address);
    xml::Node range = node.child("range");
    range.set("start", std::uint64_t{forward.host_port});
    if (forward.host_port != forward.guest_port) range.set("to", std::uint64_t{forward.guest_port});
  }
}

void write_interface(xml::Node &devices, const DomainInterface &values) {
  xml::Node interface = devices.child("interface");
  interface.set("type", values.type);
  interface.child("mac").set("address", values.mac);
  write_interface_backend(interface, values);
  interface.child("model").set("type", values.model);
  if (values.passt) interface.child("backend").set("type", "passt");
  if (!values.link_up) interface.child("link").set("state", "down");
  write_boot(interface, values.boot_order);
  write_alias(interface, values.alias);
  if (values.address) write_address(interface, *values.address);
  if (values.usb) write_address(interface, *values.usb);
  if (values.isa) {
    interface.child("address")
        .set("type", "isa")
        .set("iobase", "0x" + text::hex(values.isa->first, 1))
        .set("irq", "0x" + text::hex(values.isa->second, 1));
  }
}

void write_char_source(xml::Node &node, const DomainChar &values) {
  if (values.type == "file" || values.type == "dev") {
    xml::Node source = node.child("source");
    source.set("path", values.path);
    if (values.type == "file") source.set("append", "on");
  } else if (values.type == "unix") {
    node.child("source").set("mode", values.mode).set("path", values.path);
  } else if (values.type == "tcp") {
    xml::Node source = node.child("source");
    source.set("mode", values.mode).set("host", values.host).set("service", values.service);
    // Whoever listens may come later: the machine starts all the same.
    if (values.mode == "connect") source.child("reconnect").set("enabled", "yes").set("timeout", std::uint64_t{10});
    node.child("protocol").set("type", "raw");
  } else if (values.type == "udp") {
    node.child("source").set("mode", values.mode).set("host", values.host).set("service", values.service);
  }
}

void write_serial(xml::Node &devices, const DomainChar &values) {
  xml::Node serial = devices.child("serial");
  serial.set("type", values.type);
  write_char_source(serial, values);
  xml::Node target = serial.child("target");
  target.set("type", "isa-serial").set("port", std::uint64_t{values.port});
  target.child("model").set("name", "isa-serial");
}

void write_parallel(xml::Node &devices, const DomainChar &values) {
  xml::Node parallel = devices.child("parallel");
  parallel.set("type", values.type);
  write_char_source(parallel, values);
  parallel.child("target").set("port", std::uint64_t{values.port});
}

void write_filesystem(xml::Node &devices, const DomainFilesystem &values) {
  xml::Node filesystem = devices.child("filesystem");
  filesystem.set("type", "mount").set("accessmode", "passthrough");
  filesystem.child("driver").set("type", "virtiofs");
  filesystem.child("source").set("dir", values.source);
  filesystem.child("target").set("dir", values.tag);
  if (values.read_only) filesystem.child("readonly");
  if (values.address) write_address(filesystem, *values.address);
}

void write_display(xml::Node &devices, const Domain &d) {
  if (!d.graphics.empty()) {
    xml::Node graphics = devices.child("graphics");
    graphics.set("type", d.graphics).child("listen").set("type", "none");
    if (d.graphics == "spice" && d.video.accelerated) graphics.child("gl").set("enable", "yes");
    if (d.graphics == "spice" && !d.clipboard) graphics.child("clipboard").set("copypaste", "no");
    if (d.graphics == "spice" && !d.file_transfer) graphics.child("filetransfer").set("enable", "no");
  }
  // Whoever shows a VNC display is handed pictures: the drawing needs a display of its own.
  if (d.graphics == "vnc" && d.video.accelerated) devices.child("graphics").set("type", "egl-headless");
  if (d.sound) {
    xml::Node sound = devices.child("sound");
    sound.set("model", d.sound->model);
    if (!d.sound->codec.empty()) sound.child("codec").set("type", d.sound->codec);
    if (d.sound->address) write_address(sound, *d.sound->address);
  }
  if (!d.audio.empty()) devices.child("audio").set("id", std::uint64_t{1}).set("type", d.audio);
  xml::Node video = devices.child("video");
  xml::Node model = video.child("model");
  model.set("type", d.video.model);
  if (d.video.model == "none") return;
  if (d.video.vram_kib) model.set("vram", std::uint64_t{*d.video.vram_kib});
  for (const auto &[name, value] : d.video.attributes) model.set(name, value);
  model.set("heads", std::uint64_t{d.video.heads});
  if (d.video.accelerated) model.child("acceleration").set("accel3d", "yes");
  if (!d.video.x.empty() && !d.video.y.empty()) model.child("resolution").set("x", d.video.x).set("y", d.video.y);
  write_alias(video, d.video.alias);
  if (d.video.address) write_address(video, *d.video.address);
}

void write_element(xml::Node &parent, const DomainElement &element) {
  xml::Node node = element.text.empty() ? parent.child(element.name) : parent.child(element.name, element.text);
  for (const auto &[name, value] : element.attributes) node.set(name, value);
  for (const DomainElement &child : element.children) write_element(node, child);
}

void write_channel(xml::Node &devices, std::string_view type, std::string_view name) {
  xml::Node channel = devices.child("channel");
  channel.set("type", type);
  if (type == "spiceport") channel.child("source").set("channel", name);
  channel.child("target").set("type", "virtio").set("name", name);
}

void write_balloon(xml::Node &devices, const Domain &d) {
  xml::Node balloon = devices.child("memballoon");
  balloon.set("model", d.balloon ? d.balloon_model : "none");
  if (d.balloon) write_alias(balloon, d.balloon_alias);
  if (d.balloon && d.balloon_address) write_address(balloon, *d.balloon_address);
}

}  // namespace

void write_devices(xml::Node &domain, const Domain &d) {
  xml::Node devices = domain.child("devices");
  if (!d.emulator.empty()) devices.child("emulator", d.emulator);
  for (const DomainDisk &disk : d.disks) write_disk(devices, disk);
  for (const DomainController &controller : d.controllers) write_controller(devices, controller);
  for (const DomainFilesystem &filesystem : d.filesystems) write_filesystem(devices, filesystem);
  for (const DomainInterface &interface : d.interfaces) write_interface(devices, interface);
  for (const DomainChar &serial : d.serials) write_serial(devices, serial);
  for (const DomainChar &parallel : d.parallels) write_parallel(devices, parallel);
  if (d.spice_channel) write_channel(devices, "spicevmc", "com.redhat.spice.0");
  if (d.folder_channel) write_channel(devices, "spiceport", "org.spice-space.webdav.0");
  if (d.smartcard) devices.child("smartcard").set("mode", "passthrough").set("type", "spicevmc");
  if (d.agent_channel) write_channel(devices, "unix", "org.qemu.guest_agent.0");
  for (const DomainInput &input : d.inputs) devices.child("input").set("type", input.type).set("bus", input.bus);
  if (d.tpm) {
    xml::Node tpm = devices.child("tpm");
    tpm.set("model", d.tpm->model);
    tpm.child("backend").set("type", "emulator").set("version", d.tpm->version);
  }
  write_display(devices, d);
  for (unsigned i = 0; i < d.usb_redirections; ++i) devices.child("redirdev").set("bus", "usb").set("type", "spicevmc");
  write_balloon(devices, d);
  for (const DomainElement &element : d.other_devices) write_element(devices, element);
  if (!d.iommu.empty()) devices.child("iommu").set("model", d.iommu);
}

}  // namespace ferry::libvirt
