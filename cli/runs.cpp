// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/machine_options.hpp"
#include "cli/output.hpp"
#include "migration/kept_reports.hpp"
#include "migration/run_record.hpp"
#include "model/json.hpp"

#include "support/columns.hpp"
#include "support/text.hpp"

namespace ferry::cli {
namespace {

// "3 machines: 2 migrated, 1 refused"
std::string described(const migration::BatchRecord &batch) {
  std::array<std::size_t, 5> counts{};
  for (const auto &machine : batch.machines) ++counts.at(static_cast<std::size_t>(machine.status));
  std::string out = std::to_string(batch.machines.size()) + (batch.machines.size() == 1 ? " machine" : " machines");
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts.at(i) == 0) continue;
    out += (out.find(':') == std::string::npos ? ": " : ", ") + std::to_string(counts.at(i)) + " " +
           std::string(to_string(static_cast<report::Status>(i)));
  }
  return out;
}

std::string runs_text(const std::vector<migration::RunRecord> &runs,
                      const std::vector<migration::BatchRecord> &batches) {
  std::string out;
  if (!runs.empty()) {
    std::vector<std::vector<std::string>> rows{{"RUN", "STATE", "MACHINE", "FOLDER"}};
    for (const auto &run : runs)
      rows.push_back(
          {run.run, std::string(state_text(run)), text::printable(run.machine), text::printable(run.dest.string())});
    out = text::table(rows);
  }
  if (!batches.empty()) {
    std::vector<std::vector<std::string>> rows{{"BATCH", "MACHINES"}};
    for (const auto &batch : batches) rows.push_back({batch.batch, described(batch)});
    out += (out.empty() ? "" : "\n") + text::table(rows);
  }
  return out;
}

std::string runs_json(const std::vector<migration::RunRecord> &runs,
                      const std::vector<migration::BatchRecord> &batches) {
  std::map<std::string, std::string> batch_of;
  Json shown_batches = Json::array();
  for (const auto &batch : batches) {
    Json machines = Json::array();
    for (const auto &machine : batch.machines) {
      Json one{{"name", machine.name}, {"status", to_string(machine.status)}};
      if (!machine.run.empty()) {
        one["run"] = machine.run;
        batch_of[machine.run] = batch.batch;
      }
      machines.push_back(std::move(one));
    }
    shown_batches.push_back({{"batch", batch.batch}, {"machines", machines}});
  }
  Json shown_runs = Json::array();
  for (const auto &run : runs) {
    Json one{{"run", run.run},
             {"state", state_text(run)},
             {"machine", run.machine},
             {"source", run.source.string()},
             {"dest", run.dest.string()},
             {"connect", run.connect}};
    if (const auto batch = batch_of.find(run.run); batch != batch_of.end()) one["batch"] = batch->second;
    shown_runs.push_back(std::move(one));
  }
  return Json{{"schema", "virt-ferry-runs/1"}, {"runs", shown_runs}, {"batches", shown_batches}}.dump(
             2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

}  // namespace

void setup_runs(CLI::App &app, Context &context) {
  auto output = std::make_shared<OutputOptions>();
  context.state.push_back(output);
  CLI::App *sub = app.add_subcommand("runs", "List what was done: runs and batches, with their machines.");
  add_state_option(*sub);
  add_output_options(*sub, *output, false);
  sub->footer(
      std::string("'virt-ferry report RUN' shows a run's report again, 'virt-ferry undo RUN' takes it back.\n\n") +
      kExitCodes);
  sub->callback([output, &context] {
    check_output(*output, {});
    const auto runs = migration::all_runs();
    const auto batches = migration::all_batches();
    write_output(*output, output->format == "json" ? runs_json(runs, batches) : runs_text(runs, batches));
    if (runs.empty() && batches.empty()) std::fputs("virt-ferry: nothing was migrated yet\n", stderr);
    context.exit_code = 0;
  });
}

}  // namespace ferry::cli
