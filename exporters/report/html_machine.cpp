// SPDX-License-Identifier: Apache-2.0
// One machine's part of a page: the verdict and what needs a hand first, then what became of it.
#include <array>
#include <cstdint>
#include <ctime>

#include "exporters/report/html_kit.hpp"
#include "exporters/report/test_report.hpp"
#include "exporters/report/text_form.hpp"
#include "exporters/report/told.hpp"

#include "support/text.hpp"
#include "support/xml.hpp"

namespace ferry::report::html {
namespace {

std::string date_text(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  std::array<char, 32> out{};
  if (gmtime_r(&time, &parts) == nullptr) return {};
  return {out.data(), std::strftime(out.data(), out.size(), "%Y-%m-%d %H:%M UTC", &parts)};
}

void add_facts(std::string &out, const MachineReport &machine) {
  const auto fact = [&out](std::string_view name, const std::string &value) {
    if (!value.empty()) out += "<dt>" + std::string(name) + "</dt><dd>" + escaped(value) + "</dd>\n";
  };
  out += "<dl>\n";
  fact("Source", machine.source);
  fact("Guest", machine.guest_os);
  for (const std::string &system : machine.observed) fact("Seen", system);
  fact("Machine", machine.summary);
  fact("UUID", machine.uuid);
  fact("Run", machine.run);
  if (machine.space_needed > 0) {
    fact("Space",
         text::human_bytes(machine.space_needed) + " needed" +
             (machine.space_available ? ", " + text::human_bytes(*machine.space_available) + " available" : ""));
  }
  for (const std::string &file : machine.files) fact("File", file);
  out += "</dl>\n";
}

void add_refusal(std::string &out, const MachineReport &machine) {
  const ErrorDetail &detail = machine.refusal->detail;
  out += "<dl>\n";
  const auto fact = [&out](std::string_view name, const std::string &value) {
    if (!value.empty()) out += "<dt>" + std::string(name) + "</dt><dd>" + escaped(value) + "</dd>\n";
  };
  fact("Where", detail.where.text());
  fact("Found", detail.found);
  fact("Expected", detail.expected);
  fact("What to do", detail.advice);
  out += "</dl>\n";
}

void add_finding(std::string &out, const ToldFinding &told, const MachineReport &machine) {
  const Finding &first = *told.first;
  const std::string word(to_string(first.severity));
  const auto message = [&](const Finding &finding) {
    const std::string place = short_place(finding.where, machine);
    out += "<div>" + escaped(finding.message) +
           (place.empty() ? "" : " <span class=\"mild\">" + escaped(place) + "</span>") + "</div>";
  };
  out += "<li class=\"" + word + "\">" + tag(word) + " <code>" + escaped(first.id) + "</code>";
  message(first);
  for (const Finding *more : told.more) message(*more);
  if (!first.advice.empty()) out += "<div><strong>" + escaped(first.advice) + "</strong></div>";
  out += "</li>\n";
}

void add_findings(std::string &out, const MachineReport &machine, Share share) {
  const std::vector<ToldFinding> told = told_findings(machine);
  std::string need, notes;
  for (const ToldFinding &one : told) add_finding(one.first->severity == Severity::info ? notes : need, one, machine);
  if (!need.empty()) out += "<h3>What needs your hand</h3><ul class=\"plain\">\n" + need + "</ul>\n";
  if (!notes.empty() && share == Share::whole) out += "<h3>Notes</h3><ul class=\"plain\">\n" + notes + "</ul>\n";
}

void add_disks(std::string &out, const MachineReport &machine) {
  if (machine.disks.empty()) return;
  out += "<h3>Disks</h3>" + table_head({"Source, and what it becomes", "Format", "#Size", "#Data"});
  for (const Disk &disk : machine.disks) {
    std::string files = code(disk.source);
    if (disk.chain.size() > 1) {
      files += "<div class=\"mild\">on";
      for (std::size_t i = disk.chain.size() - 1; i > 0; --i) files += " " + code(disk.chain[i - 1]);
      files += "</div>";
    }
    files +=
        "<div>&rarr; " + code(disk.target) + (disk.sha256 ? ", verified, sha256 " + code(*disk.sha256) : "") + "</div>";
    out += "<tr>" + cell(files) + cell(escaped(disk.format)) + number_cell(text::human_bytes(disk.virtual_size)) +
           number_cell(text::human_bytes(disk.allocated)) + "</tr>\n";
  }
  out += "</tbody></table>\n";
}

void add_nics(std::string &out, const MachineReport &machine) {
  if (machine.nics.empty()) return;
  out += "<h3>Network</h3>" + table_head({"MAC", "Model", "Network", "The guest sees", "Ports of the host"});
  for (const Nic &nic : machine.nics) {
    std::string forwards;
    for (const std::string &forward : nic.forwards) forwards += (forwards.empty() ? "" : "<br>") + escaped(forward);
    out += "<tr>" + cell(code(nic.mac)) + cell(escaped(nic.model)) + cell(escaped(nic.network)) +
           cell(escaped(nic.guest_name.value_or(""))) + cell(forwards) + "</tr>\n";
  }
  out += "</tbody></table>\n";
}

void add_snapshots(std::string &out, const MachineReport &machine) {
  if (machine.snapshots.empty()) return;
  out += "<h3>Snapshots</h3>" + table_head({"Name", "Made", "After", "Description"});
  for (const SnapshotLine &snapshot : machine.snapshots) {
    out += "<tr>" + cell(escaped(snapshot.name) + (snapshot.current ? " " + tag("current") : "")) +
           cell(snapshot.created ? date_text(*snapshot.created) : "") + cell(escaped(snapshot.parent.value_or(""))) +
           cell(escaped(snapshot.description)) + "</tr>\n";
  }
  out += "</tbody></table>\n";
}

void add_next_steps(std::string &out, const MachineReport &machine) {
  if (machine.next_steps.empty()) return;
  out += "<h3>Next</h3><pre>";
  for (const std::string &step : machine.next_steps) out += escaped(step) + "\n";
  out += "</pre>\n";
}

std::string setting_row(const LedgerEntry &entry, std::size_t states) {
  std::string path = code((entry.where.line ? std::to_string(*entry.where.line) + ": " : "") + entry.where.path);
  if (states > 1) path += " <span class=\"mild\">in " + std::to_string(states) + " states</span>";
  return "<tr>" + cell(tag(to_string(entry.disposition))) + cell(path) + cell(code(entry.value)) +
         cell(escaped(entry.note)) + "</tr>\n";
}

// What is lost stands open, what is kept behind a click.
void add_settings(std::string &out, const MachineReport &machine, Share share) {
  const LedgerCounts counts = machine.settings.counts();
  if (counts.total == 0) return;
  const auto number = [](std::size_t count, const char *word) {
    return count == 0 ? std::string() : ", " + std::to_string(count) + " " + word;
  };
  out += "<h3>Settings</h3><p>" + std::to_string(counts.total) + " settings" + number(counts.kept, "kept") +
         number(counts.translated, "translated") + number(counts.dropped, "dropped") +
         number(counts.irrelevant, "irrelevant") + number(counts.unknown, "unknown") +
         number(counts.unsettled, "unsettled") + ".</p>\n";
  const std::string head = table_head({"What became of it", "Setting", "Value", "Why"});
  std::string lost, kept;
  for (const ToldSetting &told : told_settings(machine)) lost += setting_row(*told.entry, told.states);
  if (!lost.empty() && share == Share::whole)
    out += head + lost + "</tbody></table>\n";
  else if (!lost.empty())
    out +=
        "<details><summary>Settings that are not carried over</summary>" + head + lost + "</tbody></table></details>\n";
  if (share == Share::brief) return;
  for (const LedgerEntry &entry : machine.settings.entries()) {
    const bool is_lost = entry.disposition == Disposition::dropped || entry.disposition == Disposition::unknown ||
                         entry.disposition == Disposition::unsettled;
    if (!is_lost) kept += setting_row(entry, 1);
  }
  if (!kept.empty())
    out += "<details><summary>Settings that are carried over, or say nothing about the guest</summary>" + head + kept +
           "</tbody></table></details>\n";
}

}  // namespace

void machine_part(std::string &out, const MachineReport &machine, std::size_t index, Share share) {
  const std::string id = "m" + std::to_string(index);
  out += "<article aria-labelledby=\"" + id + "\"><h2 id=\"" + id + "\">" + escaped(machine.name) + " " +
         tag(to_string(machine.status)) + "</h2>\n";
  std::string verdict = headline(machine, {.width = 1U << 20U});
  verdict.erase(verdict.find_last_not_of('\n') + 1);
  out +=
      "<p class=\"verdict " + std::string(to_string(machine.status)) + "\">" + xml::escaped_content(verdict) + "</p>\n";
  if (machine.refusal) add_refusal(out, machine);
  if (machine.test) out += "<h3>Test: " + escaped(test_verdict(*machine.test)) + "</h3>\n" + test_part(*machine.test);
  add_findings(out, machine, share);
  add_next_steps(out, machine);
  add_facts(out, machine);
  if (machine.picture && share == Share::whole) out += "<h3>Before and after</h3>\n" + picture(*machine.picture);
  add_disks(out, machine);
  add_nics(out, machine);
  add_snapshots(out, machine);
  add_settings(out, machine, share);
  if (!machine.domain_xml.empty() && share == Share::whole)
    out += std::string("<details><summary>") + (machine.domain_xml.starts_with('<') ? "Domain XML" : "Manifest") +
           "</summary><pre tabindex=\"0\">" + xml::escaped_content(machine.domain_xml) + "</pre></details>\n";
  out += "</article>\n";
}

}  // namespace ferry::report::html
