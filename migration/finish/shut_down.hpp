// SPDX-License-Identifier: Apache-2.0
// A guest that runs is asked to shut down. It is never switched off.
#pragma once

#include <stop_token>
#include <string>

#include "exporters/target.hpp"

namespace ferry::migration {

// Comes back when the machine is off: by its agent, else by its power button. Throws Error conflict when it does not
// shut down, cancelled, libvirt.
void shut_guest_down(target::Machines &machines, const std::string &machine, const std::stop_token &stop);

}  // namespace ferry::migration
