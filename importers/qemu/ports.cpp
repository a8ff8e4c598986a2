// SPDX-License-Identifier: Apache-2.0
// Serial and parallel ports: -serial, -parallel, and those that QEMU adds.
#include "importers/qemu/chardev.hpp"
#include "importers/qemu/context.hpp"

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

using Backend = CharPort::Backend;

bool is_on(const std::vector<Key> &keys, std::string_view name) {
  bool out = false;
  for (const Key &key : keys) {
    if (key.name == name) out = parse_bool(key.value).value_or(false);
  }
  return out;
}

void address(CharPort &port, std::string text) {
  if (text.starts_with(':')) text = (port.server ? "0.0.0.0" : "127.0.0.1") + text;
  port.path = std::move(text);
}

}  // namespace

bool fill_port(Context &c, const std::string &text, CharPort &port, const Place &where) {
  std::string rest = text;
  if (rest.starts_with("mon:")) rest.erase(0, 4);
  if (rest == "none") return false;
  const std::size_t colon = rest.find(':');
  const std::string kind = rest.substr(0, std::min(colon, rest.find(',')));
  const std::string argument = colon == std::string::npos ? std::string{} : rest.substr(colon + 1);
  const std::vector<Key> keys = parse_keys(argument, "path");
  const std::string path = keys.empty() ? std::string{} : keys.front().value;
  if (kind == "chardev") {
    for (Option *option : c.all("chardev")) {
      if (Context::peek(*option, "id") == path) {
        fill_port(c, *option, port, "hardware.serial_ports." + std::to_string(port.slot));
        return true;
      }
    }
  }
  if (kind == "file") {
    port.backend = Backend::file;
    port.path = path;
  } else if (kind == "pipe") {
    port.backend = Backend::pipe;
    port.path = path;
  } else if (kind == "unix") {
    port.backend = Backend::unix_socket;
    port.path = path;
    port.server = is_on(keys, "server");
  } else if (kind == "tcp" || kind == "telnet" || kind == "websocket") {
    port.backend = Backend::tcp;
    port.server = is_on(keys, "server");
    address(port, path);
  } else if (kind == "udp") {
    port.backend = Backend::udp;
    address(port, path.substr(0, path.find('@')));
  } else if (rest.starts_with("/dev/")) {
    port.backend = Backend::host_device;
    port.path = rest;
  }
  if (has_open(port.path)) c.ask(port.path, where);
  return true;  // stdio, pty, vc, null: nothing of the host's stands behind it
}

void fill_port(Context &c, Option &chardev, CharPort &port, const std::string &field) {
  const std::string backend = c.text(chardev, "backend", field + ".backend").value_or("");
  const auto path = [&] { return c.text(chardev, "path", field + ".path").value_or(""); };
  port.server = c.flag(chardev, "server", field + ".server").value_or(false);
  if (backend == "socket" && Context::find(chardev, "path") != nullptr) {
    port.backend = Backend::unix_socket;
    port.path = path();
  } else if (backend == "socket" || backend == "udp") {
    port.backend = backend == "udp" ? Backend::udp : Backend::tcp;
    const std::string host = c.text(chardev, "host", field + ".path").value_or("");
    address(port, host + ":" + c.text(chardev, "port", field + ".path").value_or(""));
  } else if (backend == "file") {
    port.backend = Backend::file;
    port.path = path();
  } else if (backend == "pipe") {
    port.backend = Backend::pipe;
    port.path = path();
  } else if (backend == "serial" || backend == "tty" || backend == "parallel" || backend == "parport") {
    port.backend = Backend::host_device;
    port.path = path();
  }
  c.settle(chardev, "id", Disposition::irrelevant, "a name inside the command");
  c.settle_rest(chardev, Disposition::irrelevant, "how QEMU opens the port's other end");
}

void read_ports(Context &c) {
  struct Kind {
    std::string_view option, list, name;
    std::vector<CharPort> &ports;
  };
  Hardware &hardware = c.hardware();
  for (const Kind &kind : {Kind{"serial", "hardware.serial_ports", "COM1", hardware.serial_ports},
                           Kind{"parallel", "hardware.parallel_ports", "LPT1", hardware.parallel_ports}}) {
    bool asked = c.has("nodefaults") || !kind.ports.empty();
    std::vector<CharPort> board;
    for (Option *option : c.all(kind.option)) {
      asked = true;
      CharPort port;
      port.slot = static_cast<unsigned>(board.size());
      port.origin = option->where;
      const std::string text = option->keys.empty() ? std::string{} : option->keys.back().value;
      c.take_rest(*option, kind.list);
      if (fill_port(c, text, port, option->where)) board.push_back(std::move(port));
    }
    if (!asked) {
      CharPort port;
      port.origin = c.launch.where;
      board.push_back(std::move(port));
      c.added.emplace_back(kind.name);
    }
    // -device isa-serial comes behind the board's own, in the ports that are left.
    for (CharPort &port : kind.ports) {
      if (port.slot < board.size()) port.slot = static_cast<unsigned>(board.size());
      board.push_back(std::move(port));
    }
    kind.ports = std::move(board);
  }
  for (Option *option : c.all("nographic")) {
    c.settle(*option, Disposition::irrelevant, "the serial port is there as a console in any case");
  }
  for (Option *option : c.all("debugcon")) c.settle(*option, Disposition::dropped, "a debug port of the firmware's");
}

}  // namespace ferry::qemu
