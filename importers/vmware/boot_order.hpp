// SPDX-License-Identifier: Apache-2.0
// What VMware's BIOS boots from, as .vmx files and the ExtraConfig of OVF packages say it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/hardware.hpp"

namespace ferry::vmware {

// The order of the BIOS's setup, as bios.bootOrder would write it.
inline constexpr std::string_view kDefaultClasses = "floppy,hdd,cdrom,net";

struct BootOrder {
  std::vector<BootDevice> devices;
  std::vector<std::string> unknown;  // items that name no kind of device
};

// bios.bootOrder = "cdrom,hdd,ethernet0" and bios.hddOrder = "scsi0:0,scsi0:1"; either may be empty. With hddOrder
// alone the classes come in VMware's default order and the disks in theirs. Both empty: no devices.
[[nodiscard]] BootOrder boot_order(std::string_view classes, std::string_view disks);

}  // namespace ferry::vmware
