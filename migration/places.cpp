// SPDX-License-Identifier: Apache-2.0
#include "migration/places.hpp"

#include "migration/host.hpp"
#include "migration/run_record.hpp"

#include "support/file.hpp"

namespace ferry::migration {

namespace fs = std::filesystem;

fs::path destination(const Options &options, const target::Target &target) {
  return fs::absolute(options.dest.value_or(target.facts.image_folder)).lexically_normal();
}

bool is_in_own_pool(const Options &options) {
  return !options.dest && options.define && (is_own_session(options.connect) || !flatpak_of(options.connect).empty());
}

fs::path nearest_existing(fs::path folder) {
  std::error_code error;
  while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

fs::path folder_of_stores(const Options &options, const fs::path &dest) {
  if (!is_in_own_pool(options) || !is_own_session(options.connect)) return dest;
  const fs::path own = store_folder();
  const auto there = file::status_of(nearest_existing(own)), here = file::status_of(nearest_existing(dest));
  return there && here && there->device == here->device ? own : dest;
}

fs::path kept_definition(const std::string &run) { return journal_folder() / (run + ".xml"); }

}  // namespace ferry::migration
