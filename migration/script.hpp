// SPDX-License-Identifier: Apache-2.0
// A machine as a shell script that runs without libvirt: one that libvirt has, in its place; or a source, whose disks
// are converted beside the script.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "converters/progress.hpp"
#include "exporters/script/script.hpp"
#include "migration/options.hpp"
#include "model/finding.hpp"

namespace ferry::migration {

struct ScriptResult {
  script::Script script;
  std::vector<Finding> findings;  // of the migration, for a source
  std::string run;                // that made its files; empty: none
};

// The script of the machine that the connection calls `name`; nullopt when it has none of that name. `file`: where the
// script goes; empty: nowhere yet. Throws Error unreachable, libvirt, unsupported.
[[nodiscard]] std::optional<ScriptResult> script_of_machine(const std::string &name, const std::string &connect,
                                                            const std::filesystem::path &file);

// Migrates the source into the folder of `file`, without libvirt. Throws Error as a migration refuses, and usage for a
// source of several machines.
[[nodiscard]] ScriptResult script_of_source(const std::string &source, const Options &options,
                                            const std::filesystem::path &file, Progress *progress,
                                            const std::stop_token &stop);

// Writes it, executable. Throws Error conflict where something is there and `overwrite` is not set, io, no_space.
void write_script_file(const std::filesystem::path &file, const std::string &text, bool overwrite);

}  // namespace ferry::migration
