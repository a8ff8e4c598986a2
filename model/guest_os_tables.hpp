// SPDX-License-Identifier: Apache-2.0
// The rows behind model/guest_os.hpp. `osinfo` is an id of Debian 12's osinfo-db (20221130): a release that is newer
// than that has the newest id of its family. `osinfo_newer` is the nearer one that Debian 13's has (20250619); it is
// empty where `osinfo` is the nearest of that as well.
#pragma once

#include <span>
#include <string_view>

#include "model/guest_os.hpp"

namespace ferry::guest_os_tables {

struct Named {
  std::string_view id;  // lower case, without the mark of the architecture
  std::string_view label;
  OsFamily family;
  std::string_view osinfo;  // what follows "http://"; empty when libosinfo has none
  std::string_view osinfo_newer = {};
  bool always_64bit = false;  // the id carries no mark, and all of that system's releases are 64-bit
};

struct Numbered {
  int id;
  std::string_view label;
  OsFamily family;
  bool is_64bit;
  std::string_view osinfo;
  std::string_view osinfo_newer = {};
};

// Sorted by id.
[[nodiscard]] std::span<const Named> virtualbox();
[[nodiscard]] std::span<const Named> vmware();
[[nodiscard]] std::span<const Numbered> cim();

}  // namespace ferry::guest_os_tables
