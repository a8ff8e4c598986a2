// SPDX-License-Identifier: Apache-2.0
// What reports of many machines say of all of them: totals, an order by trouble, and causes with the machines that have
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "exporters/report/report.hpp"

namespace ferry::report {

struct Trouble {
  std::size_t rank = 0;  // less is worse: failed, refused, critical findings, warnings, none, skipped
  std::size_t critical = 0, warnings = 0;
};
[[nodiscard]] Trouble trouble_of(const MachineReport &machine);
// The worst first, else in the document's order.
[[nodiscard]] std::vector<const MachineReport *> by_trouble(const Document &document);

// What planned machines take of a folder.
struct Room {
  std::string folder;
  std::uint64_t needed = 0;                // bytes
  std::optional<std::uint64_t> available;  // the least that one of them found
};

struct Totals {
  std::vector<std::pair<Status, std::size_t>> counts;  // of those that there are
  std::uint64_t written = 0, needed = 0;               // bytes; by runs, by plans
  double seconds = 0;                                  // of work
  std::size_t in_need = 0;                             // machines that were or can be made and need a hand
  std::vector<Room> rooms;                             // by folder, in their order
  bool bad = false;                                    // some were refused or failed
};
[[nodiscard]] Totals totals_of(const Document &document);
// "40 planned, 2 refused; 88 MiB to write; 3 need your hand"
[[nodiscard]] std::string totals_text(const Totals &totals);
// "about 1 h 20 min of copying, at 210 MiB/s as earlier runs here"; empty where nothing is planned.
[[nodiscard]] std::string estimate_text(const Totals &totals, const Document &document);

// One cause, and the machines that have it, each once.
struct Cause {
  Status status{};                   // of a refusal
  std::optional<Severity> severity;  // of a finding
  std::string message;               // of a finding with an id: that of the first machine
  std::string id, advice;
  std::vector<const MachineReport *> machines;
};
// Refusals and failures by what is said, then critical findings, then warnings; each kind with the most machines first.
[[nodiscard]] std::vector<Cause> causes_of(const std::vector<const MachineReport *> &machines);

}  // namespace ferry::report
