// SPDX-License-Identifier: Apache-2.0
// Serial and parallel ports: fileType device, file, pipe, network or thinprint, with fileName as its address.
#include <map>

#include "importers/vmx/findings.hpp"
#include "importers/vmx/reader.hpp"

#include "support/text.hpp"

namespace ferry::vmx {
namespace {

// "telnet://host:port", "tcp://:port" -> "host:port"; nullopt for an encrypted or unknown scheme, or no port.
std::optional<std::string> network_address(std::string_view uri) {
  const std::size_t scheme_end = uri.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  const std::string scheme = text::lower_ascii(uri.substr(0, scheme_end));
  if (scheme != "telnet" && scheme != "tcp") return std::nullopt;
  std::string_view rest = uri.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find_first_of("/#?"));
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = text::parse_u64(rest.substr(colon + 1));
  if (!port || *port == 0 || *port > 65535) return std::nullopt;
  return std::string(rest);
}

void read_network_port(Reader &reader, const std::string &name, const std::string &field, CharPort &port) {
  Settings &settings = reader.settings;
  const std::string end = settings.filled(name + ".network.endPoint", field + ".server").value_or("server");
  port.server = !text::iequals_ascii(end, "client");
  const auto address = network_address(port.path);
  const auto proxy = settings.filled(name + ".vspc", field + ".backend");
  if (address && !proxy) {
    port.backend = CharPort::Backend::tcp;
    port.path = *address;
    return;
  }
  port.backend = CharPort::Backend::disconnected;
  if (port.path.empty() && !proxy) return;
  reader.find(kSerialProxy, proxy ? name + ".vspc" : name + ".fileName",
              name + " is reached through \"" + text::printable(proxy ? *proxy : port.path) + "\"");
}

CharPort read_port(Reader &reader, const std::string &name, const std::string &field) {
  Settings &settings = reader.settings;
  CharPort port;
  port.origin = settings.place(name + ".present");
  const std::string type =
      text::lower_ascii(settings.filled(name + ".fileType", field + ".backend").value_or("device"));
  port.path = settings.filled(name + ".fileName", field + ".path").value_or("");
  const bool autodetect = settings.boolean(name + ".autodetect", field + ".path").value_or(false);
  port.connected_at_start = settings.boolean(name + ".startConnected", field + ".connected_at_start").value_or(true);
  if (type == "device") {
    port.backend = CharPort::Backend::host_device;
    if (autodetect || port.path.empty()) port.path = "auto detect";
  } else if (type == "file") {
    port.backend = CharPort::Backend::file;
  } else if (type == "pipe") {
    port.backend = CharPort::Backend::pipe;
    port.server =
        !text::iequals_ascii(settings.filled(name + ".pipe.endPoint", field + ".server").value_or("server"), "client");
  } else if (type == "network") {
    read_network_port(reader, name, field, port);
  } else if (type == "thinprint") {
    port.backend = CharPort::Backend::thin_print;
  } else {
    reader.find(kBadValue, name + ".fileType", "\"" + text::printable(type) + "\" is not a known kind of port");
  }
  return port;
}

void read_kind(Reader &reader, const std::string &kind, const std::string &list, std::vector<CharPort> &ports) {
  for (const unsigned index : reader.settings.indices(kind)) {
    const std::string name = kind + std::to_string(index);
    const std::string field = reader.field(list + "." + std::to_string(ports.size()));
    if (!reader.settings.present(name, false, field)) continue;
    CharPort port = read_port(reader, name, field);
    port.slot = index;
    if (kind == "serial") port.uart = "16550A";
    ports.push_back(std::move(port));
  }
}

}  // namespace

void read_ports(Reader &reader, Hardware &hardware) {
  read_kind(reader, "serial", "serial_ports", hardware.serial_ports);
  read_kind(reader, "parallel", "parallel_ports", hardware.parallel_ports);
}

}  // namespace ferry::vmx
