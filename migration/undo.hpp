// SPDX-License-Identifier: Apache-2.0
// Takes back what a run created. Never touches the source.
#pragma once

#include <string>
#include <vector>

namespace ferry::migration {

struct UndoResult {
  std::vector<std::string> removed;  // what is gone now, for people
  std::vector<std::string> kept;     // what was left alone or cannot be brought back, with the reason
};

// Throws Error missing (no such run), conflict (the domain runs and this run did not start it; --force),
// unreachable (a domain was defined but libvirt cannot be asked).
[[nodiscard]] UndoResult undo_run(const std::string &run, bool force);

}  // namespace ferry::migration
