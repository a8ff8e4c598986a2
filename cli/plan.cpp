// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <string>

#include "cli/command.hpp"
#include "cli/dry_run.hpp"
#include "cli/machine_options.hpp"
#include "cli/output.hpp"

namespace ferry::cli {
namespace {

struct PlanCommand {
  std::vector<std::string> sources;
  migration::Options options;
  OutputOptions output;
};

}  // namespace

void setup_plan(CLI::App &app, Context &context) {
  auto command = std::make_shared<PlanCommand>();
  context.state.push_back(command);
  CLI::App *sub = app.add_subcommand("plan", "Show what a migration would do. Writes nothing but the report.");
  sub->add_option("SOURCE", command->sources,
                  "a .vbox, .vmx, .ovf, .ova or .box file, a folder with one, or a name that 'list' shows")
      ->required();
  add_machine_options(*sub, command->options);
  add_output_options(*sub, command->output, true);
  sub->footer(std::string("Examples:\n"
                          "  virt-ferry plan ~/VMs/*/*.vbox\n"
                          "  virt-ferry plan web.vmx --format html -o web.html\n"
                          "  virt-ferry plan web.ova --host-profile debian-13.json    for another host\n\n") +
              kExitCodes);
  sub->callback([command, &context] {
    command->output.overwrite = command->options.overwrite;
    command->output.command = context.command;
    context.exit_code = dry_run(command->sources, command->options, command->output);
  });
}

}  // namespace ferry::cli
