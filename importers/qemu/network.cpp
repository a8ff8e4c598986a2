// SPDX-License-Identifier: Apache-2.0
#include "importers/qemu/network.hpp"

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

std::optional<std::uint16_t> port_of(std::string_view text) {
  const auto value = text::parse_u64(text);
  if (!value || *value == 0 || *value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*value);
}

std::optional<PortForward::Protocol> protocol_of(std::string_view text) {
  if (text.empty() || text == "tcp") return PortForward::Protocol::tcp;
  if (text == "udp") return PortForward::Protocol::udp;
  return std::nullopt;
}

void user(Context &c, Option &option, Nic &nic, const std::string &field) {
  nic.mode = NicMode::nat;
  if (const auto net = c.text(option, "net", field + ".nat_cidr")) nic.nat_cidr = net;
  if (nic.nat_cidr && nic.nat_cidr->find('/') == std::string::npos) *nic.nat_cidr += "/24";
  for (const std::string &text : c.texts(option, "hostfwd", field + ".forwards")) {
    if (auto forward = parse_forward(text)) {
      forward->name = "hostfwd" + std::to_string(nic.forwards.size() + 1);
      forward->origin = option.where;
      add_forward(nic, std::move(*forward));
    } else {
      c.raise(kNetworkKey, option.where, "The port forward '" + text::printable(text) + "' cannot be understood.");
    }
  }
  std::string dropped;
  for (const Key &key : option.keys) {
    for (const std::string_view name : {"hostname", "restrict", "dns", "dhcpstart", "smb", "smbserver", "tftp",
                                        "bootfile", "guestfwd", "domainname", "dnssearch", "host", "ipv6", "ipv4",
                                        "ipv6-net", "tftp-server-name", "ipv6-host", "ipv6-dns", "ipv6-prefix"}) {
      if (key.name != name || key.taken) continue;
      const bool plain = (name == "restrict" || name == "ipv6") && parse_bool(key.value) == (name == "ipv6");
      if (!plain) dropped += (dropped.empty() ? "" : ", ") + std::string(name);
      c.settle(option, name, plain ? Disposition::irrelevant : Disposition::dropped,
               plain ? "the default" : "libvirt's user network has no such setting");
    }
  }
  if (!dropped.empty()) {
    c.raise(kNetworkKey, option.where, "Of the user network these are not carried over: " + dropped + ".");
  }
}

void tap(Context &c, Option &option, Nic &nic, const std::string &field) {
  const std::string script = Context::peek(option, "script");
  const auto name = c.text(option, "ifname", field + ".network");
  // Without a script QEMU only opens a tap that is there; a script puts it on a bridge that it knows.
  nic.mode = script == "no" && name ? NicMode::tap : NicMode::bridged;
  if (nic.mode == NicMode::tap) nic.network = *name;
  if (const auto bridge = c.text(option, "br", field + ".network")) nic.network = *bridge;
  for (const std::string_view key : {"script", "downscript", "helper"}) {
    c.settle(option, key, Disposition::irrelevant, "what the host does for the card");
  }
  for (const std::string_view key :
       {"vhost", "vhostforce", "queues", "sndbuf", "vnet_hdr", "fd", "fds", "vhostfd", "poll-us"}) {
    c.settle(option, key, Disposition::irrelevant, "how the host moves the card's packets");
  }
}

void socket(Context &c, Option &option, Nic &nic, const std::string &field) {
  nic.mode = NicMode::socket;
  for (const std::string_view key : {"mcast", "listen", "connect", "udp"}) {
    if (const auto address = c.text(option, key, field + ".network")) nic.network = std::string(key) + " " + *address;
  }
  if (nic.network.empty()) nic.mode = NicMode::null;
}

}  // namespace

std::optional<PortForward> parse_forward(std::string_view text) {
  const std::size_t first = text.find(':');
  const std::size_t dash = text.rfind('-');
  if (first == std::string_view::npos || dash == std::string_view::npos || dash < first) return std::nullopt;
  const auto protocol = protocol_of(text.substr(0, first));
  const std::string_view host = text.substr(first + 1, dash - first - 1), guest = text.substr(dash + 1);
  const std::size_t host_colon = host.rfind(':'), guest_colon = guest.rfind(':');
  if (!protocol || host_colon == std::string_view::npos || guest_colon == std::string_view::npos) return std::nullopt;
  const auto host_port = port_of(host.substr(host_colon + 1)), guest_port = port_of(guest.substr(guest_colon + 1));
  if (!host_port || !guest_port) return std::nullopt;
  PortForward out;
  out.protocol = *protocol;
  out.host_address = host.substr(0, host_colon);
  out.guest_address = guest.substr(0, guest_colon);
  out.host_port = *host_port;
  out.guest_port = *guest_port;
  return out;
}

std::optional<PortForward> parse_redirection(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t colon = text.find(':');
    parts.push_back(text.substr(0, colon));
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
  }
  if (parts.size() != 4) return std::nullopt;
  return parse_forward(std::string(parts[0]) + "::" + std::string(parts[1]) + "-" + std::string(parts[2]) + ":" +
                       std::string(parts[3]));
}

void fill_network(Context &c, Option &option, Nic &nic, const std::string &field) {
  const std::string type = c.text(option, "type", field + ".mode").value_or("user");
  c.settle(option, "id", Disposition::irrelevant, "a name inside the command");
  if (type == "user") {
    user(c, option, nic, field);
  } else if (type == "tap") {
    tap(c, option, nic, field);
  } else if (type == "bridge") {
    nic.mode = NicMode::bridged;
    nic.network = c.text(option, "br", field + ".network").value_or("br0");
    c.settle(option, "helper", Disposition::irrelevant, "what the host does for the card");
  } else if (type == "socket") {
    socket(c, option, nic, field);
  } else if (type == "none") {
    nic.mode = NicMode::null;
  } else {
    nic.mode = NicMode::null;
    c.settle(option, "type", Disposition::dropped, "libvirt has no such network");
    c.raise(kNetworkDropped, option.where,
            "A card is on a network of the kind '" + text::printable(type) + "'; it is there with its link down.");
  }
}

}  // namespace ferry::qemu
