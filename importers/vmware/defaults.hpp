// SPDX-License-Identifier: Apache-2.0
// What VMware shows a guest where the description of the machine is silent: a .vmx, or an OVF of VMware's.
#pragma once

#include "model/hardware.hpp"

namespace ferry::vmware {

// Fills in what is not there yet; what is stays. Call it last: the strings go by firmware and UUID. Slots stay open:
// VMware gives out pciSlotNumber when a machine first starts and writes it into the file.
void apply_defaults(Hardware &hw);

}  // namespace ferry::vmware
