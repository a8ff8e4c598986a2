// SPDX-License-Identifier: Apache-2.0
// The keeper of a machine that reads its source (--start-now): one process for each, which outlives the command. It
// serves what QEMU cannot read by itself, copies behind the machine while it runs, disk by disk, and notes in the
// run's journal when all is copied. Nothing is lost when it is killed: it can be started again at any time.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "migration/run_record.hpp"

namespace ferry::migration {

// Is the keeper of a run: returns when all is copied, when nothing is left to be kept (the run was undone, its machine
// is gone), when another process is the keeper already, or when `stop` is requested. `say` is told what goes wrong, in
// lines. Throws Error missing, usage (the run has nothing to be copied), unsafe, io, and as reader_of_served().
void keep(const std::string &run, const std::function<void(const std::string &)> &say, const std::stop_token &stop);

// Starts that process where it does not run yet: as a unit of the user's systemd where there is one, which starts it
// again when it is killed, else by itself. Returns when machines can connect to it. Throws Error subprocess, io,
// unsafe.
void start_keeper(const RunRecord &record);

}  // namespace ferry::migration
