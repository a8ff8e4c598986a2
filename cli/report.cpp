// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <string>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "migration/kept_reports.hpp"

namespace ferry::cli {
namespace {

struct ReportCommand {
  std::string id;
  OutputOptions output;
};

void show(ReportCommand &command) {
  check_output(command.output, {});
  const std::string id = command.id.empty() ? migration::newest_report() : command.id;
  report::Document document = migration::kept_report(id);
  if (migration::is_batch_id(id)) {
    write_batch_report(command.output, document);
  } else {
    write_report(command.output, document);
  }
}

}  // namespace

void setup_report(CLI::App &app, Context &context) {
  auto command = std::make_shared<ReportCommand>();
  context.state.push_back(command);
  CLI::App *sub = app.add_subcommand("report", "Show the report of a run or a batch again, in any form.");
  sub->add_option("RUN|BATCH", command->id, "as 'runs' lists them [the newest]");
  add_output_options(*sub, command->output, true);
  sub->footer(std::string("Examples:\n"
                          "  virt-ferry report -v                           all that is known of the newest\n"
                          "  virt-ferry report --format html -o done.html   the newest, as a page\n\n") +
              kExitCodes);
  sub->callback([command, &context] {
    with_refusal(command->output, report::kSchema, [&command] { show(*command); });
    context.exit_code = 0;
  });
}

}  // namespace ferry::cli
