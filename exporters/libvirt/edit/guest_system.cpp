// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/edit/guest_system.hpp"

#include <algorithm>

namespace ferry::libvirt::edit {

bool names_windows(const Element &domain) {
  const std::string *id = domain.attribute("id");
  return (id != nullptr && id->find("microsoft.com/win") != std::string::npos) ||
         std::any_of(domain.children.begin(), domain.children.end(), names_windows);
}

}  // namespace ferry::libvirt::edit
