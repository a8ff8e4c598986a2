// SPDX-License-Identifier: Apache-2.0
// The ports of the host that a defined domain listens on: forwards by passt and by QEMU's user network, serial ports on
// TCP, displays with a port of their own.
#include "exporters/libvirt/host/capabilities.hpp"

#include "support/text.hpp"

namespace ferry::libvirt {
namespace {

class PortCollector {
 public:
  explicit PortCollector(std::set<std::string> &out) : out_(out) {}

  void forward(const xml::Element &rule) {
    const std::string protocol = value(rule, "proto");
    for (const xml::Element &range : rule.children) {
      if (range.name != "range") continue;
      const auto start = text::parse_u64(value(range, "start"));
      const auto end = text::parse_u64(value(range, "end"));
      if (!start || value(range, "exclude") == "yes") continue;
      constexpr std::uint64_t kMostPorts = 65535;
      for (std::uint64_t port = *start; port <= end.value_or(*start) && port <= kMostPorts; ++port) {
        add(protocol.empty() ? "tcp" : protocol, std::to_string(port));
      }
    }
  }

  // "user,id=x,hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=udp::53-:53"
  void argument(std::string_view text) {
    constexpr std::string_view kKey = "hostfwd=";
    for (std::size_t at = text.find(kKey); at != std::string_view::npos; at = text.find(kKey, at + 1)) {
      std::string_view rule = text.substr(at + kKey.size());
      rule = rule.substr(0, rule.find(','));
      const std::string_view protocol = rule.substr(0, rule.find(':'));
      const std::string_view host = rule.substr(0, rule.find('-'));
      const std::size_t colon = host.rfind(':');
      if (colon != std::string_view::npos) add(std::string(protocol), std::string(host.substr(colon + 1)));
    }
  }

  void device(const xml::Element &device) {
    for (const xml::Element &below : device.children) {
      if (device.name == "interface" && below.name == "portForward") forward(below);
      if (below.name == "source" && value(below, "mode") == "bind") add("tcp", value(below, "service"));
    }
    if (device.name == "graphics" && value(device, "autoport") != "yes") add("tcp", value(device, "port"));
  }

 private:
  static std::string value(const xml::Element &element, std::string_view name) {
    const std::string *found = element.attribute(name);
    return found == nullptr ? std::string() : *found;
  }

  void add(const std::string &protocol, const std::string &port) {
    const auto number = text::parse_u64(port);
    if (number && *number > 0) out_.insert(protocol + ":" + std::to_string(*number));
  }

  std::set<std::string> &out_;
};

}  // namespace

std::set<std::string> listen_ports(const xml::Element &domain) {
  std::set<std::string> out;
  PortCollector collector(out);
  for (const xml::Element &part : domain.children) {
    for (const xml::Element &below : part.children) {
      if (part.name == "devices") collector.device(below);
      const std::string *argument = below.attribute("value");
      if (part.name == "commandline" && argument != nullptr) collector.argument(*argument);
    }
  }
  return out;
}

}  // namespace ferry::libvirt
