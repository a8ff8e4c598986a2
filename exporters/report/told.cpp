// SPDX-License-Identifier: Apache-2.0
#include "exporters/report/told.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "support/text.hpp"

namespace ferry::report {
namespace {

constexpr std::array kImplied = {
    // A disk that is left out as asked is told with its reason.
    ImpliedFinding{"vbox.file-missing", "disk.skipped"},
    ImpliedFinding{"vbox.medium-unknown", "disk.skipped"},
    ImpliedFinding{"vbox.medium-encrypted", "disk.skipped"},
    ImpliedFinding{"vbox.iscsi", "disk.skipped"},
    ImpliedFinding{"vmx.medium-missing", "disk.skipped"},
    ImpliedFinding{"ovf.file-missing", "disk.skipped"},
    ImpliedFinding{"ovf.reference-broken", "disk.skipped"},
    // A CD that is not there: the source's reader says where it was looked for.
    ImpliedFinding{"medium.removable-missing", "vbox.removable-missing"},
    ImpliedFinding{"medium.removable-missing", "vbox.removable-unknown"},
    ImpliedFinding{"medium.removable-missing", "vmx.medium-missing"},
    ImpliedFinding{"medium.removable-missing", "ovf.file-missing"},
    ImpliedFinding{"medium.removable-missing", "ovf.parent-missing"},
    ImpliedFinding{"medium.removable-missing", "ovf.medium-not-exported"},
    // What else the change of a card's network, of the TPM or of the processor brings.
    ImpliedFinding{"nic.reaches-loopback", "nic.user-network"},
    ImpliedFinding{"firmware.tpm-state-fresh", "tpm.sealed"},
};

// What stands between quotes: the names that a message speaks of, without their folders.
std::set<std::string> quoted(const std::string &message) {
  std::set<std::string> out;
  for (const char quote : {'"', '\''}) {
    for (std::size_t at = message.find(quote); at != std::string::npos;) {
      const std::size_t end = message.find(quote, at + 1);
      if (end == std::string::npos) break;
      const std::filesystem::path name(message.substr(at + 1, end - at - 1));
      if (name.has_filename() && name.has_extension()) out.insert(name.filename().string());
      at = message.find(quote, end + 1);
    }
  }
  return out;
}

bool speak_of_one_thing(const Finding &a, const Finding &b) {
  if (a.where.line && a.where == b.where) return true;
  const std::set<std::string> names = quoted(a.message), others = quoted(b.message);
  return std::any_of(names.begin(), names.end(), [&others](const auto &name) { return others.contains(name); });
}

bool is_implied(const Finding &finding, const MachineReport &machine) {
  if (machine.refusal && finding.where.line && finding.where == machine.refusal->detail.where) return true;
  return std::any_of(kImplied.begin(), kImplied.end(), [&](const ImpliedFinding &rule) {
    return rule.what == finding.id &&
           std::any_of(machine.findings.begin(), machine.findings.end(),
                       [&](const Finding &other) { return other.id == rule.by && speak_of_one_thing(finding, other); });
  });
}

// The setting's path without the snapshots around it: "/VirtualBox/Machine/Snapshot/Hardware/CPU/@x" and
// "/VirtualBox/Machine/Hardware/CPU/@x" are one setting in two states.
std::string stateless(const std::string &path) {
  std::string out;
  for (std::size_t at = 0; at < path.size();) {
    std::size_t end = path.find('/', at + 1);
    if (end == std::string::npos) end = path.size();
    const std::string_view part(path.data() + at, end - at);
    if (!part.starts_with("/Snapshot")) out += part;
    at = end;
  }
  return out;
}

}  // namespace

std::span<const ImpliedFinding> implied_findings() { return kImplied; }

std::vector<ToldFinding> told_findings(const MachineReport &machine) {
  std::vector<ToldFinding> out;
  std::set<std::pair<std::string, std::string>> said;  // id and message
  std::set<std::tuple<std::string, std::string, std::uint64_t, std::string>> places;
  std::map<std::pair<std::string, std::string>, std::size_t> at;  // id and advice
  for (const Severity severity : {Severity::critical, Severity::warning, Severity::info}) {
    for (const Finding &finding : machine.findings) {
      if (finding.severity != severity || is_implied(finding, machine)) continue;
      if (!said.emplace(finding.id, finding.message).second) continue;
      const Place &where = finding.where;
      if (where.line && !places.emplace(finding.id, where.file.string(), *where.line, where.path).second) continue;
      const auto [group, is_new] = at.try_emplace({finding.id, finding.advice}, out.size());
      if (is_new) {
        out.push_back({&finding, {}});
      } else {
        out[group->second].more.push_back(&finding);
      }
    }
  }
  return out;
}

std::vector<ToldSetting> told_settings(const MachineReport &machine) {
  std::vector<ToldSetting> out;
  if (machine.refusal) return out;
  std::map<std::tuple<std::string, std::string, std::string>, std::size_t> at;
  for (const LedgerEntry &entry : machine.settings.entries()) {
    if (entry.disposition != Disposition::dropped && entry.disposition != Disposition::unknown &&
        entry.disposition != Disposition::unsettled) {
      continue;
    }
    const auto [one, is_new] = at.try_emplace({stateless(entry.where.path), entry.value, entry.note}, out.size());
    if (is_new) {
      out.push_back({&entry});
    } else {
      ++out[one->second].states;
    }
  }
  return out;
}

std::size_t count_in_need(const std::vector<ToldFinding> &findings) {
  std::size_t out = 0;
  for (const ToldFinding &told : findings) {
    if (told.first->severity != Severity::info) out += 1 + told.more.size();
  }
  return out;
}

std::string short_place(const Place &where, const MachineReport &machine) {
  const bool own = where.file.empty() || where.file == machine.source;
  std::string out = own ? "" : where.file.filename().string();
  if (where.line) return out + (own ? "line " : ":") + std::to_string(*where.line);
  if (where.path.empty()) return own ? out : where.file.string();
  return out + (own ? "" : ": ") + where.path;
}

}  // namespace ferry::report
