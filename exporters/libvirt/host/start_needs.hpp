// SPDX-License-Identifier: Apache-2.0
// What a machine needs of this host to be started: looked at before a disk is converted, not when the start fails.
#pragma once

#include <set>
#include <string>

#include "exporters/target.hpp"

namespace ferry::libvirt {

// For a domain of this user's own session. Looks at what its XML names: KVM, the emulator, firmware, memory, images
// that stay where they are, folders of ports' files, devices of ports, bridges (`bridges`: those that
// qemu-bridge-helper opens to the user), swtpm and passt. Ports of the host are not looked at. Throws Error
// unsupported.
void refuse_what_cannot_start(const target::Start &start, const std::set<std::string> &bridges);

}  // namespace ferry::libvirt
