// SPDX-License-Identifier: Apache-2.0
// What the user has to do inside of the guest, for the guest that was seen. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migration/finish/proof.hpp"

namespace ferry::migration {

// How Linux' initial RAM disk gets virtio's drivers, a command for its root; of the system at hand where it is known.
[[nodiscard]] std::string initramfs_command(const Observed &observed);

// How Windows gets its drivers, from the CD that the machine has, or is to have.
[[nodiscard]] std::vector<std::string> windows_driver_steps();

// What the old platform has left in the guest, and how it goes, a sentence or a command each; empty where nothing was
// found. `card_changed`: Windows has a new network card.
[[nodiscard]] std::vector<std::string> clean_up_steps(const GuestEvidence &guest, bool card_changed);

}  // namespace ferry::migration
