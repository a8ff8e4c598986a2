// SPDX-License-Identifier: Apache-2.0
// What a machine needs of this host to be started: looked at before a disk is converted, not when the start fails.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "exporters/libvirt/host/local_host.hpp"
#include "exporters/target.hpp"

namespace ferry::libvirt {

// For a domain of this user's own session. Looks at what its XML names: KVM, the emulator, firmware, memory, images
// that stay where they are, folders of ports' files, devices of ports, bridges (`bridges`: those that
// qemu-bridge-helper opens to the user), swtpm, passt, shared folders and virtiofsd, which libvirt finds by the
// descriptors in `vhost_user`. Ports of the host are not looked at. Throws Error unsupported.
void refuse_what_cannot_start(const target::Start &start, const std::set<std::string> &bridges,
                              const std::filesystem::path &vhost_user = kVhostUserFolder);

}  // namespace ferry::libvirt
