// SPDX-License-Identifier: Apache-2.0
#include "migration/batch.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>

#include "migration/done_before.hpp"
#include "migration/journal.hpp"
#include "migration/manifest.hpp"
#include "migration/remote_source.hpp"
#include "migration/report_builder.hpp"
#include "migration/target_names.hpp"

#include "support/file.hpp"
#include "support/file_names.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadersKept = 16;  // that wait for their machines' turn with all that they know

struct Job {
  Planned planned;
  const Options *options = nullptr;
};

// The machines of a batch share the room at a destination: what does not fit beside those before it is refused before
// any work, not when the disk is full.
class Room {
 public:
  void take(Planned &planned, const fs::path &dest) {
    if (!planned.plan) return;
    const std::uint64_t needed = planned.plan->space_needed;
    std::uint64_t &taken = taken_[dest];
    const auto available = planned.plan->space_available;
    if (!available || taken + needed <= *available) {
      taken += needed;
      return;
    }
    refuse(planned.report,
           Error(ErrorKind::no_space,
                 {.where = {.file = dest},
                  .message = "there is not enough room for this machine after those before it",
                  .found = text::human_bytes(*available) + " free, " + text::human_bytes(taken) +
                           " of it for other machines of the batch",
                  .expected = text::human_bytes(needed),
                  .advice =
                      "Make room and run the batch again, or give the machine another dest in a manifest. Where source "
                      "and destination are on one Btrfs or XFS file system, --disk-mode share needs next to none."}));
    planned.plan.reset();
  }

 private:
  std::map<fs::path, std::uint64_t> taken_;  // bytes by destination
};

// One machine's own values cannot be those of many.
void refuse_options_of_one(const fs::path &argument, const Options &options) {
  const char *option = options.name && !is_name_pattern(*options.name)     ? "--name"
                       : options.identity.uuid_policy == UuidPolicy::given ? "--uuid UUID"
                       : !options.identity.macs.empty()                    ? "--mac N=MAC"
                                                                           : nullptr;
  if (option == nullptr) return;
  throw Error(ErrorKind::usage, {.where = {.file = argument},
                                 .message = std::string(option) + " can only be used for one machine",
                                 .advice = "Use a manifest, where each machine has its own options "
                                           "(docs/batch-manifest.md)."});
}

std::vector<Job> plan_all(const std::vector<BatchEntry> &entries, bool dry_run, Host &host,
                          const std::stop_token &stop) {
  const std::vector<RunRecord> runs = all_runs();
  std::vector<Job> jobs;
  Room room;
  for (const BatchEntry &entry : entries) {
    if (stop.stop_requested()) break;
    if (entry.error) {
      jobs.push_back({{.report = not_found(entry.argument, *entry.error)}, &entry.options});
      continue;
    }
    Options options = entry.options;
    options.every_machine = true;
    for (Planned &planned : plan_source(*entry.source, options, *host.target, runs)) {
      const fs::path dest = destination(entry.options, *host.target);
      target::Taken &taken = host.target->facts.taken;
      if (skip_if_done(planned, entry.options, runs, dest, taken)) {
        taken.planned_names.insert(planned.done_as);  // those after it get on with it as they did with its plan
      } else {
        room.take(planned, dest);
      }
      if (dry_run) planned.plan.reset();  // two hundred plans need not stay in memory
      // Nor do as many processes: those of later machines come again when they are needed.
      if (planned.plan && jobs.size() >= kReadersKept) planned.plan->reader->rest();
      jobs.push_back({std::move(planned), &entry.options});
    }
  }
  return jobs;
}

void find_sources(std::vector<BatchEntry> &entries) {
  for (BatchEntry &entry : entries) {
    try {
      entry.source = find_source(entry.argument);
    } catch (const Error &error) {
      entry.error = error;
    }
  }
}

// Several processes do not know of each other which names they gave out.
void refuse_names(const std::vector<BatchEntry> &entries, const fs::path &manifest) {
  std::map<std::string, const BatchEntry *> seen;
  const auto refuse = [&](std::string message, const std::string &found) {
    throw Error(ErrorKind::usage,
                {.where = {.file = manifest},
                 .message = std::move(message),
                 .found = text::printable(found),
                 .expected = "a name for each machine, and each but once",
                 .advice = "'virt-ferry plan DIR|MANIFEST --manifest FILE' writes a manifest with names."});
  };
  for (const BatchEntry &entry : entries) {
    if (!entry.options.name || is_name_pattern(*entry.options.name))
      refuse("a machine has no name of its own, and shards cannot agree on one", entry.argument);
    const auto [first, is_new] = seen.emplace(*entry.options.name, &entry);
    if (!is_new)
      refuse("two machines have one name",
             *entry.options.name + ": " + first->second->argument + " and " + entry.argument);
  }
}

}  // namespace

std::vector<BatchEntry> batch_entries(const fs::path &typed, const Options &defaults) {
  refuse_remote(typed.string(), "'virt-ferry batch'",
                "Give a manifest whose sources are such URLs, or use 'virt-ferry migrate' for one machine.");
  const fs::path argument = names::as_spelt(typed);
  std::vector<BatchEntry> out;
  std::error_code missing;
  if (!fs::exists(argument, missing)) {
    throw Error(ErrorKind::usage, {.where = {.file = argument},
                                   .message = "there is no such file or folder",
                                   .expected = "a folder with virtual machines, or a YAML manifest",
                                   .advice = "Check the name."});
  }
  if (fs::is_directory(argument)) {
    Options named = defaults;
    named.trees = {fs::absolute(argument)};
    refuse_options_of_one(argument, defaults);
    const FoundBelow found = find_sources_below(argument);
    for (const FoundSource &source : found.sources) out.push_back({source.file.string(), source, {}, named});
    for (const Error &error : found.unreadable)
      out.push_back({error.detail().where.file.string(), std::nullopt, error, defaults});
    if (out.empty()) {
      throw Error(ErrorKind::missing, {.where = {.file = argument},
                                       .message = "no virtual machine was found in the folder",
                                       .expected = ".vbox, .vmx, .ovf, .ova or .box files"});
    }
    return out;
  }
  const auto kind = detect_source(argument);
  if (kind == SourceKind::qemu) {  // a script can start several machines
    out.push_back({argument.string(), find_source(argument.string()), {}, defaults});
    return out;
  }
  if (kind) {
    throw Error(ErrorKind::usage, {.where = {.file = argument},
                                   .message = "this is a virtual machine, not a batch manifest",
                                   .expected = "a folder or a YAML manifest",
                                   .advice = "Use 'virt-ferry migrate' for one machine."});
  }
  out = manifest_entries(argument, defaults);
  find_sources(out);
  return out;
}

std::vector<BatchEntry> batch_entries(const fs::path &typed, const Options &defaults, const Shard &shard) {
  const fs::path manifest = names::as_spelt(typed);
  std::error_code missing;
  if (!fs::is_regular_file(manifest, missing) || detect_source(manifest)) {
    throw Error(ErrorKind::usage,
                {.where = {.file = manifest},
                 .message = "only a manifest can be cut into shards",
                 .expected = "a YAML manifest",
                 .advice = "'virt-ferry plan DIR --manifest FILE' writes one of a folder's machines."});
  }
  std::vector<BatchEntry> all = manifest_entries(manifest, defaults);
  refuse_names(all, manifest);
  std::vector<std::optional<std::uint64_t>> bytes;
  bytes.reserve(all.size());
  for (const BatchEntry &entry : all) bytes.push_back(entry.bytes);
  std::vector<BatchEntry> out;
  for (const std::size_t member : members_of(shard, bytes)) out.push_back(std::move(all[member]));
  find_sources(out);
  return out;
}

Options host_options(const std::vector<BatchEntry> &entries) {
  Options out = entries.front().options;
  for (const BatchEntry &entry : entries) {
    const Options &options = entry.options;
    if (options.target != out.target) {
      throw Error(ErrorKind::usage, {.where = {.file = entry.argument},
                                     .message = "all machines of a batch go to one kind of target",
                                     .advice = "Put 'target' under 'defaults', or make a manifest for each target."});
    }
    if (options.connect != out.connect || options.host_profile != out.host_profile) {
      throw Error(ErrorKind::usage, {.where = {.file = entry.argument},
                                     .message = "all machines of a batch go to one connection and host",
                                     .found = options.connect + " and " + out.connect,
                                     .advice = "Put 'connect' and 'host-profile' under 'defaults', or make a manifest "
                                               "for each connection."});
    }
    out.define = out.define || options.define;
    out.connect_given = out.connect_given || options.connect_given;
  }
  return out;
}

report::Document run_batch(const std::vector<BatchEntry> &entries, unsigned jobs, bool dry_run, Host &host,
                           const BatchHooks &hooks, const std::stop_token &stop) {
  std::vector<Job> work = plan_all(entries, dry_run, host, stop);
  if (hooks.planned) {
    std::vector<fs::path> touched;
    for (const Job &job : work) touched.insert(touched.end(), job.planned.touched.begin(), job.planned.touched.end());
    hooks.planned(touched);
  }
  if (hooks.begins) {
    std::uint64_t bytes = 0;
    for (const Job &job : work)
      for (const report::Disk &disk : job.planned.report.disks) bytes += disk.allocated;
    hooks.begins(work.size(), bytes);
  }
  std::mutex done_mutex;
  std::atomic<std::size_t> next = 0;
  const auto worker = [&] {
    for (std::size_t i = next++; i < work.size(); i = next++) {
      Job &job = work[i];
      if (stop.stop_requested() && job.planned.plan) {
        refuse(job.planned.report,
               Error(ErrorKind::cancelled, {.where = {.file = job.planned.report.source},
                                            .message = "the batch was interrupted before it "
                                                       "came to this machine",
                                            .advice = "Run the same command again: it skips what is done."}));
      } else if (!dry_run) {
        Progress *progress = hooks.progress && job.planned.plan ? hooks.progress(job.planned.report) : nullptr;
        migrate_planned(job.planned, *job.options, host, progress, stop);
      }
      job.planned.plan.reset();
      const report::Status status = job.planned.report.status;
      const bool is_there = status == report::Status::migrated || status == report::Status::skipped;
      if (hooks.made && is_there && !dry_run && !stop.stop_requested()) hooks.made(job.planned.report, *job.options);
      const std::lock_guard lock(done_mutex);
      if (hooks.machine_done) hooks.machine_done(job.planned.report, work.size());
    }
  };
  std::vector<std::jthread> threads;
  try {
    for (unsigned i = 1; i < std::max(1U, jobs); ++i) threads.emplace_back(worker);
  } catch (const std::system_error &) {
    // The system gives no more threads; those that are there do the work.
  }
  worker();
  threads.clear();
  report::Document document;
  document.host = host.target->facts.name;
  for (Job &job : work) document.machines.push_back(std::move(job.planned.report));
  return document;
}

}  // namespace ferry::migration
