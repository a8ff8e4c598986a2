// SPDX-License-Identifier: Apache-2.0
// From what the user typed to imported machines.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "importers/common.hpp"
#include "migration/options.hpp"
#include "migration/registered.hpp"
#include "model/machine.hpp"

namespace ferry::migration {

struct FoundSource {
  SourceKind kind{};
  std::filesystem::path file;  // absolute
  // Of a package that is compressed as a whole, from the look at what it is; null for others.
  std::shared_ptr<const file::Head> head = {};
};

// Takes a file, a folder that holds exactly one source, or a name that registered_machines() lists. What a file
// is, its content says. Throws Error missing (with the names that are near), usage (several in the folder: lists
// them), unsupported (a file that is none of ours).
[[nodiscard]] FoundSource find_source(const std::string &argument);

// What a file is, or nullopt.
[[nodiscard]] std::optional<SourceKind> detect_source(const std::filesystem::path &file);

struct FoundBelow {
  std::vector<FoundSource> sources;  // sorted by path
  // Folders that could not be searched, files with a machine's suffix that hold none, and files outside of machines'
  // folders that the system does not let be read.
  std::vector<Error> unreadable;
};
// All sources below a folder. Left out are backups (.vbox-prev, the settings that VirtualBox keeps when it upgrades a
// machine) and linked folders. Throws Error io when the folder itself cannot be read.
[[nodiscard]] FoundBelow find_sources_below(const std::filesystem::path &folder);

// Reads it. One machine for a .vbox or .vmx, as many as the envelope has for an OVF.
[[nodiscard]] std::vector<ImportedMachine> import_source(const FoundSource &source, const ImportOptions &options);

// What --search gives, and the Windows drives that the files' own place tells.
[[nodiscard]] names::Places places_of(const Options &options, const std::filesystem::path &file);
[[nodiscard]] ImportOptions import_options(const Options &options, const std::filesystem::path &file);

}  // namespace ferry::migration
