// SPDX-License-Identifier: Apache-2.0
#include "migration/batch.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "cli/command.hpp"
#include "cli/dry_run.hpp"
#include "cli/interrupts.hpp"
#include "cli/keep.hpp"
#include "cli/machine_options.hpp"
#include "cli/output.hpp"
#include "cli/progress_display.hpp"
#include "migration/kept_reports.hpp"
#include "migration/manifest.hpp"
#include "migration/trial.hpp"

#include "support/text.hpp"

namespace ferry::cli {
namespace {

constexpr int kSomeDidNot = 4, kRunAgain = 5;

struct BatchCommand {
  std::string argument, shard;
  bool dry_run = false, test = false;
  std::string progress = "auto";
  unsigned jobs = 1;
  migration::Options options;
  OutputOptions output;
};

// The bars of machines that are migrated side by side.
class ProgressKeeper {
 public:
  explicit ProgressKeeper(std::string mode) : mode_(std::move(mode)) {}
  Progress *operator()(const report::MachineReport &machine) {
    const std::lock_guard lock(mutex_);
    announce_begin(mode_, machine);
    auto &kept = kept_[&machine];
    kept = make_progress(mode_, task_of(machine));
    return kept.get();
  }
  void done(const report::MachineReport &machine) {
    const std::lock_guard lock(mutex_);
    kept_.erase(&machine);  // and its part of the line
  }

 private:
  std::string mode_;
  std::mutex mutex_;
  std::map<const report::MachineReport *, std::unique_ptr<Progress>> kept_;
};

std::optional<std::string> of_environment(const std::string &name) {
  const char *value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::vector<migration::BatchEntry> entries_of(const BatchCommand &command, report::Document &document) {
  if (command.shard.empty()) return migration::batch_entries(command.argument, command.options);
  const migration::Shard shard = migration::shard_of(command.shard, of_environment);
  auto out = migration::batch_entries(command.argument, command.options, shard);
  document.shard = report::Shard{shard.index, shard.count, migration::manifest_digest(command.argument)};
  return out;
}

report::Document work(BatchCommand &command, const std::stop_token &stop) {
  report::Document about;
  const auto entries = entries_of(command, about);
  if (entries.empty()) return about;  // more shards than machines
  const migration::Options for_host = migration::host_options(entries);
  check_output(command.output, named_files({command.argument}, for_host));  // the manifest may name a profile
  migration::Host host = command.dry_run ? migration::host_for_plan(for_host) : migration::host_for_run(for_host, stop);
  ProgressKeeper progress(command.progress);
  migration::BatchHooks hooks;
  std::optional<Making> making;
  hooks.planned = [&](const std::vector<std::filesystem::path> &touched) {
    check_output(command.output, touched);
    if (!command.dry_run) making.emplace();
  };
  hooks.begins = [](std::size_t machines, std::uint64_t bytes) { begin_batch_progress(machines, bytes); };
  hooks.progress = [&progress](const report::MachineReport &machine) { return progress(machine); };
  if (command.test) {
    hooks.made = [&stop](report::MachineReport &machine, const migration::Options &options) {
      if (options.define) machine.test = migration::test_of(machine.name, options.connect, {}, stop);
    };
  }
  std::size_t finished = 0;
  hooks.machine_done = [&](const report::MachineReport &machine, std::size_t all) {
    // At once: should the batch be killed, this machine's report is there.
    report::Document own{.host = host.target->facts.name, .machines = {machine}};
    stamp(command.output, own);
    keep_reports(own);
    progress.done(machine);
    count_batch_machine(task_of(machine).bytes);
    announce_end(command.progress, machine, finished + 1, all);
    const std::string why = machine.refusal ? ": " + text::printable(machine.refusal->detail.message) : "";
    print_beside_progress("[" + std::to_string(++finished) + "/" + std::to_string(all) + "] " +
                          text::printable(machine.name) + ": " + std::string(to_string(machine.status)) + why + "\n");
  };
  report::Document out = migration::run_batch(entries, command.jobs, command.dry_run, host, hooks, stop);
  out.shard = about.shard;
  return out;
}

int code_of(const report::Document &document) {
  const auto &machines = document.machines;
  const auto is_refused = [](const auto &machine) {
    return machine.refusal || (machine.test && machine.test->verdict == report::Test::Verdict::failed);
  };
  const auto may_pass = [](const auto &machine) { return machine.refusal && report::may_pass(*machine.refusal); };
  if (std::none_of(machines.begin(), machines.end(), is_refused)) return 0;
  return std::any_of(machines.begin(), machines.end(), may_pass) ? kRunAgain : kSomeDidNot;
}

int run(BatchCommand &command, const std::stop_token &stop) {
  set_code_of_terminated(kRunAgain);
  command.output.overwrite = command.options.overwrite;
  check_output(command.output, named_files({command.argument}, command.options));
  const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
  command.options.threads = std::max(1U, processors / command.jobs);
  report::Document document;
  try {
    document = work(command, stop);
  } catch (const OutputRefused &) {
    throw;
  } catch (const Error &error) {
    return refused_as_whole({command.argument}, error, command.output);
  }
  stamp(command.output, document);
  if (!command.dry_run) {
    document.batch = migration::new_batch_id();
    keep_batch(document);
  }
  write_batch_report(command.output, document);
  return stop.stop_requested() ? code_of_stop() : code_of(document);
}

}  // namespace

void setup_batch(CLI::App &app, Context &context) {
  auto command = std::make_shared<BatchCommand>();
  context.state.push_back(command);
  CLI::App *sub = app.add_subcommand("batch", "Migrate many machines: in parallel, resumable, with one summary.");
  sub->add_option("DIR|MANIFEST", command->argument,
                  "a folder to search for machines, or a YAML manifest (docs/batch-manifest.md)")
      ->required();
  sub->add_flag("--dry-run", command->dry_run, "plan all machines; write nothing but the report");
  sub->add_option("--shard", command->shard,
                  "the I-th of N parts of a manifest; auto: what Slurm or Kubernetes says (docs/fleets.md)")
      ->option_text("I/N|auto");
  add_jobs_option(*sub, command->jobs, "machines at a time [1]");
  add_machine_options(*sub, command->options);
  add_state_option(*sub);
  sub->add_flag("--check", command->options.check_earlier,
                "check with 'qemu-img check' what earlier runs made before it counts as done");
  sub->add_flag("--test", command->test,
                "boot each machine on overlays, as 'virt-ferry test' does; one that is seen to fail counts as one "
                "that did not");
  add_progress_option(*sub, command->progress);
  add_output_options(*sub, command->output, true);
  sub->footer(
      std::string(
          "One failure does not stop the others; the exit code is then 4, or 5 where running the same command again "
          "may help. A machine that an earlier run migrated is skipped if its source is unchanged and everything that "
          "the run made is there: run the same command again after an interruption.\n\n"
          "Examples:\n"
          "  virt-ferry batch ~/VMs --dry-run --format html -o plan.html\n"
          "  virt-ferry batch ~/VMs --jobs 4 --verify\n"
          "  virt-ferry batch machines.yaml    options for each machine\n\n") +
      kExitCodes);
  sub->callback([command, &context] {
    command->output.command = context.command;
    context.exit_code = run(*command, context.stop);
  });
}

}  // namespace ferry::cli
