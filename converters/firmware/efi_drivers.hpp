// SPDX-License-Identifier: Apache-2.0
// What is in an EFI firmware's image, as far as machines depend on it: whether its variables stand in front of its code
// in the one file, and which SCSI controllers it has drivers for. By what is in it, whatever it is called.
//
// Facts: UEFI's Platform Initialization Specification, volume 3 ("Firmware Storage"); tianocore's OvmfPkg, whose
// PvScsiDxe.inf and MptScsiDxe.inf have the drivers' names; seen in Debian's ovmf-legacy 2026.08.
#pragma once

#include <cstdint>
#include <filesystem>

namespace ferry::firmware {

struct EfiImage {
  std::uint64_t variables = 0;  // bytes of the store in front; 0: the file is code alone
  bool pvscsi = false;          // VMware's
  bool fusion_mpt = false;      // LSI's: SAS 1068, and the 53C1030 that QEMU has not
};

// Throws Error missing, io, and malformed for what is no firmware.
[[nodiscard]] EfiImage examine_efi_image(const std::filesystem::path &file);

}  // namespace ferry::firmware
