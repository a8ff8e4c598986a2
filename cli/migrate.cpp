// SPDX-License-Identifier: Apache-2.0
#include "migration/migrate.hpp"

#include <CLI/CLI.hpp>
#include <string>

#include "cli/command.hpp"
#include "cli/dry_run.hpp"
#include "cli/interrupts.hpp"
#include "cli/keep.hpp"
#include "cli/machine_options.hpp"
#include "cli/output.hpp"
#include "cli/progress_display.hpp"
#include "migration/done_before.hpp"

namespace ferry::cli {
namespace {

struct MigrateCommand {
  std::string source;
  bool dry_run = false;
  std::string progress = "auto", if_done = "fail";
  unsigned jobs = 0;
  migration::Options options;
  OutputOptions output;
};

void print_refusals(const report::Document &document) {
  for (const report::MachineReport &machine : document.machines) {
    if (machine.refusal) print_error(Error(machine.refusal->kind, machine.refusal->detail));
  }
}

report::Document migrate(MigrateCommand &command, const std::stop_token &stop) {
  const migration::FoundSource source = migration::find_source(command.source);
  migration::Host host = migration::host_for_run(command.options, stop);
  report::Document document;
  document.host = host.target->facts.name;
  const std::vector<migration::RunRecord> runs = migration::all_runs();
  std::vector<migration::Planned> all = migration::plan_source(source, command.options, *host.target, runs);
  if (command.if_done == "skip") {
    const auto dest = migration::destination(command.options, *host.target);
    for (migration::Planned &planned : all)
      (void)migration::skip_if_done(planned, command.options, runs, dest, host.target->facts.taken);
  }
  for (const migration::Planned &planned : all) check_output(command.output, planned.touched);
  const Making making;
  for (migration::Planned &planned : all) {
    if (planned.plan) announce_begin(command.progress, planned.report);
    {
      const auto progress = make_progress(command.progress, task_of(planned.report));
      migration::migrate_planned(planned, command.options, host, progress.get(), stop);
    }
    document.machines.push_back(std::move(planned.report));
    announce_end(command.progress, document.machines.back(), document.machines.size(), all.size());
  }
  return document;
}

int run(MigrateCommand &command, const std::stop_token &stop) {
  command.options.threads = command.jobs;
  command.output.overwrite = command.options.overwrite;
  if (command.dry_run) return dry_run({command.source}, command.options, command.output);
  check_output(command.output, named_files({command.source}, command.options));
  report::Document document;
  try {
    document = migrate(command, stop);
  } catch (const OutputRefused &) {
    throw;
  } catch (const Error &error) {
    return refused_as_whole({command.source}, error, command.output);
  }
  const int code = migration::worst_exit_code(document);
  stamp(command.output, document);
  keep_reports(document);
  print_refusals(document);
  // On a terminal the reason of a refusal stands on stderr already.
  if (command.output.format == "text" && command.output.file.empty()) {
    std::erase_if(document.machines,
                  [](const auto &machine) { return machine.status == report::Status::refused && machine.run.empty(); });
  }
  write_report(command.output, document);
  return code != 0 && stop.stop_requested() ? kInterrupted : code;
}

}  // namespace

void setup_migrate(CLI::App &app, Context &context) {
  auto command = std::make_shared<MigrateCommand>();
  context.state.push_back(command);
  CLI::App *sub = app.add_subcommand("migrate", "Convert the disks, write the XML and define the machine.");
  sub->add_option(
         "SOURCE", command->source,
         "a .vbox, .vmx, .ovf, .ova or .box file, a folder with one, ssh://[USER@]HOST/PATH of these, or a name that "
         "'list' shows")
      ->required();
  sub->add_flag("--dry-run", command->dry_run, "the same as 'plan'");
  add_jobs_option(*sub, command->jobs, "threads [one for each processor]");
  sub->add_option("--if-done", command->if_done, "a machine that an earlier run migrated: fail or skip [fail]")
      ->option_text("fail|skip")
      ->check(CLI::IsMember(std::vector<std::string>{"fail", "skip"}).description(""));
  add_machine_options(*sub, command->options);
  add_state_option(*sub);
  add_progress_option(*sub, command->progress);
  add_output_options(*sub, command->output, true);
  sub->footer(std::string("The source is only read. 'virt-ferry undo RUN' takes the new machine back.\n\n"
                          "Examples:\n"
                          "  virt-ferry migrate web --verify --start        a machine that 'list' shows\n"
                          "  virt-ferry migrate lab.ova --name lab2 --mac new --uuid new\n"
                          "  virt-ferry migrate db.vmx --network 1=bridge:br0 --disk-bus virtio\n"
                          "  virt-ferry migrate old.vbox --no-define --dest /srv/images\n"
                          "  virt-ferry migrate san.vbox --skip-disk unsupported    without its iSCSI disks\n\n") +
              kExitCodes);
  sub->callback([command, &context] {
    command->output.command = context.command;
    context.exit_code = run(*command, context.stop);
  });
}

}  // namespace ferry::cli
