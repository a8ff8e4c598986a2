// SPDX-License-Identifier: Apache-2.0
// Many machines: from a folder that is searched, or from a YAML manifest with options for each machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

#include "migration/migrate.hpp"
#include "migration/shard.hpp"

namespace ferry::migration {

struct BatchEntry {
  std::string argument;  // as written: in reports of what cannot be found
  std::optional<FoundSource> source;
  std::optional<Error> error;  // why there is no source
  Options options;
  std::optional<std::uint64_t> bytes = {};  // of data, as the manifest says
};

// A folder: every source below it, with `defaults`. A file: a manifest; see docs/batch-manifest.md. Never empty. Throws
// Error usage for a manifest that is not one (with line), and for options that only one machine can have with a folder;
// missing for an empty folder.
[[nodiscard]] std::vector<BatchEntry> batch_entries(const std::filesystem::path &argument, const Options &defaults);

// Those of a manifest's machines that are the shard's, by the manifest's text alone: a file that comes or goes
// meanwhile moves no other machine. Throws as batch_entries(), and Error usage for a folder, and for machines without a
// name of their own: in another shard its name could be given to another one.
[[nodiscard]] std::vector<BatchEntry> batch_entries(const std::filesystem::path &manifest, const Options &defaults,
                                                    const Shard &shard);

// What the host is asked with: all machines of a batch go to one connection. Throws Error usage when they differ.
// `entries` must not be empty.
[[nodiscard]] Options host_options(const std::vector<BatchEntry> &entries);

struct BatchHooks {
  // May give null; called from worker threads. The report stays where it is until the batch ends.
  std::function<Progress *(const report::MachineReport &)> progress = {};
  // Called once, before anything is made, with all that the batch reads and makes. What it throws ends the batch.
  std::function<void(const std::vector<std::filesystem::path> &)> planned = {};
  // Called once, before anything is made, with the number of machines and their data in bytes.
  std::function<void(std::size_t, std::uint64_t)> begins = {};
  // With each machine that is on the target now, before it counts as done: to try it. Called from worker threads, and
  // must not throw.
  std::function<void(report::MachineReport &, const Options &)> made = {};
  // With the number of machines in the batch; called under a lock.
  std::function<void(const report::MachineReport &, std::size_t)> machine_done = {};
};

// Plans all machines one after the other (so that none takes another's name), then migrates up to `jobs` at a
// time. A machine that an earlier run migrated from the same, unchanged source is skipped. One failure does not
// stop the others; a requested stop does.
[[nodiscard]] report::Document run_batch(const std::vector<BatchEntry> &entries, unsigned jobs, bool dry_run,
                                         Host &host, const BatchHooks &hooks, const std::stop_token &stop);

}  // namespace ferry::migration
