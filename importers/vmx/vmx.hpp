// SPDX-License-Identifier: Apache-2.0
// VMware machine configuration (.vmx) with its snapshot list (.vmsd).
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "importers/common.hpp"

namespace ferry::vmx {

// Reads a .vmx file. One machine. Throws Error malformed/missing/encrypted/unsupported with file, line and key.
[[nodiscard]] ImportedMachine import_file(const std::filesystem::path &file, const ImportOptions &options);

[[nodiscard]] bool looks_like_vmx(std::string_view head);

struct RegisteredMachine {
  std::filesystem::path file;  // of its .vmx
  std::string name;
};
// Machines that VMware Workstation, Player or Server list for the current user and host
// (~/.vmware/inventory.vmls, ~/.vmware/preferences, /etc/vmware/hostd/vmInventory.xml). Missing lists are empty.
[[nodiscard]] std::vector<RegisteredMachine> registered_machines(const std::filesystem::path &home);
// The same of a mounted Windows volume: `folder` is a user's AppData/Roaming/VMware, `places` maps the drives.
[[nodiscard]] std::vector<RegisteredMachine> windows_machines(const std::filesystem::path &folder,
                                                              const names::Places &places);

}  // namespace ferry::vmx
