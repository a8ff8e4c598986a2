// SPDX-License-Identifier: Apache-2.0
// What VirtualBox shows a guest where the description of the machine is silent: a .vbox, or an OVF of VirtualBox's.
#pragma once

#include "model/hardware.hpp"

namespace ferry::vbox {

// Fills in what is not there yet; what is stays. `iommu`: the board has one, which moves a controller. Call it last:
// it counts CPUs, cards and controllers.
void apply_defaults(Hardware &hw, bool iommu = false);

// Serial number and model of a drive that the user gave none. Needs to know the medium as VirtualBox's own registry
// names it: the UUIDs that an export writes are made up.
void apply_drive_identity(const Controller &controller, Drive &drive);

}  // namespace ferry::vbox
