// SPDX-License-Identifier: Apache-2.0
// A machine whose settings attach an older state of a disk than the one that lies beside it.
#pragma once

#include "migration/options.hpp"
#include "model/machine.hpp"

namespace ferry::migration {

// Adds a critical finding for each disk of the current state that images beside it continue, and with
// Options::newest_state takes them into its chain.
void look_for_newer_state(ImportedMachine &imported, const Options &options);

}  // namespace ferry::migration
