// SPDX-License-Identifier: Apache-2.0
#include "model/guest_os.hpp"

#include <string>

#include "model/support/text.hpp"

namespace ferry {

GuestOs guest_os_from_virtualbox(std::string_view os_type) {
  return {std::string(os_type), std::string(os_type), OsFamily::unknown, true, {}};
}
GuestOs guest_os_from_vmware(std::string_view guest_os) {
  GuestOs out{std::string(guest_os),
              std::string(guest_os),
              OsFamily::unknown,
              guest_os.find("64") != std::string_view::npos,
              {}};
  if (text::lower_ascii(guest_os).rfind("win", 0) == 0) out.family = OsFamily::windows;
  return out;
}
GuestOs guest_os_from_cim(int id) { return {std::to_string(id), {}, OsFamily::unknown, true, {}}; }

}  // namespace ferry
