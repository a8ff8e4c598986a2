// SPDX-License-Identifier: Apache-2.0
// The files that a domain's or a snapshot's XML names.
#pragma once

#include <string_view>

#include "exporters/target.hpp"

namespace ferry::libvirt {

// Throws Error malformed for what is no XML.
void add_files_of_domain(std::string_view xml, target::MachineFiles &out);

}  // namespace ferry::libvirt
