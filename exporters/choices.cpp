// SPDX-License-Identifier: Apache-2.0
#include "exporters/choices.hpp"

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
