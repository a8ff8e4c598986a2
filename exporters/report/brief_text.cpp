// SPDX-License-Identifier: Apache-2.0
// The usual text of a machine: the result first, then what a person has to do, then what was carried over.
#include <algorithm>

#include "exporters/report/test_report.hpp"
#include "exporters/report/text_form.hpp"
#include "exporters/report/told.hpp"

#include "support/columns.hpp"
#include "support/text.hpp"

namespace ferry::report {
namespace {

constexpr std::size_t kFactLabel = 11;     // columns
constexpr std::size_t kMostOfAKind = 3;    // messages of one kind of finding; the rest is counted
constexpr std::size_t kMostSnapshots = 4;  // named

std::string fact(const std::string &label, const std::string &value, const TextForm &form) {
  const std::string text = text::wrapped(value, kFactLabel + 2, form.width);
  return "  " + inked(form, Ink::faint, text::padded(label, kFactLabel)) + text.substr(kFactLabel + 2);
}

std::string in_need(const MachineReport &machine) {
  const std::size_t count = count_in_need(told_findings(machine));
  if (count == 0) return "nothing needs your hand";
  return counted(count, "thing") + (count == 1 ? " needs" : " need") + " your hand";
}

std::string place_in_brackets(const Place &where, const MachineReport &machine) {
  const std::string place = short_place(where, machine);
  return place.empty() ? "" : " (" + text::printable(place) + ")";
}

std::string outcome(const MachineReport &machine) {
  switch (machine.status) {
    case Status::planned: {
      std::string out = "can be migrated";
      if (machine.space_needed > 0) out += ", " + text::human_bytes(machine.space_needed) + " to write";
      if (machine.space_needed > 0 && machine.space_available)
        out += " (" + text::human_bytes(*machine.space_available) + " free)";
      return out + ", " + in_need(machine);
    }
    case Status::migrated: {
      std::string out = "migrated";
      if (machine.seconds) out += " in " + human_duration(*machine.seconds);
      if (machine.written.value_or(0) > 0) out += ", " + text::human_bytes(*machine.written) + " written";
      return out + ", " + in_need(machine);
    }
    case Status::skipped: return "skipped: the run " + machine.run + " has migrated it, and the source is unchanged";
    case Status::refused: return "refused";
    case Status::failed: return machine.run.empty() ? "failed" : "made, but not finished";
  }
  return {};
}

// "It does not exist (line 4)": a sentence that the place belongs to.
std::string with_place(const Finding &finding, const MachineReport &machine) {
  std::string out = text::printable(finding.message);
  const std::string place = place_in_brackets(finding.where, machine);
  if (!place.empty() && out.ends_with('.')) out.pop_back();
  return out + place;
}

// A command, and what is said of it on a line of its own where both do not fit on one.
std::string step_lines(const std::string &step, const TextForm &form) {
  const std::string whole = "  " + text::printable(step);
  const std::size_t comment = whole.find("    # ");
  if (text::columns(whole) <= form.width || comment == std::string::npos) return whole + "\n";
  return whole.substr(0, comment) + "\n" + text::wrapped(whole.substr(comment + 4), 6, form.width);
}

std::string finding_lines(const ToldFinding &told, const MachineReport &machine, const TextForm &form) {
  const Finding &first = *told.first;
  const std::string word(to_string(first.severity));
  std::string line =
      word + ": " + text::printable(first.message) + place_in_brackets(first.where, machine) + " [" + first.id + "]";
  std::string out = text::wrapped(line, 2, form.width);
  if (form.colour) out.replace(2, word.size(), inked(form, ink_of(first.severity), word));
  for (std::size_t i = 0; i < std::min(told.more.size(), kMostOfAKind - 1); ++i) {
    const Finding &more = *told.more[i];
    out += text::wrapped(with_place(more, machine), 4, form.width);
  }
  if (told.more.size() >= kMostOfAKind)
    out += "    And " + std::to_string(told.more.size() - (kMostOfAKind - 1)) + " more like this; -v shows all.\n";
  if (!first.advice.empty()) out += text::wrapped(text::printable(first.advice), 4, form.width);
  return out;
}

std::string findings_in_need(const MachineReport &machine, const TextForm &form) {
  std::string out;
  for (const ToldFinding &told : told_findings(machine)) {
    if (told.first->severity != Severity::info) out += finding_lines(told, machine, form);
  }
  return out.empty() ? out : "\n" + out;
}

std::string disks_fact(const MachineReport &machine) {
  std::string out;
  for (const Disk &disk : machine.disks) {
    const std::filesystem::path file(disk.target.empty() ? disk.source : disk.target);
    out += (out.empty() ? "" : ", ") + text::printable(file.filename().string()) + " (" +
           text::human_bytes(disk.virtual_size);
    if (disk.chain.size() > 1) out += ", of a chain of " + std::to_string(disk.chain.size());
    out += disk.sha256 ? ", verified)" : ")";
  }
  return out;
}

std::string nic_fact(const Nic &nic) {
  std::string out = text::printable(nic.network) + ", " + nic.model + " " + nic.mac;
  if (nic.guest_name) out += ", the guest sees " + *nic.guest_name;
  return out;
}

std::string forwards_fact(const MachineReport &machine) {
  std::string out;
  for (const Nic &nic : machine.nics) {
    for (const std::string &forward : nic.forwards) out += (out.empty() ? "" : ", ") + forward;
  }
  return out;
}

std::string snapshots_fact(const MachineReport &machine) {
  std::string out = std::to_string(machine.snapshots.size()) + ":";
  for (std::size_t i = 0; i < std::min(machine.snapshots.size(), kMostSnapshots); ++i) {
    const SnapshotLine &one = machine.snapshots[i];
    out += (i == 0 ? " " : ", ") + text::printable(one.name) + (one.current ? " (current)" : "");
  }
  if (machine.snapshots.size() > kMostSnapshots)
    out += " and " + std::to_string(machine.snapshots.size() - kMostSnapshots) + " more";
  return out;
}

std::string settings_fact(const MachineReport &machine) {
  const LedgerCounts counts = machine.settings.counts();
  const auto findings = told_findings(machine);
  const auto notes = std::count_if(findings.begin(), findings.end(),
                                   [](const auto &told) { return told.first->severity == Severity::info; });
  const std::size_t lost = told_settings(machine).size();
  std::string out = std::to_string(counts.total) + ": " +
                    (lost == 0 ? "all carried over" : std::to_string(lost) + " not carried over");
  if (counts.unknown > 0) out += ", " + std::to_string(counts.unknown) + " of them unknown";
  if (notes > 0) out += "; " + counted(static_cast<std::size_t>(notes), "note");
  return out + (lost > 0 || notes > 0 ? " (-v shows them)" : "");
}

std::string facts_text(const MachineReport &machine, const TextForm &form) {
  std::string what = text::printable(machine.guest_os);
  if (!machine.summary.empty()) what += (what.empty() ? "" : ", ") + machine.summary;
  std::string out;
  if (machine.test) out += fact("test", text::printable(test_verdict(*machine.test)), form);
  if (machine.test && !machine.test->screenshot.empty())
    out += fact("picture", text::printable(machine.test->screenshot), form);
  if (!what.empty()) out += fact("machine", what, form);
  for (const std::string &system : machine.observed) out += fact("seen", text::printable(system), form);
  if (!machine.disks.empty()) out += fact(machine.disks.size() == 1 ? "disk" : "disks", disks_fact(machine), form);
  for (std::size_t i = 0; i < machine.nics.size(); ++i)
    out += fact(machine.nics.size() == 1 ? "network" : "network " + std::to_string(i + 1), nic_fact(machine.nics[i]),
                form);
  if (const std::string ports = forwards_fact(machine); !ports.empty()) out += fact("forwards", ports, form);
  if (!machine.snapshots.empty()) out += fact("snapshots", snapshots_fact(machine), form);
  if (!machine.files.empty()) {
    const std::filesystem::path folder = std::filesystem::path(machine.files.back()).parent_path();
    out += fact("folder", text::printable(folder.string()), form);
  }
  if (machine.settings.counts().total > 0) out += fact("settings", settings_fact(machine), form);
  return out.empty() ? out : "\n" + out;
}

// Why there is no machine, below the headline, which has the message.
std::string refusal_lines(const MachineReport &machine, const TextForm &form) {
  const ErrorDetail &detail = machine.refusal->detail;
  std::string out;
  if (!detail.found.empty()) out += text::wrapped("found " + text::printable(detail.found), 2, form.width);
  if (!detail.expected.empty()) out += text::wrapped("expected " + text::printable(detail.expected), 2, form.width);
  if (!detail.advice.empty()) out += text::wrapped(text::printable(detail.advice), 2, form.width);
  return out;
}

}  // namespace

std::string headline(const MachineReport &machine, const TextForm &form) {
  const std::string name = text::printable(machine.name), what = outcome(machine);
  std::string line = name + ": " + what;
  if (machine.refusal) {
    line += ": " + text::printable(machine.refusal->detail.message) +
            place_in_brackets(machine.refusal->detail.where, machine);
  }
  std::string out = text::wrapped(line, 0, form.width);
  const std::string word = what.substr(0, what.find_first_of(",:"));
  const std::size_t at = out.find(word, name.size());
  if (form.colour && at != std::string::npos && out.starts_with(name)) {
    out.replace(at, word.size(), inked(form, ink_of(machine.status), word));
    out.replace(0, name.size(), inked(form, Ink::strong, name));
  }
  return out;
}

std::string brief_text(const MachineReport &machine, const TextForm &form) {
  std::string out = headline(machine, form);
  if (form.detail == Detail::result) return out;
  if (machine.refusal) out += refusal_lines(machine, form);
  out += findings_in_need(machine, form);
  const bool is_made = machine.status == Status::planned || machine.status == Status::migrated || !machine.run.empty();
  if (is_made && machine.status != Status::skipped) out += facts_text(machine, form);
  if (!machine.next_steps.empty()) out += "\n";
  for (const std::string &step : machine.next_steps) out += step_lines(step, form);
  return out;
}

}  // namespace ferry::report
