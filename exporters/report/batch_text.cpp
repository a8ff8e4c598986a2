// SPDX-License-Identifier: Apache-2.0
// The text of a batch: totals first, then machines by trouble, then causes, each once with the machines that have it.
#include <algorithm>
#include <numeric>

#include "exporters/report/causes.hpp"
#include "exporters/report/test_report.hpp"
#include "exporters/report/text_form.hpp"
#include "exporters/report/told.hpp"

#include "support/columns.hpp"
#include "support/text.hpp"

namespace ferry::report {
namespace {

constexpr std::size_t kMostNames = 5;  // of machines that have the same; the rest is counted

std::string in_need_of(const MachineReport &machine) {
  if (machine.refusal) return text::printable(machine.refusal->detail.message);
  if (machine.status == Status::skipped) return "done by that run, and unchanged";
  const Trouble trouble = trouble_of(machine);
  std::string out;
  if (machine.test && machine.test->verdict != Test::Verdict::booted)
    return text::printable(test_verdict(*machine.test));
  if (trouble.critical > 0) out = std::to_string(trouble.critical) + " critical";
  if (trouble.warnings > 0) out += (out.empty() ? "" : ", ") + counted(trouble.warnings, "warning");
  return out.empty() ? "-" : out;
}

std::string totals_line(const Document &document, const TextForm &form) {
  const Totals totals = totals_of(document);
  std::string out =
      text::wrapped(counted(document.machines.size(), "machine") + ": " + totals_text(totals), 0, form.width);
  const std::size_t colon = out.find(':');
  return inked(form, totals.bad ? Ink::bad : Ink::good, out.substr(0, colon)) + out.substr(colon);
}

std::string machines_table(const std::vector<const MachineReport *> &machines, const TextForm &form) {
  const bool runs = std::any_of(machines.begin(), machines.end(), [](const auto *one) { return !one->run.empty(); });
  std::vector<std::vector<std::string>> rows{{"MACHINE", "RESULT", "DATA"}};
  if (runs) rows.front().emplace_back("RUN");
  rows.front().emplace_back("NEEDS YOUR HAND");
  for (const MachineReport *machine : machines) {
    const std::uint64_t data = std::accumulate(machine->disks.begin(), machine->disks.end(), std::uint64_t{0},
                                               [](auto sum, const Disk &disk) { return sum + disk.allocated; });
    std::vector<std::string> row{text::printable(machine->name), std::string(to_string(machine->status)),
                                 machine->disks.empty() ? "-" : text::human_bytes(data)};
    if (runs) row.push_back(machine->run.empty() ? "-" : machine->run);
    row.push_back(in_need_of(*machine));
    rows.push_back(std::move(row));
  }
  return text::table(rows, form.width);
}

std::string names_of(const Cause &cause, std::size_t all) {
  if (cause.machines.size() == all && all > 1) return "all machines";
  std::string out;
  for (std::size_t i = 0; i < std::min(cause.machines.size(), kMostNames); ++i)
    out += (i == 0 ? "" : ", ") + text::printable(cause.machines[i]->name);
  if (cause.machines.size() > kMostNames) out += " and " + std::to_string(cause.machines.size() - kMostNames) + " more";
  return out;
}

std::string causes_text(const std::vector<Cause> &causes, std::size_t all, const TextForm &form) {
  std::string out;
  for (const Cause &cause : causes) {
    const std::string word(cause.severity ? to_string(*cause.severity) : to_string(cause.status));
    std::string lines = text::wrapped(
        word + ": " + text::printable(cause.message) + (cause.id.empty() ? "" : " [" + cause.id + "]"), 0, form.width);
    if (form.colour)
      lines.replace(0, word.size(), inked(form, cause.severity ? ink_of(*cause.severity) : Ink::bad, word));
    out += "\n" + lines + text::wrapped(names_of(cause, all), 4, form.width);
    if (!cause.advice.empty()) out += text::wrapped(text::printable(cause.advice), 4, form.width);
  }
  return out;
}

}  // namespace

std::string batch_text(const Document &document, const TextForm &form) {
  std::string out = totals_line(document, form);
  if (form.detail == Detail::result) return out;
  const auto machines = by_trouble(document);
  out += "\n" + machines_table(machines, form) + causes_text(causes_of(machines), machines.size(), form);
  if (form.detail == Detail::all) out += "\n" + as_text(document, form);
  if (document.batch.empty()) return out;
  const bool runs = std::any_of(document.machines.begin(), document.machines.end(),
                                [](const auto &one) { return !one.run.empty() && one.status != Status::skipped; });
  out += "\n  virt-ferry report " + document.batch + " --format html -o report.html\n";
  if (runs) out += "  virt-ferry undo " + document.batch + "\n";
  return out;
}

}  // namespace ferry::report
