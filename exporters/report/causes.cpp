// SPDX-License-Identifier: Apache-2.0
#include "exporters/report/causes.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "exporters/report/text_form.hpp"
#include "exporters/report/told.hpp"

#include "support/text.hpp"

namespace ferry::report {
namespace {

// Less comes first.
int weight_of(const Cause &cause) {
  if (!cause.severity) return 0;
  return *cause.severity == Severity::critical ? 1 : 2;
}

// Bytes a second: what a plain disk reads, where no earlier run tells.
constexpr double kPlainDisk = 150e6;

void add_room(std::vector<Room> &rooms, const MachineReport &machine) {
  if (machine.files.empty()) return;
  const std::string folder = std::filesystem::path(machine.files.front()).parent_path().string();
  auto found = std::find_if(rooms.begin(), rooms.end(), [&](const Room &room) { return room.folder == folder; });
  if (found == rooms.end()) found = rooms.insert(rooms.end(), {.folder = folder, .needed = 0, .available = {}});
  found->needed += machine.space_needed;
  if (machine.space_available)
    found->available = std::min(found->available.value_or(*machine.space_available), *machine.space_available);
}

}  // namespace

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
  std::vector<std::pair<Trouble, const MachineReport *>> ranked;
  for (const MachineReport &machine : document.machines) ranked.emplace_back(trouble_of(machine), &machine);
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto &a, const auto &b) {
    const Trouble &one = a.first, &other = b.first;
    if (one.rank != other.rank) return one.rank < other.rank;
    return one.critical != other.critical ? one.critical > other.critical : one.warnings > other.warnings;
  });
  std::vector<const MachineReport *> out;
  for (const auto &[trouble, machine] : ranked) out.push_back(machine);
  return out;
}

Totals totals_of(const Document &document) {
  Totals out;
  std::array<std::size_t, 5> counts{};
  for (const MachineReport &machine : document.machines) {
    ++counts.at(static_cast<std::size_t>(machine.status));
    out.written += machine.written.value_or(0);
    out.seconds += machine.seconds.value_or(0);
    if (machine.status == Status::planned) {
      out.needed += machine.space_needed;
      add_room(out.rooms, machine);
    }
    if (machine.status == Status::refused || machine.status == Status::failed) out.bad = true;
    const bool is_made = machine.status == Status::planned || machine.status == Status::migrated;
    if (is_made && count_in_need(told_findings(machine)) > 0) ++out.in_need;
  }
  for (const Status status : {Status::migrated, Status::planned, Status::skipped, Status::refused, Status::failed}) {
    if (const std::size_t count = counts.at(static_cast<std::size_t>(status)); count > 0)
      out.counts.emplace_back(status, count);
  }
  return out;
}

std::string totals_text(const Totals &totals) {
  std::string out;
  for (const auto &[status, count] : totals.counts)
    out += (out.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(to_string(status));
  if (totals.written > 0)
    out += "; " + text::human_bytes(totals.written) + " written in " + human_duration(totals.seconds) + " of work";
  if (totals.needed > 0) out += "; " + text::human_bytes(totals.needed) + " to write";
  if (totals.in_need > 0)
    out += "; " + std::to_string(totals.in_need) + (totals.in_need == 1 ? " needs" : " need") + " your hand";
  return out;
}

std::string estimate_text(const Totals &totals, const Document &document) {
  if (totals.needed == 0) return {};
  const double rate = document.rate.value_or(kPlainDisk);
  return "about " + human_duration(static_cast<double>(totals.needed) / rate) + " of copying, at " +
         text::human_bytes(static_cast<std::uint64_t>(rate)) + "/s as " +
         (document.rate ? "earlier runs here" : "a plain disk reads: no earlier run here tells");
}

std::vector<Cause> causes_of(const std::vector<const MachineReport *> &machines) {
  std::vector<Cause> out;
  std::map<std::pair<std::string, std::string>, std::size_t> index;  // by what is said, or the finding's id; and advice
  const auto add = [&](const MachineReport *machine, Cause cause) {
    const auto key = std::pair(cause.id.empty() ? cause.message : cause.id, cause.advice);
    const auto [at, is_new] = index.try_emplace(key, out.size());
    if (is_new) out.push_back(std::move(cause));
    auto &list = out[at->second].machines;
    if (list.empty() || list.back() != machine) list.push_back(machine);
  };
  for (const MachineReport *machine : machines) {
    if (machine->refusal) {
      const ErrorDetail &detail = machine->refusal->detail;
      add(machine, {machine->status, std::nullopt, detail.message, "", detail.advice, {}});
    } else if (machine->status != Status::skipped) {
      for (const ToldFinding &told : told_findings(*machine)) {
        const Finding &finding = *told.first;
        if (finding.severity != Severity::info)
          add(machine, {machine->status, finding.severity, finding.message, finding.id, finding.advice, {}});
      }
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const Cause &a, const Cause &b) {
    return weight_of(a) != weight_of(b) ? weight_of(a) < weight_of(b) : a.machines.size() > b.machines.size();
  });
  return out;
}

}  // namespace ferry::report
