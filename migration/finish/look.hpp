// SPDX-License-Identifier: Apache-2.0
// What is found out of a guest before it is switched: by a look at its disks where it is off, else by its agent.
#pragma once

#include <stop_token>
#include <string>

#include "exporters/target.hpp"
#include "migration/finish/proof.hpp"

namespace ferry::migration {

// Never an error but cancelled: what could not be found out is said in the evidence.
[[nodiscard]] GuestEvidence look_at_guest(const target::Machines &machines, const std::string &machine,
                                          const std::string &document, const std::stop_token &stop);

}  // namespace ferry::migration
