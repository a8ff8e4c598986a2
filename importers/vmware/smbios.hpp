// SPDX-License-Identifier: Apache-2.0
// What VMware's SMBIOS tables say by themselves, whatever file describes the machine. VMware's BIOS says SMBIOS 2.4 up
// to Workstation 12 and ESXi 6.0 (kernel logs name 2.4 for BIOS dates to 09/2015), 2.7 later; its EFI has always
// said 2.7 [believed].
#pragma once

#include <string>

#include "model/hardware.hpp"

namespace ferry::vmware {

// Whether the tables are older than 2.6 with that firmware on that virtual hardware (0: the source does not say).
[[nodiscard]] bool has_old_smbios(FirmwareType firmware, unsigned hardware_version);

// The system's serial number: "VMware-56 4d b0 8e d5 91 3c 27-ed 61 e7 a8 83 4d 0b 9c".
[[nodiscard]] std::string serial_number(const Uuid &uuid);

}  // namespace ferry::vmware
