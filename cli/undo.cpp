// SPDX-License-Identifier: Apache-2.0
#include "migration/undo.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "cli/command.hpp"
#include "cli/interrupts.hpp"
#include "migration/journal.hpp"

#include "support/text.hpp"

namespace ferry::cli {
namespace {

struct UndoCommand {
  std::string run;
  bool force = false, list = false;
};

// As wide as the widest.
std::string_view state_of(const migration::RunRecord &record) {
  if (record.alive) return "in progress";
  if (record.done) return "done       ";
  return record.kept ? "not defined" : "interrupted";
}

int run(const UndoCommand &command) {
  if (command.list || command.run.empty()) {
    for (const migration::RunRecord &record : migration::all_runs()) {
      if (record.undone) continue;
      std::cout << record.run << "  " << state_of(record) << "  " << text::printable(record.machine) << "  "
                << text::printable(record.dest.string()) << "\n";
    }
    return 0;
  }
  const Making making("finishing what was started to be undone; a second signal ends it at once");
  const migration::UndoResult result = migration::undo_run(command.run, command.force);
  for (const std::string &what : result.removed) std::cout << "removed " << text::printable(what) << "\n";
  for (const std::string &what : result.restored) std::cout << "restored " << text::printable(what) << "\n";
  for (const std::string &what : result.lost)
    std::cout << "not brought back " << text::printable(what) << " (the run replaced it, and it no longer exists)\n";
  for (const std::string &what : result.kept) std::cout << "kept " << text::printable(what) << "\n";
  for (const std::string &what : result.failed)
    std::cerr << "virt-ferry: not undone: " << text::printable(what) << "\n";
  if (result.removed.empty() && result.restored.empty() && result.failed.empty())
    std::cout << "nothing of run " << command.run << " was left\n";
  return result.failed.empty() ? 0 : 1;
}

}  // namespace

void setup_undo(CLI::App &app, Context &context) {
  auto command = std::make_shared<UndoCommand>();
  context.state.push_back(command);
  CLI::App *sub =
      app.add_subcommand("undo", "Take back what a run made, never the source. Without RUN, list the runs.");
  sub->add_option("RUN", command->run, "the run, as 'migrate' and 'batch' report it");
  sub->add_flag("--force", command->force,
                "even if the machine was used since: it runs (and is then switched off), is suspended, has new "
                "snapshots or disks, or its files were written to");
  sub->add_flag("--list", command->list, "list the runs that can be undone");
  sub->footer(
      std::string(
          "This removes the machine's definition and the files that the run made, and nothing else. A machine that was "
          "used since, as by a guest that writes to its disk, is removed with --force only. What an interrupted run "
          "with "
          "--overwrite had set aside is restored.\n\n") +
      kExitCodes);
  sub->callback([command, &context] { context.exit_code = run(*command); });
}

}  // namespace ferry::cli
