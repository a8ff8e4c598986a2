// SPDX-License-Identifier: Apache-2.0
// The files of a trial: overlays, a copy of the variable store, what the serial port says. The folder goes as soon as
// QEMU has them open, so that from then on they have no names, and nothing is left whatever dies. What a process that
// died before that left is removed by the next trial.
#pragma once

#include <filesystem>
#include <string>

#include "support/file.hpp"

namespace ferry::migration {

class TrialFolder {
 public:
  // Below $XDG_STATE_HOME/virt-ferry/trials, for this user alone; removes those of dead processes first. Throws Error
  // io.
  TrialFolder();
  ~TrialFolder();
  TrialFolder(const TrialFolder &) = delete;
  TrialFolder &operator=(const TrialFolder &) = delete;

  [[nodiscard]] const std::filesystem::path &path() const { return path_; }
  // Takes a folder elsewhere into its care: it goes with this one. Called before it is made. Throws Error io.
  void also_remove(const std::filesystem::path &folder);
  // Removes all files that have a name; the folder that was taken into care stays until the end.
  void remove_files() const;

 private:
  std::filesystem::path path_, other_;
  file::Descriptor lock_;
};

}  // namespace ferry::migration
