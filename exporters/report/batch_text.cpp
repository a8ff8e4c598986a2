// SPDX-License-Identifier: Apache-2.0
// The text of a batch: totals first, then machines by trouble, then causes, each once with the machines that have it.
#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "exporters/report/text_form.hpp"
#include "exporters/report/told.hpp"

#include "support/columns.hpp"
#include "support/text.hpp"

namespace ferry::report {
namespace {

constexpr std::size_t kMostNames = 5;  // of machines that have the same; the rest is counted

struct Trouble {
  std::size_t rank = 0;  // less is worse
  std::size_t critical = 0, warnings = 0;
};

Trouble trouble_of(const MachineReport &machine) {
  Trouble out;
  for (const ToldFinding &told : told_findings(machine)) {
    if (told.first->severity == Severity::critical) out.critical += 1 + told.more.size();
    if (told.first->severity == Severity::warning) out.warnings += 1 + told.more.size();
  }
  switch (machine.status) {
    case Status::failed: out.rank = 0; break;
    case Status::refused: out.rank = 1; break;
    case Status::planned:
    case Status::migrated: out.rank = out.critical > 0 ? 2 : out.warnings > 0 ? 3 : 4; break;
    case Status::skipped: out.rank = 5; break;
  }
  return out;
}

std::vector<const MachineReport *> by_trouble(const Document &document) {
  std::vector<const MachineReport *> out;
  for (const MachineReport &machine : document.machines) out.push_back(&machine);
  std::stable_sort(out.begin(), out.end(), [](const auto *a, const auto *b) {
    const Trouble one = trouble_of(*a), other = trouble_of(*b);
    if (one.rank != other.rank) return one.rank < other.rank;
    return one.critical != other.critical ? one.critical > other.critical : one.warnings > other.warnings;
  });
  return out;
}

std::string in_need_of(const MachineReport &machine) {
  if (machine.refusal) return text::printable(machine.refusal->detail.message);
  if (machine.status == Status::skipped) return "done by that run, and unchanged";
  const Trouble trouble = trouble_of(machine);
  std::string out;
  if (trouble.critical > 0) out = std::to_string(trouble.critical) + " critical";
  if (trouble.warnings > 0) out += (out.empty() ? "" : ", ") + counted(trouble.warnings, "warning");
  return out.empty() ? "-" : out;
}

std::string totals(const Document &document, const TextForm &form) {
  std::array<std::size_t, 5> counts{};
  std::uint64_t written = 0, needed = 0;
  double seconds = 0;
  std::size_t in_need = 0;
  for (const MachineReport &machine : document.machines) {
    ++counts.at(static_cast<std::size_t>(machine.status));
    written += machine.written.value_or(0);
    seconds += machine.seconds.value_or(0);
    if (machine.status == Status::planned) needed += machine.space_needed;
    const bool is_made = machine.status == Status::planned || machine.status == Status::migrated;
    if (is_made && count_in_need(told_findings(machine)) > 0) ++in_need;
  }
  std::string out = counted(document.machines.size(), "machine") + ":";
  for (const Status status : {Status::migrated, Status::planned, Status::skipped, Status::refused, Status::failed}) {
    const std::size_t count = counts.at(static_cast<std::size_t>(status));
    if (count > 0)
      out += (out.ends_with(':') ? " " : ", ") + std::to_string(count) + " " + std::string(to_string(status));
  }
  if (written > 0) out += "; " + text::human_bytes(written) + " written in " + human_duration(seconds) + " of work";
  if (needed > 0) out += "; " + text::human_bytes(needed) + " to write";
  if (in_need > 0) out += "; " + std::to_string(in_need) + (in_need == 1 ? " needs" : " need") + " your hand";
  const bool bad =
      counts.at(static_cast<std::size_t>(Status::refused)) + counts.at(static_cast<std::size_t>(Status::failed)) > 0;
  const std::string lines = text::wrapped(out, 0, form.width);
  return form.colour ? inked(form, bad ? Ink::bad : Ink::good, lines.substr(0, lines.find_first_of(":"))) +
                           lines.substr(lines.find_first_of(":"))
                     : lines;
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

// One cause, and the machines that have it.
struct Cause {
  std::string word, message, id, advice;
  Ink ink{};
  std::vector<const MachineReport *> machines;
};

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
    std::string lines = text::wrapped(
        cause.word + ": " + cause.message + (cause.id.empty() ? "" : " [" + cause.id + "]"), 0, form.width);
    if (form.colour) lines.replace(0, cause.word.size(), inked(form, cause.ink, cause.word));
    out += "\n" + lines + text::wrapped(names_of(cause, all), 4, form.width);
    if (!cause.advice.empty()) out += text::wrapped(cause.advice, 4, form.width);
  }
  return out;
}

// Refusals by what is said, findings by id: the first machine's message is an example where they differ.
std::string causes_of(const std::vector<const MachineReport *> &machines, const TextForm &form) {
  std::vector<Cause> refusals, findings;
  std::map<std::pair<std::string, std::string>, std::size_t> refused, found;
  const auto add = [](auto &index, std::vector<Cause> &causes, const MachineReport *machine, Cause cause) {
    const auto key = std::pair(cause.id.empty() ? cause.message : cause.id, cause.advice);
    const auto [at, is_new] = index.try_emplace(key, causes.size());
    if (is_new) causes.push_back(std::move(cause));
    auto &list = causes[at->second].machines;
    if (list.empty() || list.back() != machine) list.push_back(machine);
  };
  for (const MachineReport *machine : machines) {
    if (machine->refusal) {
      const ErrorDetail &detail = machine->refusal->detail;
      add(refused, refusals, machine,
          {std::string(to_string(machine->status)),
           text::printable(detail.message),
           "",
           text::printable(detail.advice),
           Ink::bad,
           {}});
      continue;
    }
    if (machine->status == Status::skipped) continue;
    for (const ToldFinding &told : told_findings(*machine)) {
      const Finding &finding = *told.first;
      if (finding.severity == Severity::info) continue;
      add(found, findings, machine,
          {std::string(to_string(finding.severity)),
           text::printable(finding.message),
           finding.id,
           text::printable(finding.advice),
           ink_of(finding.severity),
           {}});
    }
  }
  const auto critical_first = [](const Cause &a, const Cause &b) {
    const auto rank = [](const Cause &cause) { return cause.ink == Ink::bad ? 0 : 1; };
    return rank(a) != rank(b) ? rank(a) < rank(b) : a.machines.size() > b.machines.size();
  };
  std::stable_sort(findings.begin(), findings.end(), critical_first);
  return causes_text(refusals, machines.size(), form) + causes_text(findings, machines.size(), form);
}

}  // namespace

std::string batch_text(const Document &document, const TextForm &form) {
  std::string out = totals(document, form);
  if (form.detail == Detail::result) return out;
  const auto machines = by_trouble(document);
  out += "\n" + machines_table(machines, form) + causes_of(machines, form);
  if (form.detail == Detail::all) {
    out += "\n" + as_text(document, form);
  }
  const bool runs = std::any_of(document.machines.begin(), document.machines.end(),
                                [](const auto &one) { return !one.run.empty() && one.status != Status::skipped; });
  if (document.batch.empty()) return out;
  out += "\n  virt-ferry report " + document.batch + " --format html -o report.html\n";
  if (runs) out += "  virt-ferry undo " + document.batch + "\n";
  return out;
}

}  // namespace ferry::report
