// SPDX-License-Identifier: Apache-2.0
#include "migration/describe.hpp"

namespace ferry::migration {

std::string chipset_text(Chipset chipset) {
  switch (chipset) {
    case Chipset::piix3: return "PIIX3";
    case Chipset::ich9: return "ICH9";
    case Chipset::i440bx_vmware: return "440BX";
    case Chipset::armv8_virtual: return "ARM";
  }
  return "?";
}

std::string firmware_text(const Firmware &firmware) {
  switch (firmware.type) {
    case FirmwareType::bios: return "BIOS";
    case FirmwareType::efi32: return "32-bit UEFI";
    case FirmwareType::efi64: return "UEFI";
  }
  return "?";
}

}  // namespace ferry::migration
