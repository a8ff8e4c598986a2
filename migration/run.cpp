// SPDX-License-Identifier: Apache-2.0
#include "migration/run.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <sys/stat.h>

#include "migration/earlier.hpp"
#include "migration/findings.hpp"
#include "migration/host.hpp"
#include "migration/journal.hpp"
#include "migration/keeper.hpp"
#include "migration/make_files.hpp"
#include "migration/next_steps.hpp"
#include "migration/plan_files.hpp"
#include "migration/preflight.hpp"
#include "migration/replace.hpp"
#include "migration/start_now.hpp"
#include "migration/take_back.hpp"
#include "migration/tpm_place.hpp"

#include "support/file.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_io(const fs::path &file, const std::string &what) {
  throw Error(ErrorKind::io, {.where = {.file = file}, .message = what + ": " + std::strerror(errno)});
}

// QEMU runs as another user where the system's libvirt starts it, and must be able to pass through.
std::uint32_t mode_of_folders(const Options &options) {
  return options.define && !is_session(options.connect) ? 0711 : 0700;
}

Journal::Begin beginning(const MachinePlan &plan, const Options &options) {
  return {.source = plan.imported.machine.source.file,
          .files = plan.source_files,
          .machine = plan.name,
          .uuid = plan.domain_uuid.text(),
          .connect = options.connect,
          .dest = plan.dest,
          .plan = plan_digest(plan, options),
          .changes = plan.guest_fixes};
}

// Those that the run adds to; null: it defines nothing.
target::Machines *machines_of(const Host &host, const Options &options) {
  return options.define ? host.machines.get() : nullptr;
}

std::string listed(const std::vector<std::string> &items) {
  std::string out;
  for (const std::string &item : items) out += (out.empty() ? "" : ", ") + item;
  return out;
}

class Run {
 public:
  Run(const MachinePlan &plan, const Options &options, const Host &host, Journal &journal, const std::stop_token &stop)
      : plan_(plan),
        options_(options),
        target_(*host.target),
        machines_(machines_of(host, options)),
        journal_(journal),
        stop_(stop) {
    result_.run = journal.run();
  }

  // From the beginning: in the end all is there, or nothing but what was there before.
  RunResult make(Progress *progress) {
    try {
      make_and_publish(progress);
    } catch (const Error &error) {
      take_back_and_throw(error);
    } catch (...) {
      (void)roll_back();
      throw;
    }
    return finish();
  }

  // What comes after the files are in their places. What is done of it already is not done again.
  RunResult finish() {
    try {
      define();
      refuse_when_stopped(plan_, stop_);
      start();
      refuse_when_stopped(plan_, stop_);
    } catch (const Error &error) {
      const RunRecord &record = journal_.record();
      // A stopped run ends as if it had not begun, and one that replaces gives back what it took.
      const bool replaces = record.replaced || !record.aside.empty();
      if (replaces || error.kind() == ErrorKind::cancelled) take_back_and_throw(error);
      result_.libvirt_error = error;
    }
    end();
    result_.next_steps = next_steps(plan_, options_, result_);
    return std::move(result_);
  }

 private:
  void make_and_publish(Progress *progress) {
    const fs::path staging = staging_folder(plan_.dest, journal_.run());
    journal_.staging(staging);
    file::make_private_folders(plan_.dest, mode_of_folders(options_));
    if (!stores(plan_).empty()) file::make_private_folders(plan_.store_folder, mode_of_folders(options_));
    // 0700: images may hold what nobody else on this host should read.
    if (mkdir(staging.c_str(), 0700) != 0 || chmod(staging.c_str(), 0700) != 0)  // whatever the umask
      fail_io(staging, "the destination cannot be written");
    make_files({.plan = plan_, .options = options_, .staging = staging, .domain_xml = marked(plan_.domain_xml)},
               progress, stop_, result_);
    file::sync_folder(staging);
    refuse_when_stopped(plan_, stop_);
    refuse_changed_source(plan_.source_files);
    if (options_.overwrite) {
      if (machines_ != nullptr) refuse_machines_in_use(plan_, *machines_);
      set_aside(plan_, staging, machines_, journal_);
    }
    publish(staging);
    refuse_when_stopped(plan_, stop_);
  }

  void publish(const fs::path &staging) {
    for (const fs::path &file : plan_.files) {
      const fs::path made = staging / file.filename();
      journal_.publish(made_file(made, file, false));
      move_into_place(made, file);
    }
    file::sync_folder(plan_.dest);
    if (!stores(plan_).empty()) file::sync_folder(plan_.store_folder);
    if (plan_.definition_apart) keep_definition();
    std::vector<MadeFile> placed;
    for (const fs::path &file : plan_.files) placed.push_back(made_file(file, file, true));
    journal_.published(placed);
  }

  // Its name is the run's own, so that it needs no line in the journal to be found.
  void keep_definition() {
    const std::string text = marked(plan_.domain_xml);
    file::publish_private(kept_definition(journal_.run()),
                          {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()});
  }

  static void move_into_place(const fs::path &made, const fs::path &file) {
    const std::error_code error = file::rename_new(made, file);
    if (!error) return;
    if (error == std::errc::file_exists) {
      throw Error(ErrorKind::conflict, {.where = {.file = file},
                                        .message = "the file was created by something else during the conversion",
                                        .advice = "Move it away, or use --overwrite."});
    }
    throw Error(ErrorKind::io, {.where = {.file = file},
                                .message = "the finished file cannot be moved into place: " + error.message()});
  }

  void define() {
    if (machines_ == nullptr) {
      place_tpm_state(plan_, journal_);  // of a script's machine
      return;
    }
    const auto own = machine_of_run(journal_.record(), *machines_);
    if (!own) {
      make_way();
      place_tpm_state(plan_, journal_);
      if (journal_.record().domain.empty()) journal_.define(domain());
      if (journal_.record().replaced) remove_replaced();
      machines_->define(marked(plan_.domain_xml));
    }
    result_.defined = true;
    for (const SnapshotPlan &snapshot : plan_.snapshots) {
      if (own && std::ranges::find(own->snapshots, snapshot.name) != own->snapshots.end()) continue;
      machines_->define_snapshot(own ? own->name : plan_.name, marked(snapshot.xml), snapshot.current);
    }
    if (!journal_.record().defined) journal_.defined();
    machines_->refresh(plan_.dest);
  }

  [[nodiscard]] std::string marked(const std::string &document) const {
    return target_.with_run_mark(document, journal_.run());
  }

  [[nodiscard]] Journal::Domain domain() const {
    Journal::Domain out{.name = plan_.name, .uuid = plan_.domain_uuid.text(), .snapshots = {}, .disks = {}};
    target::MachineFiles files;
    target_.add_files(plan_.domain_xml, files);
    for (const SnapshotPlan &snapshot : plan_.snapshots) {
      out.snapshots.push_back(snapshot.name);
      target_.add_files(snapshot.xml, files);
    }
    out.disks.assign(files.disks.begin(), files.disks.end());
    return out;
  }

  // A target may take a definition of the same name and UUID as a change of the one it has: nobody's is changed by us.
  void make_way() {
    for (const auto &there : {machines_->machine_named(plan_.name), machines_->machine_of(plan_.domain_uuid.text())}) {
      const auto &replaced = journal_.record().replaced;
      if (!there || (replaced && there->uuid == replaced->uuid)) continue;
      throw Error(
          ErrorKind::conflict,
          {.where = {.path = options_.connect},
           .message = "a machine with the same name or UUID was defined in the meantime: \"" + there->name + "\"",
           .advice = "Choose another --name and --uuid new, or remove that machine and run this again."});
    }
  }

  void remove_replaced() {
    const ReplacedDomain &replaced = *journal_.record().replaced;
    const auto there = machines_->machine_of(replaced.uuid);
    if (!there) return;
    if (there->running || there->suspended)
      throw Error(ErrorKind::conflict, {.message = "the machine \"" + there->name +
                                                   "\" that --overwrite would replace was started in the meantime",
                                        .advice = "Shut it down first, or choose another --name."});
    machines_->undefine(there->name);
  }

  void start() {
    if (!options_.start || !result_.defined) return;
    if (plan_.start_now) begin_pull();
    if (!machines_->is_running(plan_.name)) {
      journal_.start();
      machines_->start(plan_.name);
    }
    result_.started = true;
  }

  // The source is served, and copied behind the machine, from now on; also when this process is gone.
  void begin_pull() {
    if (!journal_.record().pull) journal_.pull(pull_of(plan_, options_));
    start_keeper(journal_.record());
  }

  void end() {
    const bool whole = !result_.libvirt_error && (!options_.define || result_.defined);
    if (whole) {
      journal_.done();
      say_what_was_replaced();
    } else {
      try {
        journal_.kept();
      } catch (const Error &) {
        // The error that led here matters more, and a run without an end is gone on with just as well.
        return;
      }
    }
    UndoResult ignored;  // what is left is removed by the next run
    remove_staging(journal_.record(), ignored);
  }

  void say_what_was_replaced() {
    const RunRecord &record = journal_.record();
    std::vector<std::string> gone;
    if (record.replaced) gone.push_back("the definition of " + record.replaced->name);
    for (const SetAside &aside : record.aside) gone.push_back(aside.file.string());
    if (gone.empty()) return;
    result_.findings.push_back(
        raise(kRunReplaced, {.file = record.source}, "removed, as --overwrite asked: " + listed(gone)));
  }

  // Over the connection that there is or, where that is lost, over a new one.
  UndoResult roll_back() {
    UndoResult out;
    const RunRecord record = journal_.record();
    target::Machines *machines = needs_target(record) ? machines_ : nullptr;
    try {
      try {
        take_back(record, machines, out);
      } catch (const Error &) {
        if (machines == nullptr || (stop_.stop_requested() && is_call_left_alone())) throw;
        const auto again = machines_at(options_.connect);
        take_back(record, again.get(), out);
      }
      if (out.failed.empty()) journal_.undone();
    } catch (const Error &error) {
      out.failed.push_back(error.detail().message);
    }
    return out;
  }

  [[noreturn]] void take_back_and_throw(const Error &error) {
    const UndoResult back = roll_back();
    ErrorDetail detail = error.detail();
    const auto add = [&detail](const std::string &text) { detail.advice += (detail.advice.empty() ? "" : " ") + text; };
    if (!back.restored.empty()) add("Restored what was there before: " + listed(back.restored) + ".");
    if (!back.failed.empty()) {
      add("Not everything could be taken back: " + listed(back.failed) + ". Run 'virt-ferry undo " + journal_.run() +
          "' for the rest.");
    }
    throw Error(error.kind(), std::move(detail));
  }

  const MachinePlan &plan_;
  const Options &options_;
  const target::Target &target_;
  target::Machines *machines_;
  Journal &journal_;
  const std::stop_token &stop_;
  RunResult result_;
};

}  // namespace

RunResult run_plan(const MachinePlan &plan, const Options &options, const Host &host, Progress *progress,
                   const std::stop_token &stop) {
  refuse_when_stopped(plan, stop);
  preflight(plan, options);
  refuse_changed_source(plan.source_files);
  const target::Machines *machines = machines_of(host, options);
  if (machines != nullptr && options.overwrite) refuse_machines_in_use(plan, *machines);
  if (machines != nullptr && !options.overwrite) refuse_tpm_of_others(plan, {});
  Journal journal(beginning(plan, options));
  return Run(plan, options, host, journal, stop).make(progress);
}

RunResult finish_run(const std::string &run, const MachinePlan &plan, const Options &options, const Host &host,
                     const std::stop_token &stop) {
  refuse_when_stopped(plan, stop);
  Journal journal(run);
  return Run(plan, options, host, journal, stop).finish();
}

}  // namespace ferry::migration
