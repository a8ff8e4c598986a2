// SPDX-License-Identifier: Apache-2.0
// What keeps a machine from being planned before anything of it is looked at.
#pragma once

#include <string>

#include "exporters/target.hpp"
#include "migration/options.hpp"
#include "model/machine.hpp"

namespace ferry::migration {

// Throws Error encrypted; unsupported for a machine that is suspended; usage for options that contradict each other or
// name cards that are not there.
void refuse_what_cannot_be_carried(const Machine &machine, const Options &options);

// Throws Error conflict when another machine of the target `place` has the name, or one that is planned.
void refuse_taken_name(const std::string &name, const Options &options, const target::Taken &taken,
                       const std::string &place);

}  // namespace ferry::migration
