// SPDX-License-Identifier: Apache-2.0
// Which libvirt bus each controller's drives go to, and the positions on those buses.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "exporters/libvirt/map/mapping.hpp"

namespace ferry::libvirt {

// Where drives of one kind on one source controller go.
struct BusChoice {
  std::string bus;    // "ide", "sata", "scsi", "virtio", "usb", "fdc", "nvme"
  std::string model;  // of a SCSI controller
  bool exact = true;  // QEMU has the source's controller, or one with the same driver
  std::string why;    // when not exact
};

// A drive, as far as its bus depends on it.
struct DriveNeeds {
  DriveKind kind = DriveKind::disk;
  bool empty = false;  // QEMU's USB drives must have a medium
  const target::Medium *medium = nullptr;
};

// What suits such a drive of `controller`: by QEMU's devices, the host, the board, what the guest was seen to boot
// from, its OS and --disk-bus.
[[nodiscard]] BusChoice choose_bus(const Mapping &m, const Controller &controller, const DriveNeeds &drive);
// How the host's machines can have NVMe disks.
enum class NvmeWay { none, by_arguments, by_libvirt };
[[nodiscard]] NvmeWay nvme_way(const HostProfile &host);

// A disk boots from IDE alone, which only the board `pc` has.
[[nodiscard]] bool boots_from_ide_alone(const Mapping &m);
[[nodiscard]] std::string controller_label(const Controller &controller);

// Hands out positions; makes libvirt controllers as they are needed.
class Buses {
 public:
  explicit Buses(Mapping &m) : m_(m) {}

  struct Position {
    std::string bus;
    std::optional<DriveAddress> drive;
    std::optional<PciAddress> pci;
    bool moved = false;  // not the port that was wanted
  };
  // `group`: drives with the same number share controllers (one per source controller and SCSI model).
  // `pci_slot`: of the first controller that is made for the group. nullopt when the bus has no room.
  [[nodiscard]] std::optional<Position> place(const BusChoice &choice, std::size_t group, unsigned port,
                                              unsigned device, std::optional<unsigned> pci_slot);

  // The controller is there even without drives, as the guest knows it.
  void ensure(const BusChoice &choice, std::size_t group, std::optional<unsigned> pci_slot);

 private:
  struct Unit {  // a libvirt controller
    std::string type, model;
    std::size_t group = 0;
    unsigned index = 0;
    std::set<unsigned> used;
    [[nodiscard]] std::optional<unsigned> free_number(unsigned wanted, unsigned limit) const;
  };
  [[nodiscard]] std::optional<Position> place_ide(unsigned port, unsigned device);
  [[nodiscard]] std::optional<Position> place_floppy(unsigned port);
  [[nodiscard]] Position place_numbered(const BusChoice &choice, std::size_t group, unsigned port,
                                        std::optional<unsigned> pci_slot);
  void make_controller(const BusChoice &choice, std::size_t group, std::optional<unsigned> pci_slot);

  Mapping &m_;
  std::vector<Unit> units_;
  std::array<std::array<bool, 2>, 2> ide_{}, floppy_{};
};

}  // namespace ferry::libvirt
