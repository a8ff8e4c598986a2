// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstddef>

#include "exporters/report/report.hpp"

#include "support/text.hpp"

namespace ferry::report {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --line: #8884; --mild: #7a7a7a; --critical: #c62828; --warning: #b26a00; --info: #1565c0; --good: #2e7d32; }
@media (prefers-color-scheme: dark) { :root { --critical: #ff8a80; --warning: #ffb74d; --info: #90caf9; --good: #a5d6a7; --mild: #aaa; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; border-bottom: 1px solid var(--line); } h3 { font-size: 1rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--mild); } .number { text-align: right; white-space: nowrap; }
.tag { border: 1px solid currentColor; border-radius: .3rem; padding: 0 .4rem; font-size: .85rem; white-space: nowrap; }
.critical, .refused, .failed, .unknown { color: var(--critical); } .warning, .dropped { color: var(--warning); } .info, .translated, .planned { color: var(--info); } .migrated, .kept { color: var(--good); }
.mild, .irrelevant { color: var(--mild); } code { overflow-wrap: anywhere; } code, pre { font: 13px/1.45 ui-monospace, monospace; } pre { overflow-x: auto; border: 1px solid var(--line); padding: .75rem; }
dl { display: grid; grid-template-columns: 8rem 1fr; gap: .15rem 1rem; } dt { color: var(--mild); } dd { margin: 0; overflow-wrap: anywhere; }
)";

std::string entities(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string escaped(std::string_view text) { return entities(text::printable(text)); }

std::string tag(std::string_view word) {
  return "<span class=\"tag " + std::string(word) + "\">" + std::string(word) + "</span>";
}

std::string cell(std::string_view content) { return "<td>" + std::string(content) + "</td>"; }
std::string number_cell(std::string_view content) { return "<td class=\"number\">" + std::string(content) + "</td>"; }
std::string code(std::string_view content) { return "<code>" + escaped(content) + "</code>"; }

// "2 critical, 1 warning", or the number of mere notes.
std::string finding_counts(const MachineReport &machine) {
  std::array<std::size_t, 3> counts{};
  for (const Finding &finding : machine.findings) ++counts[static_cast<std::size_t>(finding.severity)];
  const auto shown = [&counts](Severity severity) {
    return "<span class=\"" + std::string(to_string(severity)) + "\">" +
           std::to_string(counts[static_cast<std::size_t>(severity)]) + " " + std::string(to_string(severity)) +
           "</span>";
  };
  std::string out;
  for (const Severity severity : {Severity::critical, Severity::warning, Severity::info}) {
    if (counts[static_cast<std::size_t>(severity)] > 0) out += (out.empty() ? "" : "<br>") + shown(severity);
  }
  return out.empty() ? "-" : out;
}

void overview(std::string &out, const Document &document) {
  out +=
      "<table><tr><th>Machine</th><th>Result</th><th>Guest</th><th class=\"number\">Disks</th><th "
      "class=\"number\">Findings</th></tr>\n";
  for (std::size_t i = 0; i < document.machines.size(); ++i) {
    const MachineReport &machine = document.machines[i];
    out += "<tr><td><a href=\"#m" + std::to_string(i) + "\">" + escaped(machine.name) + "</a></td>";
    out += "<td>" + tag(to_string(machine.status));
    if (machine.refusal) out += "<br><span class=\"mild\">" + escaped(machine.refusal->detail.message) + "</span>";
    out += "</td>" + cell(escaped(machine.guest_os)) + number_cell(std::to_string(machine.disks.size()));
    out += "<td class=\"number\">" + finding_counts(machine) + "</td></tr>\n";
  }
  out += "</table>\n";
}

void facts(std::string &out, const MachineReport &machine) {
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

void refusal(std::string &out, const MachineReport &machine) {
  const ErrorDetail &detail = machine.refusal->detail;
  out += "<p class=\"refused\"><strong>" + escaped(detail.message) + "</strong></p><dl>\n";
  if (const std::string where = detail.where.text(); !where.empty())
    out += "<dt>Where</dt><dd>" + code(where) + "</dd>";
  if (!detail.found.empty()) out += "<dt>Found</dt><dd>" + escaped(detail.found) + "</dd>";
  if (!detail.expected.empty()) out += "<dt>Expected</dt><dd>" + escaped(detail.expected) + "</dd>";
  if (!detail.advice.empty()) out += "<dt>What to do</dt><dd>" + escaped(detail.advice) + "</dd>";
  out += "</dl>\n";
}

void disks(std::string &out, const MachineReport &machine) {
  if (machine.disks.empty()) return;
  out +=
      "<h3>Disks</h3><table><tr><th>Source, and what it becomes</th><th>Format</th><th class=\"number\">Size</th><th "
      "class=\"number\">Data</th></tr>\n";
  for (const Disk &disk : machine.disks) {
    out += "<tr>" + cell(code(disk.source) + "<br>&rarr; " + code(disk.target) +
                         (disk.sha256 ? "<br>verified, sha256 " + code(*disk.sha256) : ""));
    out += cell(escaped(disk.format)) + number_cell(text::human_bytes(disk.virtual_size));
    out += number_cell(text::human_bytes(disk.allocated)) + "</tr>\n";
  }
  out += "</table>\n";
}

void nics(std::string &out, const MachineReport &machine) {
  if (machine.nics.empty()) return;
  out += "<h3>Network</h3><table><tr><th>MAC</th><th>Model</th><th>Network</th><th>The guest sees</th></tr>\n";
  for (const Nic &nic : machine.nics) {
    out += "<tr>" + cell(code(nic.mac)) + cell(escaped(nic.model)) + cell(escaped(nic.network));
    out += cell(escaped(nic.guest_name.value_or(""))) + "</tr>\n";
  }
  out += "</table>\n";
}

void snapshots(std::string &out, const MachineReport &machine) {
  if (machine.snapshots.empty()) return;
  out += "<h3>Snapshots</h3><table><tr><th>Name</th><th>Parent</th><th>Description</th></tr>\n";
  for (const SnapshotLine &snapshot : machine.snapshots) {
    out += "<tr>" + cell(escaped(snapshot.name) + (snapshot.current ? " " + tag("current") : ""));
    out += cell(escaped(snapshot.parent.value_or(""))) + cell(escaped(snapshot.description)) + "</tr>\n";
  }
  out += "</table>\n";
}

void findings(std::string &out, const MachineReport &machine) {
  if (machine.findings.empty()) return;
  out += "<h3>Findings</h3><table>\n";
  for (const Severity severity : {Severity::critical, Severity::warning, Severity::info}) {
    for (const Finding &finding : machine.findings) {
      if (finding.severity != severity) continue;
      out += "<tr>" + cell(tag(to_string(severity))) + "<td><strong>" + escaped(finding.message) + "</strong><br>";
      if (!finding.advice.empty()) out += escaped(finding.advice) + "<br>";
      out += "<span class=\"mild\">" + escaped(finding.id) + " " + escaped(finding.where.text());
      out += "</span></td></tr>\n";
    }
  }
  out += "</table>\n";
}

void next_steps(std::string &out, const MachineReport &machine) {
  if (machine.next_steps.empty()) return;
  out += "<h3>Next</h3><pre>";
  for (const std::string &step : machine.next_steps) out += escaped(step) + "\n";
  out += "</pre>\n";
}

void settings(std::string &out, const MachineReport &machine) {
  const LedgerCounts counts = machine.settings.counts();
  if (counts.total == 0) return;
  out += "<h3>Settings</h3><p>" + std::to_string(counts.total) + " settings: " + std::to_string(counts.kept) +
         " kept, " + std::to_string(counts.translated) + " translated, " + std::to_string(counts.dropped) +
         " dropped, " + std::to_string(counts.irrelevant) + " irrelevant, " + std::to_string(counts.unknown) +
         " unknown.</p>\n";
  out +=
      "<details><summary>All settings</summary><table><tr><th></th><th>Setting</th><th>Value</th><th>What became of "
      "it</th></tr>\n";
  for (const LedgerEntry &entry : machine.settings.entries()) {
    out += "<tr>" + cell(tag(to_string(entry.disposition)));
    out += cell(code((entry.where.line ? std::to_string(*entry.where.line) + ": " : "") + entry.where.path));
    out += cell(code(entry.value)) + cell(escaped(entry.note)) + "</tr>\n";
  }
  out += "</table></details>\n";
}

}  // namespace

std::string as_html(const Document &document) {
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">";
  out += "<meta name=\"viewport\" content=\"width=device-width\">\n<title>virt-ferry report</title>";
  out += "<style>" + std::string(kStyle) + "</style></head><body>\n<h1>virt-ferry report</h1>";
  out += "<p class=\"mild\">" + escaped(document.tool) + ", " + escaped(document.host) + "</p>\n";
  overview(out, document);
  for (std::size_t i = 0; i < document.machines.size(); ++i) {
    const MachineReport &machine = document.machines[i];
    out += "<h2 id=\"m" + std::to_string(i) + "\">" + escaped(machine.name) + " " + tag(to_string(machine.status)) +
           "</h2>\n";
    facts(out, machine);
    if (machine.refusal) refusal(out, machine);
    next_steps(out, machine);
    disks(out, machine);
    nics(out, machine);
    snapshots(out, machine);
    findings(out, machine);
    settings(out, machine);
    if (!machine.domain_xml.empty()) {
      out += "<details><summary>Domain XML</summary><pre>" + entities(machine.domain_xml) + "</pre></details>\n";
    }
  }
  return out + "</body></html>\n";
}

}  // namespace ferry::report
