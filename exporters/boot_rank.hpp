// SPDX-License-Identifier: Apache-2.0
// In which order a source's firmware looks for hard disks, and what its settings call them.
#pragma once

#include <string>

#include "model/hardware.hpp"

namespace ferry::target {

// Firmware of both platforms looks for hard disks on IDE first (0), then SATA, SCSI, NVMe, USB.
[[nodiscard]] unsigned boot_rank(ControllerType type);

// Whether `detail`, of VMware's hddOrder, names the drive: "scsi0:0" is controller scsi0, target 0; "ide1:0" is the
// master of the second channel.
[[nodiscard]] bool is_named(const Controller &controller, const Drive &drive, const std::string &detail);

}  // namespace ferry::target
