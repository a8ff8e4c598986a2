// SPDX-License-Identifier: Apache-2.0
// Parts of a machine in a word or two, for people.
#pragma once

#include <string>

#include "model/machine.hpp"

namespace ferry::migration {

// "PIIX3"
[[nodiscard]] std::string chipset_text(Chipset chipset);
// "BIOS", "UEFI"
[[nodiscard]] std::string firmware_text(const Firmware &firmware);

}  // namespace ferry::migration
