// SPDX-License-Identifier: Apache-2.0
// What a domain says of its guest's system.
#pragma once

#include "exporters/libvirt/edit/tree.hpp"

namespace ferry::libvirt::edit {

// By the osinfo id in its metadata.
[[nodiscard]] bool names_windows(const Element &domain);

}  // namespace ferry::libvirt::edit
