// SPDX-License-Identifier: Apache-2.0
// Takes back what a run created. Never touches the source.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "migration/journal.hpp"

namespace ferry::migration {

struct UndoResult {
  std::vector<std::string> removed;  // what is gone now, for people
  std::vector<std::string> kept;     // what was left alone or cannot be brought back, with the reason
  std::vector<std::string> failed;   // what could not be removed, with the reason; the run can be undone again
};

// Throws Error missing (no such run, or undone already), unreachable (a domain was defined but libvirt cannot be
// asked), conflict: the run is still going on; or, without `force`, its machine is running though the run did not
// start it, or one of its files was written to since.
[[nodiscard]] UndoResult undo_run(const std::string &run, bool force);

// Those of `runs` that crashed while they made `machine` of `source` in `dest` and before they defined it, and whose
// files nobody wrote to since: what they left is of no use to anybody.
[[nodiscard]] std::vector<RunRecord> crashed_runs(const std::vector<RunRecord> &runs,
                                                  const std::filesystem::path &source,
                                                  const std::filesystem::path &dest, const std::string &machine);

}  // namespace ferry::migration
