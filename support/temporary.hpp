// SPDX-License-Identifier: Apache-2.0
// Files and folders for the time of a run. Hidden files that become a result when they are whole. One that a killed
// process left is known by its lock, which went with the process, and is removed by the next that makes one in the same
// folder.
#pragma once

#include <filesystem>
#include <string_view>

#include "support/file.hpp"

namespace ferry::file {

// A folder of mode 0700 below the system's folder for temporary files, which goes with the object and with all in it.
class TemporaryFolder {
 public:
  TemporaryFolder();  // throws Error io
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  [[nodiscard]] const std::filesystem::path &path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Made {
  Descriptor descriptor;
  std::filesystem::path path;
};

// Makes an empty file of mode 0600 in `folder` that is called ".PREFIX" "ferry-" and six random characters and then
// `suffix` (empty or ".part"); it is locked as long as the descriptor is open. On failure the descriptor is -1 and
// errno says why.
[[nodiscard]] Made make_temporary(const std::filesystem::path &folder, std::string_view prefix,
                                  std::string_view suffix = {});
// Locks another file that takes the place of a temporary one. Where the file system has no locks, nothing is locked.
void lock_temporary(int descriptor);
// Removes from `folder` what make_temporary() made for processes of this user that are dead, and what stands beside it
// with ".qemu" behind its name. Never an error.
void remove_abandoned(const std::filesystem::path &folder);

}  // namespace ferry::file
