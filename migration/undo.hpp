// SPDX-License-Identifier: Apache-2.0
// Takes back what a run created, on request. Never touches the source.
#pragma once

#include <string>

#include "migration/replace.hpp"

namespace ferry::migration {

// Throws Error missing (no such run, or undone already), unsafe (a journal that is not to be trusted), unreachable (a
// domain was defined but libvirt cannot be asked), conflict: the run is still going on; or, without `force`, its
// machine was used: it runs, is suspended, has snapshots or disks that are not the run's, or one of its files was
// written to since, is held by a process or used by another machine.
[[nodiscard]] UndoResult undo_run(const std::string &run, bool force);

}  // namespace ferry::migration
