// SPDX-License-Identifier: Apache-2.0
// What a user may ask of the new machine's hardware, on any target; read from text where options are read, nowhere
// else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::target {

// Where a network card goes.
struct Network {
  enum class Kind { user, bridge, network, none };
  Kind kind = Kind::user;
  std::string name;  // of the bridge or the network

  // "user", "bridge:br0", "network:lab", "none"; nullopt for anything else.
  [[nodiscard]] static std::optional<Network> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Network &, const Network &) = default;
};

// What is asked for a port of the host that leads to a guest: --forward CARD:HOST=GUEST|none.
struct Forward {
  bool tcp = true;
  std::string address;  // of the host, IPv4; empty: as the source has it, or any
  std::uint16_t host_port = 0;
  std::uint16_t guest_port = 0;  // 0: the port leads nowhere

  // "2222=22", "udp:5353=53", "127.0.0.1:8080=80", "2222=none"; nullopt for anything else.
  [[nodiscard]] static std::optional<Forward> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Forward &, const Forward &) = default;
};

enum class DiskBus { sata, scsi, virtio, ide, usb, nvme };
[[nodiscard]] std::string_view to_string(DiskBus bus);

enum class VideoModel { vga, virtio, virtio_3d, qxl, cirrus, bochs, vmvga, none };
[[nodiscard]] std::string_view to_string(VideoModel model);

struct Choices {
  std::map<std::size_t, Network> networks;               // by network card, from 0
  std::map<std::size_t, std::vector<Forward>> forwards;  // by network card, from 0
  std::optional<Network> default_network;                // of the cards that are not in `networks`
  std::optional<bool> keep_nic_names;                    // --nic-names keep|off; nullopt: where no taint is needed
  bool keep_smbios_strings = false;                      // the source platform's vendor strings
  bool keep_disk_models = false;                         // "VBOX HARDDISK"
  std::optional<DiskBus> disk_bus;                       // of all disks
  bool shared_folders = false;                           // by virtiofs
  std::optional<VideoModel> video_model;
  bool hot_add = true;            // CPUs and memory can be added where they could at the source
  bool map_host_devices = false;  // serial and parallel devices of the host

  // Null: nothing was asked for this card.
  [[nodiscard]] const Network *network_of(std::size_t card) const;
};

}  // namespace ferry::target
