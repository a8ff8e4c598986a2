// SPDX-License-Identifier: Apache-2.0
#include "exporters/choices.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "support/text.hpp"

namespace ferry::target {
namespace {

constexpr std::string_view kBridge = "bridge:", kNetwork = "network:";

}  // namespace

std::optional<Network> Network::parse(std::string_view text) {
  if (text == "user") return Network{Kind::user, {}};
  if (text == "none") return Network{Kind::none, {}};
  for (const auto &[prefix, kind] : {std::pair{kBridge, Kind::bridge}, std::pair{kNetwork, Kind::network}}) {
    if (text.starts_with(prefix) && text.size() > prefix.size()) {
      return Network{kind, std::string(text.substr(prefix.size()))};
    }
  }
  return std::nullopt;
}

std::string Network::text() const {
  switch (kind) {
    case Kind::user: return "user";
    case Kind::bridge: return std::string(kBridge) + name;
    case Kind::network: return std::string(kNetwork) + name;
    case Kind::none: return "none";
  }
  return {};
}

std::optional<Forward> Forward::parse(std::string_view text) {
  Forward out;
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, equals);
  const std::string_view guest = text.substr(equals + 1);
  if (host.starts_with("udp:") || host.starts_with("tcp:")) {
    out.tcp = host.front() == 't';
    host.remove_prefix(4);
  }
  if (const std::size_t colon = host.rfind(':'); colon != std::string_view::npos) {
    out.address = host.substr(0, colon);
    host.remove_prefix(colon + 1);
    in_addr ignored{};
    if (inet_pton(AF_INET, out.address.c_str(), &ignored) != 1) return std::nullopt;
  }
  constexpr std::uint64_t kHighest = 65535;
  const auto from = text::parse_u64(host);
  const auto to = guest == "none" ? std::optional<std::uint64_t>(0) : text::parse_u64(guest);
  if (!from || *from == 0 || *from > kHighest || !to || *to > kHighest || (*to == 0 && guest != "none"))
    return std::nullopt;
  out.host_port = static_cast<std::uint16_t>(*from);
  out.guest_port = static_cast<std::uint16_t>(*to);
  return out;
}

std::string Forward::text() const {
  return (tcp ? "" : "udp:") + (address.empty() ? "" : address + ":") + std::to_string(host_port) + "=" +
         (guest_port == 0 ? "none" : std::to_string(guest_port));
}

std::string_view to_string(DiskBus bus) {
  switch (bus) {
    case DiskBus::sata: return "sata";
    case DiskBus::scsi: return "scsi";
    case DiskBus::virtio: return "virtio";
    case DiskBus::ide: return "ide";
    case DiskBus::usb: return "usb";
    case DiskBus::nvme: return "nvme";
  }
  return {};
}

std::string_view to_string(VideoModel model) {
  switch (model) {
    case VideoModel::vga: return "vga";
    case VideoModel::virtio: return "virtio";
    case VideoModel::virtio_3d: return "virtio-3d";
    case VideoModel::qxl: return "qxl";
    case VideoModel::cirrus: return "cirrus";
    case VideoModel::bochs: return "bochs";
    case VideoModel::vmvga: return "vmvga";
    case VideoModel::none: return "none";
  }
  return {};
}

const Network *Choices::network_of(std::size_t card) const {
  const auto own = networks.find(card);
  if (own != networks.end()) return &own->second;
  return default_network ? &*default_network : nullptr;
}

}  // namespace ferry::target
