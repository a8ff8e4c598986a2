// SPDX-License-Identifier: Apache-2.0
// What a report tells a person, each cause once. The JSON form has everything.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "exporters/report/report.hpp"

namespace ferry::report {

// Findings that tell the same of several things: same id and advice, other messages.
struct ToldFinding {
  const Finding *first = nullptr;
  std::vector<const Finding *> more;
};
// By severity, then in the report's order. Left out is what another one tells as well: the same id at the same place or
// with the same words, a finding that follows from another one of the machine (implied_findings()), and one at the
// place that a refusal names.
[[nodiscard]] std::vector<ToldFinding> told_findings(const MachineReport &machine);

// `what` says nothing new of a thing that `by` was raised for: at the same place, or when both quote the same name.
struct ImpliedFinding {
  std::string_view what, by;
};
[[nodiscard]] std::span<const ImpliedFinding> implied_findings();

// A setting that is not carried over, and in how many states of the machine (the current one, snapshots) it stands so.
struct ToldSetting {
  const LedgerEntry *entry = nullptr;
  std::size_t states = 1;
};
// Those that are dropped, unknown or unsettled. None for a machine that was refused: nothing was decided on them.
[[nodiscard]] std::vector<ToldSetting> told_settings(const MachineReport &machine);

// How many findings of a machine need a person: its told ones that are critical or warnings.
[[nodiscard]] std::size_t count_in_need(const std::vector<ToldFinding> &findings);

// "line 51" in the machine's own settings file, "base.vbox:12" elsewhere, the setting's path where no line is known;
// empty when nothing is.
[[nodiscard]] std::string short_place(const Place &where, const MachineReport &machine);

}  // namespace ferry::report
