// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <string>

#include "cli/command.hpp"
#include "cli/dry_run.hpp"
#include "cli/machine_options.hpp"
#include "cli/output.hpp"
#include "migration/batch.hpp"
#include "migration/manifest_writer.hpp"

#include "support/error.hpp"

namespace ferry::cli {
namespace {

struct PlanCommand {
  std::vector<std::string> sources;
  std::string manifest;
  migration::Options options;
  OutputOptions output;
};

// Plans what a batch would do, and writes it down for one.
int plan_manifest(PlanCommand &command, const std::stop_token &stop) {
  if (command.sources.size() != 1) {
    throw Error(ErrorKind::usage, {.message = "--manifest takes one source",
                                   .found = std::to_string(command.sources.size()),
                                   .expected = "a folder with machines, or a manifest"});
  }
  const std::string &source = command.sources.front();
  OutputOptions manifest{.file = command.manifest, .overwrite = command.options.overwrite, .what = Output::manifest};
  std::vector<std::filesystem::path> touched = named_files({source}, command.options);
  check_output(manifest, touched);
  report::Document document;
  try {
    const auto entries = migration::batch_entries(source, command.options);
    migration::Host host = migration::host_for_plan(migration::host_options(entries));
    const migration::BatchHooks hooks{
        .planned = [&](const std::vector<std::filesystem::path> &files) { check_output(manifest, files); }};
    document = migration::run_batch(entries, 1, true, host, hooks, stop);
    write_output(manifest, migration::manifest_of(document, command.manifest));
  } catch (const OutputRefused &) {
    throw;
  } catch (const Error &error) {
    return refused_as_whole({source}, error, command.output);
  }
  write_batch_report(command.output, document);
  return migration::worst_exit_code(document);
}

}  // namespace

void setup_plan(CLI::App &app, Context &context) {
  auto command = std::make_shared<PlanCommand>();
  context.state.push_back(command);
  CLI::App *sub = app.add_subcommand("plan", "Show what a migration would do. Writes nothing but the report.");
  sub->add_option(
         "SOURCE", command->sources,
         "a .vbox, .vmx, .ovf, .ova or .box file, a folder with one, ssh://[USER@]HOST/PATH of these, or a name that "
         "'list' shows")
      ->required();
  sub->add_option("--manifest", command->manifest,
                  "write a manifest for 'batch' of all machines in the folder SOURCE, with their names and sizes")
      ->option_text("FILE");
  add_machine_options(*sub, command->options);
  add_state_option(*sub);
  add_output_options(*sub, command->output, true);
  sub->footer(std::string("Examples:\n"
                          "  virt-ferry plan ~/VMs/*/*.vbox\n"
                          "  virt-ferry plan web.vmx --format html -o web.html\n"
                          "  virt-ferry plan web.ova --host-profile debian-13.json    for another host\n\n") +
              kExitCodes);
  sub->callback([command, &context] {
    command->output.overwrite = command->options.overwrite;
    command->output.command = context.command;
    context.exit_code = command->manifest.empty() ? dry_run(command->sources, command->options, command->output)
                                                  : plan_manifest(*command, context.stop);
  });
}

}  // namespace ferry::cli
