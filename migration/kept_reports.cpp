// SPDX-License-Identifier: Apache-2.0
#include "migration/kept_reports.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "migration/journal.hpp"
#include "migration/run_record.hpp"

#include "support/file.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kBatch = "batch-";
constexpr std::string_view kReportSuffix = ".report.json", kBatchSuffix = ".batch.json";
constexpr std::string_view kBatchSchema = "virt-ferry-batch/1";
constexpr std::uint64_t kMostOfAReport = std::uint64_t{256} << 20U;  // bytes; two thousand machines take 100 MiB

fs::path report_file(const std::string &run) { return journal_folder() / (run + std::string(kReportSuffix)); }
fs::path batch_file(const std::string &batch) { return journal_folder() / (batch + std::string(kBatchSuffix)); }

bool is_plain_id(const std::string &id) {
  constexpr std::string_view kCharacters = "0123456789abcdefghijklmnopqrstuvwxyz-";
  return !id.empty() && id.size() < 64 && id.find_first_not_of(kCharacters) == std::string::npos;
}

void write_kept(const fs::path &file, const std::string &text) {
  file::make_private_folders(journal_folder());
  detail::check_journal_folder();
  std::error_code none;
  fs::remove(file, none);  // of the same run, which was cut off then and is finished now
  file::publish_private(file, {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()});
}

std::optional<std::string> read_kept(const fs::path &file) {
  detail::check_journal_folder();
  const auto status = file::status_of(file, file::Links::no_follow);
  if (!status) return std::nullopt;
  if (const std::string problem = status->is_regular() ? file::problem_of_private(*status) : "it is not a regular file";
      !problem.empty()) {
    throw Error(ErrorKind::unsafe, {.where = {.file = file},
                                    .message = "the report cannot be trusted: " + problem,
                                    .advice = "Find out who wrote it, and remove it if it is not yours."});
  }
  const auto bytes = file::read_range({.file = file}, kMostOfAReport);
  return std::string(reinterpret_cast<const char *>(bytes.data()), bytes.size());
}

[[noreturn]] void no_report(const std::string &id) {
  std::string known;
  const auto runs = all_runs();
  for (auto run = runs.rbegin(); run != runs.rend() && known.size() < 200; ++run)
    known += (known.empty() ? "" : ", ") + run->run + " (" + run->machine + ")";
  throw Error(ErrorKind::missing, {.where = {.file = journal_folder()},
                                   .message = "there is no report of \"" + text::printable(id) + "\"",
                                   .expected = known.empty() ? "" : "one of: " + known,
                                   .advice = "'virt-ferry runs' lists runs and batches."});
}

// The pictures of tests lie beside the reports; one that is gone is left out.
report::Document with_pictures(report::Document document) {
  constexpr std::size_t kMostOfAPicture = std::size_t{64} << 20U;  // bytes
  for (report::MachineReport &machine : document.machines) {
    if (!machine.test || machine.test->screenshot.empty()) continue;
    try {
      const std::string bytes = file::read_start(machine.test->screenshot, kMostOfAPicture);
      machine.test->picture.assign(bytes.begin(), bytes.end());
    } catch (const Error &) {  // its place is told all the same
    }
  }
  return document;
}

report::Document parsed(const fs::path &file, const std::string &text) {
  try {
    return report::from_json(text);
  } catch (const Error &error) {
    ErrorDetail detail = error.detail();
    detail.where.file = file;
    throw Error(error.kind(), std::move(detail));
  }
}

report::Document report_in(const fs::path &file, const std::string &id) {
  const auto text = is_plain_id(id) ? read_kept(file) : std::nullopt;
  if (!text) no_report(id);
  return with_pictures(parsed(file, *text));
}

OrderedJson batch_json(const std::string &batch) {
  const fs::path file = batch_file(batch);
  const auto text = is_plain_id(batch) ? read_kept(file) : std::nullopt;
  if (!text) no_report(batch);
  OrderedJson json = OrderedJson::parse(*text, nullptr, false);
  if (json.is_discarded() || json.value("schema", "") != std::string(kBatchSchema) || !json["order"].is_array())
    throw Error(ErrorKind::malformed, {.where = {.file = file}, .message = "this is not the report of a batch"});
  return json;
}

// The order of all machines is the batch's; those with a run have a report of their own, the others are in `rest`.
report::Document whole_batch(const std::string &batch) {
  const OrderedJson json = batch_json(batch);
  report::Document out = report::from_json(json.at("rest").dump());
  std::vector<report::MachineReport> rest = std::move(out.machines);
  out.machines.clear();
  auto next = rest.begin();
  for (const OrderedJson &one : json["order"]) {
    const std::string run = one.value("run", "");
    if (run.empty()) {
      if (next != rest.end()) out.machines.push_back(std::move(*next++));
      continue;
    }
    report::Document own = report_in(report_file(run), run);
    for (report::MachineReport &machine : own.machines) out.machines.push_back(std::move(machine));
  }
  return out;
}

std::vector<std::string> ids_with(std::string_view suffix) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator at(journal_folder(), error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.ends_with(suffix)) out.push_back(name.substr(0, name.size() - suffix.size()));
  }
  std::sort(out.begin(), out.end());
  return out;
}

report::Status status_named(const std::string &name) {
  using report::Status;
  for (const Status status : {Status::planned, Status::migrated, Status::skipped, Status::refused, Status::failed}) {
    if (to_string(status) == name) return status;
  }
  return Status::failed;
}

}  // namespace

std::string new_batch_id() { return std::string(kBatch) + new_run_id(); }
bool is_batch_id(const std::string &id) { return id.starts_with(kBatch); }

bool is_own_run(const report::MachineReport &machine) {
  return !machine.run.empty() && machine.status != report::Status::skipped;
}

void keep_reports(const report::Document &document) {
  for (const report::MachineReport &machine : document.machines) {
    if (!is_own_run(machine)) continue;
    report::Document own = document;
    own.machines = {machine};
    write_kept(report_file(machine.run), report::as_json(own));
  }
}

void keep_batch(const std::string &batch, const report::Document &document) {
  report::Document rest = document;
  std::erase_if(rest.machines, is_own_run);
  OrderedJson order = OrderedJson::array();
  for (const report::MachineReport &machine : document.machines) {
    OrderedJson one{{"name", machine.name}, {"status", to_string(machine.status)}};
    if (is_own_run(machine)) one["run"] = machine.run;
    order.push_back(std::move(one));
  }
  const OrderedJson json{
      {"schema", kBatchSchema}, {"order", std::move(order)}, {"rest", OrderedJson::parse(report::as_json(rest))}};
  write_kept(batch_file(batch), json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
}

report::Document read_report(const fs::path &file) {
  const auto bytes = file::read_range({.file = file}, kMostOfAReport);
  return parsed(file, {reinterpret_cast<const char *>(bytes.data()), bytes.size()});
}

report::Document kept_report(const std::string &id) {
  return is_batch_id(id) ? whole_batch(id) : report_in(report_file(id), id);
}

std::string newest_report() {
  const auto runs = ids_with(kReportSuffix), batches = ids_with(kBatchSuffix);
  if (batches.empty()) return runs.empty() ? "" : runs.back();
  if (runs.empty()) return batches.back();
  // A batch's id is older than its runs'.
  const std::string &run = runs.back(), &batch = batches.back();
  const auto machines = read_batch(batch).machines;
  const bool own = std::any_of(machines.begin(), machines.end(), [&run](const auto &one) { return one.run == run; });
  return own || kBatch.size() + run.size() < batch.size() || run < batch.substr(kBatch.size()) ? batch : run;
}

std::optional<double> usual_rate() {
  constexpr std::size_t kRuns = 10;
  constexpr std::uint64_t kEnough = 64U << 20U;  // bytes: below, a run is all preparation
  const auto runs = ids_with(kReportSuffix);
  std::size_t looked = 0;
  double bytes = 0, seconds = 0;
  for (auto run = runs.rbegin(); run != runs.rend() && looked < kRuns; ++run, ++looked) {
    try {
      for (const report::MachineReport &machine : report_in(report_file(*run), *run).machines) {
        if (machine.written.value_or(0) < kEnough || machine.seconds.value_or(0) <= 0) continue;
        bytes += static_cast<double>(*machine.written);
        seconds += *machine.seconds;
      }
    } catch (const Error &) {
      continue;
    }
  }
  return seconds > 0 ? std::optional(bytes / seconds) : std::nullopt;
}

BatchRecord read_batch(const std::string &batch) {
  BatchRecord out{.batch = batch, .machines = {}};
  const OrderedJson json = batch_json(batch);
  for (const OrderedJson &one : json["order"])
    out.machines.push_back({one.value("name", ""), status_named(one.value("status", "")), one.value("run", "")});
  return out;
}

std::vector<BatchRecord> all_batches() {
  std::vector<BatchRecord> out;
  for (const std::string &batch : ids_with(kBatchSuffix)) {
    try {
      out.push_back(read_batch(batch));
    } catch (const Error &) {
      continue;
    }
  }
  return out;
}

}  // namespace ferry::migration
