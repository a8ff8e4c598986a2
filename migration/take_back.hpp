// SPDX-License-Identifier: Apache-2.0
// Takes back what a run did: removes what it made, by identity, and brings back what it had set aside.
#pragma once

#include <memory>
#include <optional>

#include "exporters/libvirt/host/connection.hpp"
#include "migration/replace.hpp"
#include "migration/run_record.hpp"

namespace ferry::migration {

// The domain that bears the run's mark. One of the same UUID without it is another run's, or its user made it again.
[[nodiscard]] std::optional<libvirt::DomainFacts> domain_of_run(const RunRecord &record,
                                                                const libvirt::Connection &connection);

// Whether libvirt must be asked: the run may have defined a machine, or taken away a definition.
[[nodiscard]] bool needs_libvirt(const RunRecord &record);

// `connection` may be null unless needs_libvirt(). What cannot be done is told in `out`; it can be done again, from any
// point at which it was cut off. The run's machine is switched off when it runs. Throws Error libvirt when it does not
// remove the machine: then nothing was done yet.
void take_back(const RunRecord &record, libvirt::Connection *connection, UndoResult &out);

// Removes the run's own staging folder with all in it, and no other.
void remove_staging(const RunRecord &record, UndoResult &out);

}  // namespace ferry::migration
