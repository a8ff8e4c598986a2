// SPDX-License-Identifier: Apache-2.0
// Takes back what a run did: removes what it made, by identity, and brings back what it had set aside.
#pragma once

#include <memory>
#include <optional>

#include "exporters/target.hpp"
#include "migration/replace.hpp"
#include "migration/run_record.hpp"

namespace ferry::migration {

// The machine that bears the run's mark. One of the same UUID without it is another run's, or its user made it again.
[[nodiscard]] std::optional<target::MachineFacts> machine_of_run(const RunRecord &record,
                                                                 const target::Machines &machines);

// Whether the target must be asked: the run may have defined a machine, or taken away a definition.
[[nodiscard]] bool needs_target(const RunRecord &record);

// `machines` may be null unless needs_target(). What cannot be done is told in `out`; it can be done again, from any
// point at which it was cut off. The run's machine is switched off when it runs. Throws Error libvirt when it does not
// remove the machine: then nothing was done yet.
void take_back(const RunRecord &record, target::Machines *machines, UndoResult &out);

// Removes the run's own staging folder with all in it, and no other.
void remove_staging(const RunRecord &record, UndoResult &out);

}  // namespace ferry::migration
