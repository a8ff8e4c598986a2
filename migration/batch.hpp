// SPDX-License-Identifier: Apache-2.0
// Many machines: from a folder that is searched, or from a YAML manifest with options for each machine.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

#include "migration/migrate.hpp"

namespace ferry::migration {

struct BatchEntry {
  std::string argument;  // as written: in reports of what cannot be found
  std::optional<FoundSource> source;
  std::optional<Error> error;  // why there is no source
  Options options;
};

// A folder: every source below it, with `defaults`. A file: a manifest; see docs/batch-manifest.md. Throws Error
// malformed (with line) for a manifest that is not one, missing for an empty folder.
[[nodiscard]] std::vector<BatchEntry> batch_entries(const std::filesystem::path &argument, const Options &defaults);

struct BatchHooks {
  std::function<Progress *(const std::string &machine)> progress;   // may give null; called from worker threads
  std::function<void(const report::MachineReport &)> machine_done;  // called under a lock
};

// Plans all machines one after the other (so that none takes another's name), then migrates up to `jobs` at a
// time. A machine that an earlier run migrated from the same, unchanged source is skipped. One failure does not
// stop the others; a requested stop does.
[[nodiscard]] report::Document run_batch(const std::vector<BatchEntry> &entries, unsigned jobs, bool dry_run,
                                         Host &host, const BatchHooks &hooks, const std::stop_token &stop);

}  // namespace ferry::migration
