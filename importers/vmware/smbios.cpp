// SPDX-License-Identifier: Apache-2.0
#include "importers/vmware/smbios.hpp"

#include <algorithm>

namespace ferry::vmware {

bool has_old_smbios(FirmwareType firmware, unsigned hardware_version) {
  constexpr unsigned kFirstWithSmbios27 = 14;  // virtual hardware of Workstation 14 and ESXi 6.7
  return firmware == FirmwareType::bios && hardware_version < kFirstWithSmbios27;
}

std::string serial_number(const Uuid &uuid) {
  std::string digits = uuid.text();
  digits.erase(std::remove(digits.begin(), digits.end(), '-'), digits.end());
  std::string out = "VMware-";
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    if (i != 0) out += i == 16 ? '-' : ' ';
    out += digits.substr(i, 2);
  }
  return out;
}

}  // namespace ferry::vmware
