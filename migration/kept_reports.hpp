// SPDX-License-Identifier: Apache-2.0
// The reports of runs and batches, kept beside the journals: RUN.report.json has one machine; BATCH.batch.json names
// the runs of a batch, and has what is known of its other machines.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "exporters/report/report.hpp"

namespace ferry::migration {

// "batch-20261129-120557-bc49": no run is called so.
[[nodiscard]] std::string new_batch_id();
[[nodiscard]] bool is_batch_id(const std::string &id);

// Keeps the report of each machine of the document that has a run of its own, under that run's name, in the place of an
// earlier one. Throws Error io, no_space, unsafe.
void keep_reports(const report::Document &document);
// Keeps the report of a whole batch; those of its runs are kept already. Throws as keep_reports().
void keep_batch(const std::string &batch, const report::Document &document);

// A report of --format json, wherever it is. Throws Error missing, malformed, io.
[[nodiscard]] report::Document read_report(const std::filesystem::path &file);

// The report of a run or a batch. Throws Error missing (with those that there are), malformed, unsafe, io.
[[nodiscard]] report::Document kept_report(const std::string &id);
// The newest run or batch that has a report: a batch rather than the last of its runs. Empty: there is none.
[[nodiscard]] std::string newest_report();

// Bytes a second that the newest runs wrote, by their reports; nullopt: none of them wrote enough to tell.
[[nodiscard]] std::optional<double> usual_rate();

// A machine of a batch, as far as the batch's own file tells.
struct BatchMachine {
  std::string name;
  report::Status status{};
  std::string run;  // that the batch made; empty: none
};
struct BatchRecord {
  std::string batch;
  std::vector<BatchMachine> machines;
};
// Throws Error missing, malformed, unsafe, io.
[[nodiscard]] BatchRecord read_batch(const std::string &batch);
// All of them, oldest first; those that cannot be read are left out.
[[nodiscard]] std::vector<BatchRecord> all_batches();

// Whether the run made what the report of this machine tells (a skipped one names the run that did).
[[nodiscard]] bool is_own_run(const report::MachineReport &machine);

}  // namespace ferry::migration
