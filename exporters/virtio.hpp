// SPDX-License-Identifier: Apache-2.0
// What changes of a machine after its migration: its way from old controllers and cards to virtio, and from its
// source's images to its own. In words that any target's document may have.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace ferry::target {

enum class VirtioDisks { scsi, blk, keep };
enum class VirtioCards { virtio, keep };

struct VirtioChoice {
  VirtioDisks disks = VirtioDisks::scsi;
  VirtioCards cards = VirtioCards::virtio;
};

// What a document has of both.
struct VirtioState {
  struct Device {
    std::string name, model;  // "sda", "sata"; a card's MAC, "e1000"
    bool is_virtio = false;
    bool is_to_move = false;  // a switch would: not of USB, NVMe, devices of the host
  };
  std::vector<Device> disks, cards;
  bool has_agent = false;        // a channel for the guest's agent
  bool is_windows = false;       // as the document says of its system
  bool has_spares = false;       // of ours: see with_spares()
  std::filesystem::path folder;  // of the first disk's image
};

// PCI ids of the devices on virtio: drivers of Windows are bound to them. "1af4:1004"
struct VirtioIds {
  std::set<std::string> disks;  // of the controllers of disks, or of the disks themselves
  std::set<std::string> cards;
};

// What a guest is to see once before its disks and cards are switched.
struct VirtioSpares {
  std::filesystem::path disk;               // a qcow2 image
  std::optional<std::filesystem::path> cd;  // with drivers
};

// A disk whose image lies over another one.
struct BackedDisk {
  std::string name;     // "sda"
  std::string file;     // its own image
  std::string format;   // "qcow2"
  std::string backing;  // what it reads besides; empty: not known, or no file
};

}  // namespace ferry::target
