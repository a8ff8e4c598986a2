// SPDX-License-Identifier: Apache-2.0
// What is on the disks of a machine, as its plan wants to know it. What cannot be read is a finding, never a failure.
#pragma once

#include <string>
#include <vector>

#include "migration/survey.hpp"

namespace ferry::migration {

// Fills `out.observed` from the disks that `out.media` has facts of, by way of `out.reader`, and adds findings.
void look_inside(const Machine &machine, const Options &options, Survey &out);

// The same of the current state alone, for who wants no plan.
[[nodiscard]] Observed look_inside(const Machine &machine, const Options &options,
                                   const std::shared_ptr<Reader> &reader);

// For people, a line each: "Windows 10 Pro 22H2 (10.0.19045, x86_64) on partition 2 of disk 1".
[[nodiscard]] std::vector<std::string> described(const Observed &observed);

}  // namespace ferry::migration
