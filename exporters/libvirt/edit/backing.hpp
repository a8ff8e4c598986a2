// SPDX-License-Identifier: Apache-2.0
// Which disks of a domain still read another image than their own.
#pragma once

#include <string>
#include <vector>

#include "exporters/virtio.hpp"

namespace ferry::libvirt::edit {

// Of a domain that runs, as libvirt shows it then: with what it has found under each image.
[[nodiscard]] std::vector<target::BackedDisk> backed_disks(const std::string &live_xml);
// All disks in files that can be written to, of a domain that does not: what is under them, their headers say.
[[nodiscard]] std::vector<target::BackedDisk> file_disks(const std::string &domain_xml);

}  // namespace ferry::libvirt::edit
