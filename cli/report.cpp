// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <string>

#include "cli/command.hpp"
#include "cli/machine_options.hpp"
#include "cli/output.hpp"
#include "migration/kept_reports.hpp"

#include "support/text.hpp"

namespace ferry::cli {
namespace {

struct ReportCommand {
  std::string id;
  std::vector<std::string> parts;  // after 'merge'
  OutputOptions output;
};

// 'report merge FILE...': the shards of a batch as one report.
void merge(ReportCommand &command) {
  check_output(command.output, {command.parts.begin(), command.parts.end()});
  std::vector<report::NamedDocument> parts;
  for (const std::string &part : command.parts) parts.push_back({part, migration::read_report(part)});
  report::Document document = report::merged(parts);
  write_batch_report(command.output, document);
}

void show(ReportCommand &command) {
  if (command.id == "merge") return merge(command);
  if (!command.parts.empty()) {
    throw Error(ErrorKind::usage, {.message = "one run or batch is shown at a time",
                                   .found = text::printable(command.parts.front()),
                                   .advice = "'report merge FILE...' puts the reports of shards together."});
  }
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
  sub->add_option("RUN|BATCH|merge", command->id,
                  "as 'runs' lists them [the newest]; merge: put FILEs together, the JSON reports of all shards");
  sub->add_option("FILE", command->parts, "after merge: what 'batch --shard I/N --format json -o FILE' wrote");
  add_state_option(*sub);
  add_output_options(*sub, command->output, true);
  sub->footer(std::string("Examples:\n"
                          "  virt-ferry report -v                           all that is known of the newest\n"
                          "  virt-ferry report --format html -o done.html   the newest, as a page\n"
                          "  virt-ferry report merge r-*.json               the shards of a batch, together\n\n") +
              kExitCodes);
  sub->callback([command, &context] {
    with_refusal(command->output, report::kSchema, [&command] { show(*command); });
    context.exit_code = 0;
  });
}

}  // namespace ferry::cli
