// SPDX-License-Identifier: Apache-2.0
// VirtualBox's .nvram: a firmware volume, or a tar with one and with the TPM's state.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "support/error.hpp"

namespace ferry::firmware {

struct VboxNvram {
  std::vector<std::uint8_t> volume;     // the firmware volume; empty when there is none (BIOS machine with a TPM)
  std::vector<std::uint8_t> tpm_state;  // the TPM's permanent state; empty when there is none
};

// Whether the bytes begin like one of the two forms.
[[nodiscard]] bool is_vbox_nvram(std::span<const std::uint8_t> bytes);

// Throws Error malformed. `bytes` is the whole file, at most 1 MiB (VirtualBox's own limit).
[[nodiscard]] VboxNvram parse_vbox_nvram(std::span<const std::uint8_t> bytes, const Place &place);

}  // namespace ferry::firmware
