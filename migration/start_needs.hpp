// SPDX-License-Identifier: Apache-2.0
// What a machine needs of this host to be started: looked at before a disk is converted, not when the start fails.
#pragma once

#include "migration/plan.hpp"

namespace ferry::migration {

// For --start on this user's own session. Looks at what the machine's document names: KVM, the emulator, firmware,
// memory, images that stay where they are, folders of ports' files, devices of ports, bridges, swtpm and passt. Ports
// of the host are refuse_busy_ports()'s. Throws Error unsupported.
void refuse_what_cannot_start(const MachinePlan &plan);

}  // namespace ferry::migration
