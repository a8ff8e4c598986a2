// SPDX-License-Identifier: Apache-2.0
// From plans and runs to the report's plain values.
#pragma once

#include "exporters/report/report.hpp"
#include "migration/plan.hpp"
#include "migration/run.hpp"
#include "migration/source.hpp"

namespace ferry::migration {

[[nodiscard]] report::MachineReport report_of(const MachinePlan &plan);
// Adds what the run made: status, digests, findings, next steps.
void add_run(report::MachineReport &report, const RunResult &result);
// A machine that could not be planned or migrated. `machine` may be null when even importing failed.
[[nodiscard]] report::MachineReport refusal_of(const FoundSource &source, const ImportedMachine *machine,
                                               const Error &error);
// An argument, as the user wrote it, that names no source.
[[nodiscard]] report::MachineReport not_found(const std::string &argument, const Error &error);
// Turns a plan's report into a refusal or failure, keeping what is known.
void refuse(report::MachineReport &report, const Error &error);

// Takes the values of settings that nobody knows out of the report, and the key of Apple's SMC out of the domain it
// shows: what is not understood may be a secret under any name, and reports are sent to others.
void hide_values(report::MachineReport &report);

}  // namespace ferry::migration
