// SPDX-License-Identifier: Apache-2.0
// The files that a domain's or a snapshot's XML names.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "exporters/target.hpp"

namespace ferry::libvirt {

// Where a volume of a storage pool lies; "" when nobody knows.
using VolumePath = std::function<std::string(const std::string &pool, const std::string &volume)>;

// Throws Error malformed for what is no XML. Without `volume_path`, disks that are volumes of a pool are left out.
void add_files_of_domain(std::string_view xml, target::MachineFiles &out, const VolumePath &volume_path = {});

}  // namespace ferry::libvirt
