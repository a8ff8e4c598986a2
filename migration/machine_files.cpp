// SPDX-License-Identifier: Apache-2.0
#include "migration/machine_files.hpp"

#include <algorithm>

#include "converters/images/foreign_names.hpp"

#include "support/file.hpp"

namespace ferry::migration {

namespace fs = std::filesystem;

MachineFiles::MachineFiles(const target::MachineFacts &machine) : files_(machine.files.all) {
  for (const fs::path &disk : machine.files.disks) {
    for (fs::path &below : image::files_below(disk)) files_.insert(std::move(below));
  }
}

bool MachineFiles::contains(const fs::path &file) const {
  if (files_.contains(file)) return true;
  const auto status = file::status_of(file);
  return status && std::any_of(files_.begin(), files_.end(), [&status](const fs::path &other) {
           const auto found = file::status_of(other);
           return found && found->same_file(*status);
         });
}

}  // namespace ferry::migration
