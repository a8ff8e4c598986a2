// SPDX-License-Identifier: Apache-2.0
#include "migration/batch.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>

#include "converters/qemu_img.hpp"
#include "migration/journal.hpp"
#include "migration/manifest.hpp"
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

// Whether what the run made is there and no smaller than it was: a guest that uses it lets images grow.
bool is_complete(const RunRecord &record) {
  return !record.published.empty() && std::ranges::all_of(record.published, [](const MadeFile &made) {
    const auto now = file::status_of(made.file, file::Links::no_follow);
    return now && now->is_regular() && now->inode == made.status.inode && now->size >= made.status.size;
  });
}

// The images, by qemu-img; what it cannot look at (raw copies, the XML) has the size that it had.
bool is_sound(const RunRecord &record) {
  return std::ranges::all_of(record.published, [](const MadeFile &made) {
    if (made.file.extension() != ".qcow2") return true;
    try {
      return qemu_img::check({.format = ImageFormat::qcow2, .range = {.file = made.file}}).clean();
    } catch (const Error &) {
      return false;
    }
  });
}

bool is_defined(const RunRecord &record, const target::Taken &taken) {
  return std::ranges::any_of(taken.runs, [&](const auto &domain) { return domain.second == record.run; });
}

// The run that migrated this machine before, if the source is as it was and all that it made is still there.
const RunRecord *earlier_run(const std::vector<RunRecord> &runs, const fs::path &source, const Options &options,
                             const fs::path &dest, const std::string &name, const target::Taken &taken) {
  for (auto record = runs.rbegin(); record != runs.rend(); ++record) {
    const bool same = record->done && !record->undone && record->source == source && record->machine == name &&
                      record->connect == options.connect && record->dest == dest;
    if (!same || !is_complete(*record) || record->files.empty() || change_of(record->files)) continue;
    if (options.check_earlier && !is_sound(*record)) continue;
    if (!options.define || options.host_profile || is_defined(*record, taken)) return &*record;
  }
  return nullptr;
}

// Marks what an earlier run did. Its plan was refused for the very names that run took, or it was planned anew.
bool skip_if_done(Planned &planned, const Options &options, const std::vector<RunRecord> &runs, const fs::path &dest,
                  const target::Taken &taken) {
  if (options.overwrite) return false;
  const std::string name = planned.name.empty() ? domain_name(planned.report.name) : planned.name;
  const RunRecord *record = earlier_run(runs, planned.report.source, options, dest, name, taken);
  if (record == nullptr) return false;
  planned.report.status = report::Status::skipped;
  planned.report.run = record->run;
  planned.done_as = record->machine;
  planned.report.refusal.reset();
  planned.plan.reset();
  return true;
}

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

}  // namespace

std::vector<BatchEntry> batch_entries(const fs::path &typed, const Options &defaults) {
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
  for (BatchEntry &entry : out) {
    try {
      entry.source = find_source(entry.argument);
    } catch (const Error &error) {
      entry.error = error;
    }
  }
  return out;
}

Options host_options(const std::vector<BatchEntry> &entries) {
  Options out = entries.front().options;
  for (const BatchEntry &entry : entries) {
    const Options &options = entry.options;
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
