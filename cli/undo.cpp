// SPDX-License-Identifier: Apache-2.0
#include "migration/undo.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/command.hpp"
#include "cli/interrupts.hpp"
#include "cli/machine_options.hpp"
#include "cli/output.hpp"
#include "cli/progress_display.hpp"
#include "migration/kept_reports.hpp"
#include "model/json.hpp"

#include "support/columns.hpp"
#include "support/text.hpp"

namespace ferry::cli {
namespace {

constexpr std::string_view kUndoSchema = "virt-ferry-undo/1";

struct UndoCommand {
  std::string run;
  bool force = false, list = false;
  OutputOptions output;
};

// What became of one run.
struct Undone {
  std::string run, machine;
  migration::UndoResult result;
  std::optional<Error> error;  // nothing was touched
};

bool is_whole(const Undone &undone) { return !undone.error && undone.result.failed.empty(); }

void list_runs(const UndoCommand &command) {
  std::vector<std::vector<std::string>> rows;
  Json runs = Json::array();
  for (const migration::RunRecord &record : migration::all_runs()) {
    if (record.undone) continue;
    rows.push_back({record.run, std::string(state_text(record)), text::printable(record.machine),
                    text::printable(record.dest.string())});
    runs.push_back({{"run", record.run},
                    {"state", state_text(record)},
                    {"machine", record.machine},
                    {"dest", record.dest.string()}});
  }
  write_output(command.output, command.output.format == "json"
                                   ? Json{{"schema", kUndoSchema}, {"can_be_undone", runs}}.dump(
                                         2, ' ', false, Json::error_handler_t::replace) +
                                         "\n"
                                   : text::table(rows));
}

// The newest first: a later run may have taken the place of an earlier one's machine.
std::vector<Undone> undo_batch(const UndoCommand &command) {
  std::vector<Undone> out;
  for (const auto &machine : migration::read_batch(command.run).machines) {
    if (!machine.run.empty()) out.push_back({machine.run, machine.name, {}, {}});
  }
  std::sort(out.begin(), out.end(), [](const Undone &a, const Undone &b) { return a.run > b.run; });
  for (Undone &one : out) {
    try {
      if (!migration::read_run(one.run).undone) one.result = migration::undo_run(one.run, command.force);
    } catch (const Error &error) {
      one.error = error;  // the others are undone all the same
    }
  }
  return out;
}

Json undone_json(const Undone &undone) {
  const migration::UndoResult &result = undone.result;
  Json out{{"run", undone.run},           {"machine", undone.machine}, {"removed", result.removed},
           {"restored", result.restored}, {"lost", result.lost},       {"kept", result.kept},
           {"failed", result.failed}};
  if (undone.error) out["refused"] = undone.error->what();
  return out;
}

std::string undone_text(const Undone &undone) {
  const migration::UndoResult &result = undone.result;
  std::string out;
  const auto add = [&out](const char *what, const std::string &name, const char *why = "") {
    out += std::string(what) + " " + text::printable(name) + why + "\n";
  };
  for (const std::string &what : result.removed) add("removed", what);
  for (const std::string &what : result.restored) add("restored", what);
  for (const std::string &what : result.lost)
    add("not brought back", what, " (the run replaced it, and it no longer exists)");
  for (const std::string &what : result.kept) add("kept", what);
  if (result.removed.empty() && result.restored.empty() && result.failed.empty() && !undone.error)
    out += "nothing of run " + undone.run + " was left\n";
  return out;
}

void say_failures(const Undone &undone) {
  for (const std::string &what : undone.result.failed)
    print_beside_progress("virt-ferry: not undone: " + text::printable(what) + "\n");
  if (!undone.error) return;
  ErrorDetail detail = undone.error->detail();
  detail.message = "the run " + undone.run + " (" + undone.machine + ") is not undone: " + detail.message;
  print_error(Error(undone.error->kind(), std::move(detail)));
}

int undo(const UndoCommand &command) {
  const Making making("finishing what was started to be undone; a second signal ends it at once");
  std::vector<Undone> all;
  const bool batch = migration::is_batch_id(command.run);
  if (batch) {
    all = undo_batch(command);
  } else {
    const std::string machine = migration::read_run(command.run).machine;
    all.push_back({command.run, machine, migration::undo_run(command.run, command.force), {}});
  }
  std::string out;
  Json runs = Json::array();
  for (const Undone &one : all) {
    runs.push_back(undone_json(one));
    if (batch) out += "run " + one.run + ", " + text::printable(one.machine) + "\n";
    out += undone_text(one);
  }
  if (all.empty()) out = "the batch " + command.run + " has no runs\n";
  write_output(command.output, command.output.format == "json" ? Json{{"schema", kUndoSchema}, {"runs", runs}}.dump(
                                                                     2, ' ', false, Json::error_handler_t::replace) +
                                                                     "\n"
                                                               : out);
  for (const Undone &one : all) say_failures(one);
  return std::all_of(all.begin(), all.end(), is_whole) ? 0 : batch ? 4 : 1;
}

}  // namespace

void setup_undo(CLI::App &app, Context &context) {
  auto command = std::make_shared<UndoCommand>();
  context.state.push_back(command);
  CLI::App *sub =
      app.add_subcommand("undo", "Take back what a run or a batch made, never the source. Without RUN, list the runs.");
  sub->add_option("RUN|BATCH", command->run, "as 'migrate' and 'batch' report it, and 'runs' lists it");
  sub->add_flag("--force", command->force,
                "even if the machine was used since: it runs (and is then switched off), is suspended, has new "
                "snapshots or disks, or its files were written to");
  sub->add_flag("--list", command->list, "list the runs that can be undone");
  add_state_option(*sub);
  add_output_options(*sub, command->output, false);
  sub->footer(
      std::string(
          "This removes the machine's definition and the files that the run made, and nothing else. A machine that was "
          "used since, as by a guest that writes to its disk, is removed with --force only. What an interrupted run "
          "with --overwrite had set aside is restored. Of a batch, the other runs are undone all the same; the exit "
          "code is then 4.\n\n") +
      kExitCodes);
  sub->callback([command, &context] {
    check_output(command->output, {});
    with_refusal(command->output, kUndoSchema, [&command, &context] {
      if (!command->list && !command->run.empty()) {
        context.exit_code = undo(*command);
      } else {
        list_runs(*command);
        context.exit_code = 0;
      }
    });
  });
}

}  // namespace ferry::cli
