// SPDX-License-Identifier: Apache-2.0
// The machines that VirtualBox and VMware have registered.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model/machine.hpp"

#include "support/error.hpp"

namespace ferry::migration {

// A machine that VirtualBox or VMware registers on this host.
struct RegisteredMachine {
  std::string name;
  SourceKind kind{};
  std::filesystem::path file;
  bool exists = false;
};
struct Registered {
  std::vector<RegisteredMachine> machines;
  std::vector<Error> unreadable;  // a platform's registry that cannot be read; the other's is
  std::string why_here;           // as Reader::why_here()
};
// `windows_root`: of a mounted Windows volume, whose users' registries are read; empty: this host's user.
[[nodiscard]] Registered registered_machines(const std::filesystem::path &windows_root = {});
// In this process.
[[nodiscard]] Registered read_registered(const std::filesystem::path &windows_root);
// What this host's user has registered, from the user's own lists alone: the files are not opened.
[[nodiscard]] std::vector<std::filesystem::path> registered_files();
// The folders of this host's registered machines. Asked of the registries once.
[[nodiscard]] const std::vector<std::filesystem::path> &registered_folders();
// In a process that cannot ask: another's answer.
void set_registered_folders(std::vector<std::filesystem::path> folders);
// The one of that name. Throws Error missing (with the names that are near) and usage: several have it, or it is rather
// a file's name.
[[nodiscard]] RegisteredMachine machine_by_name(const std::string &name);

}  // namespace ferry::migration
