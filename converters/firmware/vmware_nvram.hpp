// SPDX-License-Identifier: Apache-2.0
// VMware's .nvram: CMOS, ESCD and, for EFI machines, the variables.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "converters/firmware/variable.hpp"

#include "support/error.hpp"

namespace ferry::firmware {

[[nodiscard]] bool is_vmware_nvram(std::span<const std::uint8_t> bytes);
// An encrypted file (a machine with a virtual TPM) begins with bytes of its own and has no readable structure.
[[nodiscard]] bool is_encrypted_vmware_nvram(std::span<const std::uint8_t> bytes);

// The EFI variables; empty for a BIOS machine's file. Throws Error malformed. `bytes` is the whole file.
[[nodiscard]] std::vector<Variable> parse_vmware_nvram(std::span<const std::uint8_t> bytes, const Place &place);

}  // namespace ferry::firmware
