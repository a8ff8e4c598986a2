// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>

#include "exporters/report/test_report.hpp"
#include "exporters/report/text_form.hpp"
#include "exporters/report/told.hpp"

#include "support/columns.hpp"
#include "support/text.hpp"

namespace ferry::report {
namespace {

constexpr std::size_t kWidth = 80;  // of a terminal; names of files may be longer
constexpr std::size_t kLabel = 13;

std::string line(const std::string &label, const std::string &value) {
  return "  " + label + std::string(label.size() < kLabel ? kLabel - label.size() : 1, ' ') + value + "\n";
}

std::string numbered(const char *label, std::size_t index, std::size_t count) {
  return count == 1 ? label : label + (" " + std::to_string(index + 1));
}

std::string disk_lines(const MachineReport &machine) {
  std::string out;
  for (std::size_t i = 0; i < machine.disks.size(); ++i) {
    const Disk &disk = machine.disks[i];
    std::string value = text::printable(disk.source) + " (" + disk.format + ", " + text::human_bytes(disk.virtual_size);
    value += ", " + text::human_bytes(disk.allocated) + " of data";
    if (disk.chain.size() > 1) value += ", chain of " + std::to_string(disk.chain.size());
    out += line(numbered("disk", i, machine.disks.size()), value + ")");
    if (!disk.target.empty()) out += line("", "-> " + text::printable(disk.target));
    if (disk.sha256) out += line("", "verified, sha256 " + *disk.sha256);
  }
  return out;
}

std::string nic_lines(const MachineReport &machine) {
  std::string out;
  for (std::size_t i = 0; i < machine.nics.size(); ++i) {
    const Nic &nic = machine.nics[i];
    out += line(
        numbered("network", i, machine.nics.size()),
        nic.model + " " + nic.mac + ", " + nic.network + (nic.guest_name ? ", the guest sees " + *nic.guest_name : ""));
    for (const std::string &forward : nic.forwards) out += line("", "forwards " + forward);
  }
  return out;
}

std::string snapshot_lines(const MachineReport &machine) {
  std::string out;
  for (std::size_t i = 0; i < machine.snapshots.size(); ++i) {
    const SnapshotLine &snapshot = machine.snapshots[i];
    out +=
        line(i == 0 ? "snapshots" : "", text::printable(snapshot.name) +
                                            (snapshot.parent ? ", child of " + text::printable(*snapshot.parent) : "") +
                                            (snapshot.current ? ", current" : ""));
  }
  return out;
}

std::string finding_text(const ToldFinding &told, const TextForm &form) {
  const Finding &first = *told.first;
  std::string out = "  " + inked(form, ink_of(first.severity), to_string(first.severity)) + ": " + first.id;
  if (const std::string where = first.where.text(); !where.empty()) out += " at " + text::printable(where);
  out += "\n" + text::wrapped(text::printable(first.message), 4, form.width);
  for (const Finding *more : told.more) {
    const std::string where = more->where.text();
    out += where.empty() ? "" : "    at " + text::printable(where) + "\n";
    out += text::wrapped(text::printable(more->message), 4, form.width);
  }
  if (!first.advice.empty()) out += text::wrapped(text::printable(first.advice), 4, form.width);
  return out;
}

std::string settings_text(const MachineReport &machine, const TextForm &form) {
  std::string out;
  for (const ToldSetting &told : told_settings(machine)) {
    const LedgerEntry &entry = *told.entry;
    const std::string value = text::excerpt(entry.value, 60);
    out += "  " + std::string(to_string(entry.disposition)) + ": ";
    out += (entry.where.line ? "line " + std::to_string(*entry.where.line) + ": " : "") +
           text::printable(entry.where.path);
    if (!value.empty()) out += " = \"" + value + "\"";
    out += told.states > 1 ? ", in " + std::to_string(told.states) + " states\n" : "\n";
    if (!entry.note.empty()) out += text::wrapped(text::printable(entry.note), 4, form.width);
  }
  return out.empty() ? out : "\n  Settings that are not carried over\n" + out;
}

std::string counts_text(const LedgerCounts &counts) {
  std::string out = std::to_string(counts.total) + ": " + std::to_string(counts.kept) + " kept, " +
                    std::to_string(counts.translated) + " translated, " + std::to_string(counts.dropped) +
                    " dropped, " + std::to_string(counts.irrelevant) + " irrelevant, " +
                    std::to_string(counts.unknown) + " unknown";
  if (counts.unsettled > 0) out += ", " + std::to_string(counts.unsettled) + " unsettled";
  return out;
}

std::string refusal_text(const MachineReport &machine, const TextForm &form) {
  const ErrorDetail &detail = machine.refusal->detail;
  std::string out = line(std::string(to_string(machine.status)), std::string(to_string(machine.refusal->kind)));
  if (const std::string where = detail.where.text(); !where.empty()) out += line("where", text::printable(where));
  out += text::wrapped(text::printable(detail.message), 4, form.width);
  if (!detail.found.empty()) out += text::wrapped("found " + text::printable(detail.found), 4, form.width);
  if (!detail.expected.empty()) out += text::wrapped("expected " + text::printable(detail.expected), 4, form.width);
  if (!detail.advice.empty()) out += text::wrapped(text::printable(detail.advice), 4, form.width);
  return out;
}

std::string machine_text(const MachineReport &machine, const TextForm &form) {
  std::string out = headline(machine, form);
  out += line("source", text::printable(machine.source));
  if (machine.test) out += line("test", text::printable(test_verdict(*machine.test)));
  if (machine.test && !machine.test->screenshot.empty())
    out += line("picture", text::printable(machine.test->screenshot));
  if (!machine.guest_os.empty()) out += line("guest", text::printable(machine.guest_os));
  for (std::size_t i = 0; i < machine.observed.size(); ++i)
    out += line(i == 0 ? "seen" : "", text::printable(machine.observed[i]));
  if (!machine.summary.empty()) out += line("machine", machine.summary);
  if (!machine.uuid.empty()) out += line("uuid", machine.uuid);
  out += disk_lines(machine) + nic_lines(machine) + snapshot_lines(machine);
  if (machine.space_needed > 0) {
    out += line("space",
                text::human_bytes(machine.space_needed) + " needed" +
                    (machine.space_available ? ", " + text::human_bytes(*machine.space_available) + " available" : ""));
  }
  for (std::size_t i = 0; i < machine.files.size(); ++i) {
    out += line(i != 0                               ? ""
                : machine.status == Status::migrated ? "written"
                                                     : "writes",
                text::printable(machine.files[i]));
  }
  if (!machine.refusal && machine.settings.counts().total > 0)
    out += line("settings", counts_text(machine.settings.counts()));
  if (!machine.run.empty()) out += line("run", machine.run);
  if (machine.refusal) out += refusal_text(machine, form);
  const std::vector<ToldFinding> findings = told_findings(machine);
  if (!findings.empty()) out += "\n  Findings\n";
  for (const ToldFinding &told : findings) out += finding_text(told, form);
  out += settings_text(machine, form);
  if (!machine.next_steps.empty()) out += "\n  Next\n";
  for (const std::string &step : machine.next_steps) out += "    " + step + "\n";
  return out;
}

}  // namespace

std::string as_text(const Document &document, const TextForm &form) {
  std::string out;
  for (const MachineReport &machine : document.machines) {
    if (!out.empty() && form.detail != Detail::result) out += "\n";
    out += form.detail == Detail::all ? machine_text(machine, form) : brief_text(machine, form);
  }
  return out;
}

}  // namespace ferry::report
