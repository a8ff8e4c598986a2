// SPDX-License-Identifier: Apache-2.0
// In which order a machine's devices are tried at its start. A target says each place in its own form.
#pragma once

#include <cstddef>
#include <vector>

#include "model/hardware.hpp"

namespace ferry::target {

struct BootDrive {
  const Controller *controller;
  const Drive *drive;
};

struct BootCard {
  const ferry::Nic *nic;  // not the target's own
  bool connected;         // a card whose link is down is tried only where it has a rank of its own
};

struct BootChoice {
  enum class Of { drives, cards } of;
  std::size_t index;  // in the list that was given
  friend bool operator==(const BootChoice &, const BootChoice &) = default;
};

// Each drive and card that is tried, once.
//
// Devices with a rank of their own (QEMU's bootindex) come first. BIOS machines then try the source's classes of
// devices in its order; within a class, the firmware of both platforms looks on IDE first, then SATA, SCSI, NVMe, USB.
// EFI machines boot by their variables; OVMF deletes every Boot#### entry of a device that has no rank as soon as one
// device has one, so all disks and CDs are there, first, and the source's order only ranks what comes after them.
[[nodiscard]] std::vector<BootChoice> boot_sequence(const Hardware &hardware, const std::vector<BootDrive> &drives,
                                                    const std::vector<BootCard> &cards);

}  // namespace ferry::target
