// SPDX-License-Identifier: Apache-2.0
// Serial and parallel ports, and the channels that agents of the guest use.
#include "exporters/script/maker.hpp"

namespace ferry::script {
namespace {

// libvirt's own sockets and logs are in folders that only it makes.
bool is_libvirts(const std::string &path) { return path.find("/libvirt/qemu/") != std::string::npos; }

Keys network_end(const xml::Element &element, const std::string &type) {
  const xml::Element *bind = nullptr, *connect = nullptr;
  for (const xml::Element *source : children(element, "source")) {
    (attribute(source, "mode") == "bind" ? bind : connect) = source;
  }
  if (type == "udp") {
    Keys keys("udp");
    keys.set("host", Word(attribute(connect, "host"))).set("port", Word(attribute(connect, "service")));
    keys.set_some("localaddr", attribute(bind, "host"));
    return keys.set_some("localport", attribute(bind, "service"));
  }
  const xml::Element *end = bind != nullptr ? bind : connect;
  Keys keys("socket");
  keys.set("host", Word(attribute(end, "host"))).set("port", Word(attribute(end, "service")));
  if (attribute(element.child("protocol"), "type") == "telnet") keys.on("telnet");
  if (bind != nullptr) return keys.on("server").on("wait", false);
  const xml::Element *again = child(connect, "reconnect");
  return attribute(again, "enabled") == "yes" ? keys.set_some("reconnect", attribute(again, "timeout")) : keys;
}

Keys unix_socket(const Maker &m, const xml::Element &element, const std::string &socket_name) {
  const xml::Element *source = element.child("source");
  const std::string path = attribute(source, "path");
  Keys keys("socket");
  keys.set("path", path.empty() || is_libvirts(path) ? Maker::in_run_folder(socket_name) : m.file(path));
  if (attribute(source, "mode") != "connect") keys.on("server").on("wait", false);
  return keys;
}

void add_serial(Maker &m, const xml::Element &serial, unsigned index) {
  const std::string id = "serial" + std::to_string(index), chardev = "char" + id;
  const xml::Element *target = serial.child("target");
  const std::string kind = attribute(target, "type");
  if (!add_chardev(m, serial, chardev, id + ".sock")) return;
  Keys keys(kind == "pci-serial" ? "pci-serial" : kind == "usb-serial" ? "usb-serial" : "isa-serial");
  keys.set("chardev", Word(chardev)).set("id", Word(m.id(serial, id)));
  if (kind == "pci-serial") {
    m.place_pci(keys, serial);
  } else if (kind == "usb-serial") {
    m.place_usb(keys, serial);
  } else {
    const std::string port = attribute(target, "port");
    keys.set("index", Word(port.empty() ? std::to_string(index) : port));
    const xml::Element *address = serial.child("address");
    if (attribute(address, "type") == "isa") {
      keys.set_some("iobase", attribute(address, "iobase"));
      keys.set_some("irq", attribute(address, "irq"));
    }
  }
  m.device(keys, serial);
}

void add_parallel(Maker &m, const xml::Element &parallel, unsigned index) {
  const std::string id = "parallel" + std::to_string(index), chardev = "char" + id;
  if (!add_chardev(m, parallel, chardev, id + ".sock")) return;
  Keys keys("isa-parallel");
  m.device(keys.set("chardev", Word(chardev)).set("id", Word(m.id(parallel, id))), parallel);
}

void add_channel(Maker &m, const xml::Element &channel, unsigned index) {
  const xml::Element *target = channel.child("target");
  const std::string kind = attribute(target, "type"), name = attribute(target, "name");
  const std::string id = "channel" + std::to_string(index), chardev = "char" + id;
  if (kind != "virtio") {
    m.report(kDeviceLeftOut, "A channel of the type '" + kind + "' is left out.");
    return;
  }
  if (attribute(&channel, "type") == "spicevmc") {
    m.option("-chardev", Keys("spicevmc").set("id", Word(chardev)).set("name", "vdagent"));
  } else if (!add_chardev(m, channel, chardev, id + ".sock")) {
    return;
  }
  const xml::Element *address = channel.child("address");
  const bool given = attribute(address, "type") == "virtio-serial";
  const std::string controller = given ? attribute(address, "controller") : "0";
  const std::string bus = "virtio-serial" + (controller.empty() ? "0" : controller);
  const std::string port = given ? attribute(address, "port") : std::to_string(m.free_number(bus));
  Keys keys("virtserialport");
  keys.set("bus", Word(bus + ".0")).set_some("nr", port);
  keys.set("chardev", Word(chardev)).set("id", Word(m.id(channel, id))).set_some("name", name);
  m.device(keys, channel);
}

void add_console(Maker &m, const xml::Element &console, unsigned index) {
  // Of a serial console libvirt writes a second element that stands for the first serial port.
  if (attribute(console.child("target"), "type") != "virtio") return;
  const std::string id = "console" + std::to_string(index), chardev = "char" + id;
  if (!add_chardev(m, console, chardev, id + ".sock")) return;
  Keys keys("virtconsole");
  m.device(keys.set("chardev", Word(chardev)).set("id", Word(m.id(console, id))), console);
}

template <class Add>
void add_all(Maker &m, const char *name, const Add &add) {
  unsigned index = 0;
  for (const xml::Element *one : children(m.devices, name)) add(m, *one, index++);
}

}  // namespace

bool add_chardev(Maker &m, const xml::Element &element, const std::string &id, const std::string &socket_name) {
  const std::string type = attribute(&element, "type");
  const xml::Element *source = element.child("source");
  const std::string path = attribute(source, "path");
  Keys keys("null");
  if (type == "pty" || type == "vc" || type == "stdio") {
    keys = Keys("pty");
  } else if (type == "file" || type == "pipe" || type == "dev") {
    keys = Keys(type == "dev" && element.name == "serial" ? "serial" : type == "dev" ? "parallel" : type);
    keys.set("path", is_libvirts(path) ? Maker::in_run_folder(id + ".log") : m.file(path));
    if (attribute(source, "append") == "on") keys.on("append");
  } else if (type == "unix") {
    keys = unix_socket(m, element, socket_name);
  } else if (type == "tcp" || type == "udp") {
    keys = network_end(element, type);
  } else if (type == "spiceport") {
    keys = Keys("spiceport").set("name", Word(attribute(source, "channel")));
  } else if (type != "null") {
    m.report(kDeviceLeftOut, "A " + element.name + " of the type '" + type + "' is left out.");
    return false;
  }
  m.option("-chardev", keys.set("id", Word(id)));
  return true;
}

void add_ports(Maker &m) {
  m.group("ports and channels");
  add_all(m, "serial", add_serial);
  add_all(m, "parallel", add_parallel);
  add_all(m, "channel", add_channel);
  add_all(m, "console", add_console);
}

}  // namespace ferry::script
