// SPDX-License-Identifier: Apache-2.0
// Facts: dmidecode and lsblk in guests of hardware version 19 (Workstation 16, ESXi 7.0.2), and VMware's documents of
// bios.bootOrder and cpuid.coresPerSocket.
#include "importers/vmware/defaults.hpp"

#include "importers/vmware/boot_order.hpp"
#include "importers/vmware/smbios.hpp"

namespace ferry::vmware {
namespace {

std::map<std::string, std::string> smbios_strings(const Hardware &hw) {
  const bool efi = hw.firmware.type != FirmwareType::bios;
  std::map<std::string, std::string> out = {{"bios.vendor", efi ? "VMware, Inc." : "Phoenix Technologies LTD"},
                                            {"bios.version", efi ? "VMW71.00V.18227214.B64.2106252220" : "6.00"},
                                            {"bios.date", efi ? "06/25/2021" : "11/12/2020"},
                                            {"system.manufacturer", "VMware, Inc."},
                                            {"system.product", efi ? "VMware7,1" : "VMware Virtual Platform"},
                                            {"system.version", "None"},
                                            {"baseBoard.manufacturer", "Intel Corporation"},
                                            {"baseBoard.product", "440BX Desktop Reference Platform"},
                                            {"baseBoard.version", "None"},
                                            {"baseBoard.serial", "None"},
                                            {"chassis.manufacturer", "No Enclosure"},
                                            {"chassis.version", "N/A"},
                                            {"chassis.serial", "None"}};
  if (const auto &uuid = hw.smbios.uuid) {
    out["system.serial"] = serial_number(hw.smbios.uuid_little_endian ? uuid->swapped() : *uuid);
  }
  return out;
}

}  // namespace

void apply_defaults(Hardware &hw) {
  hw.platform.nic_names = NicNames::by_slot;
  hw.platform.drive_models = {{"ide.disk", "VMware Virtual IDE Hard Drive"},
                              {"ide.cdrom", "VMware Virtual IDE CDROM Drive"},
                              {"sata.disk", "VMware Virtual SATA Hard Drive"},
                              {"sata.cdrom", "VMware Virtual SATA CDROM Drive"},
                              {"scsi.vendor", "VMware"},
                              {"scsi.disk", "Virtual disk"},
                              {"scsi.cdrom", "CD-ROM"}};
  hw.platform.smbios_strings = smbios_strings(hw);
  hw.platform.smbios_tools = "VMware";
  if (!hw.cpu.cores_per_socket) hw.cpu.cores_per_socket = 1;
  if (hw.boot_order.empty()) hw.boot_order = boot_order(kDefaultClasses, {}).devices;
}

}  // namespace ferry::vmware
