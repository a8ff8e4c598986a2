// SPDX-License-Identifier: Apache-2.0
// VMware machine configuration (.vmx) with its snapshot list (.vmsd).
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "importers/common.hpp"

namespace ferry::vmx {

// Reads a .vmx file. One machine. Throws Error malformed/missing/encrypted/unsupported with file, line and key.
[[nodiscard]] ImportedMachine import_file(const std::filesystem::path &file, const ImportOptions &options);

// Where the files of a machine are whose .vmx is a member of an archive.
struct Inside {
  std::function<std::optional<FileRange>(const std::string &location)> find;  // as the .vmx names them
  bool gzip = false;  // the ranges are of what the archive inflates to
};
// The same of a .vmx in an archive; `shown_as` is how places name it. Its list of snapshots is not read. `ledger` goes
// on with what the archive says besides.
[[nodiscard]] ImportedMachine import_inside(std::string_view bytes, const std::filesystem::path &shown_as,
                                            const ImportOptions &options, const Inside &inside, Ledger ledger);

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
