// SPDX-License-Identifier: Apache-2.0
// --overwrite as a transaction: what stands in the places that a run takes is moved aside, not replaced, and is back
// until the run is done.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "exporters/target.hpp"
#include "migration/journal.hpp"
#include "migration/plan.hpp"

namespace ferry::migration {

// What may be replaced was made by a run or belongs to the machine of that name. Throws Error conflict for a target
// that is a folder, a file of the source (by whatever name), one in a folder of the source that no run of ours made, or
// one that a process holds. `runs`: all_runs().
void refuse_targets_of_others(const MachinePlan &plan, const std::vector<RunRecord> &runs);

// The same for what the target knows: Throws Error conflict when the machine runs or is suspended, or when another one
// uses a file that the run would take.
void refuse_machines_in_use(const MachinePlan &plan, const target::Machines &machines);

// Moves the files that stand in `plan`'s places, the TPM state of the machine and its definition (to a file) into
// `staging`/replaced, each noted in the journal before. `machines` may be null. Throws Error io, no_space, libvirt.
void set_aside(const MachinePlan &plan, const std::filesystem::path &staging, const target::Machines *machines,
               Journal &journal);

// What take_back() did and what it could not do, for people.
struct UndoResult {
  std::vector<std::string> removed;   // what is gone now
  std::vector<std::string> restored;  // what came back
  std::vector<std::string> kept;      // what was left alone, with the reason
  std::vector<std::string> lost;      // what a run that was done had replaced: gone since then
  std::vector<std::string> failed;    // what could not be removed or brought back, with the reason; try again
};

// Moves a file back. Nothing is replaced.
void bring_back(const SetAside &aside, UndoResult &out);
// Defines the domain as it was, where it is not.
void bring_back(const ReplacedDomain &domain, target::Machines &machines, UndoResult &out);

}  // namespace ferry::migration
