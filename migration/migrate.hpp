// SPDX-License-Identifier: Apache-2.0
// The whole story of one source: import, plan, convert, export, define.
#pragma once

#include <stop_token>
#include <vector>

#include "converters/progress.hpp"
#include "exporters/report/report.hpp"
#include "migration/host.hpp"
#include "migration/journal.hpp"
#include "migration/options.hpp"
#include "migration/plan.hpp"
#include "migration/source.hpp"

namespace ferry::migration {

// A machine with its plan or with the reason why there is none.
struct Planned {
  report::MachineReport report;
  std::optional<MachinePlan> plan;
  std::optional<std::string> finish;      // an earlier run of the same plan: it is gone on with
  std::vector<std::string> crashed_runs;  // of the same machine: what they left goes first
  std::vector<RunRecord> tidy;            // ended well, and were cut off before all was cleared away
  // What is read and what would be made, also when it was refused: a report goes elsewhere.
  std::vector<std::filesystem::path> touched;
  std::string name{};     // of the new machine; empty when the source could not be read
  std::string done_as{};  // what an earlier run of a batch called it; empty: none did it
};

// Imports and plans every machine of a source, looks whether this host lets it be done (preflight(), unless the plan is
// for a recorded host) and reserves their names in `host`. Errors become refusals in the reports; nothing is written.
// An Options::name with several machines is refused. `runs`: all_runs(), what was done before.
[[nodiscard]] std::vector<Planned> plan_source(const FoundSource &source, const Options &options, target::Target &host,
                                               const std::vector<RunRecord> &runs);

// Removes what crashed runs left, executes the plan or finishes the run that was at it (a machine that was refused
// stays refused) and completes the report. Without a connection everything is made and kept, and the report says how to
// define it.
void migrate_planned(Planned &planned, const Options &options, const Host &host, Progress *progress,
                     const std::stop_token &stop);

// 0 all done; otherwise what the worst refusal's kind says (exit_code()).
[[nodiscard]] int worst_exit_code(const report::Document &document);

}  // namespace ferry::migration
