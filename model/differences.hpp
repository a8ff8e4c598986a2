// SPDX-License-Identifier: Apache-2.0
// Where two machines differ, member by member (model/members.hpp).
#pragma once

#include <string>
#include <vector>

#include "model/machine.hpp"

namespace ferry {

// The paths of the members that differ: "hardware.nics.0.mac"; of a list of another length the list itself.
[[nodiscard]] std::vector<std::string> differences(const Machine &a, const Machine &b);
// Of machine, ledger and findings: "machine.hardware.nics.0.mac", "ledger.17.note", "findings.2.advice".
[[nodiscard]] std::vector<std::string> differences(const ImportedMachine &a, const ImportedMachine &b);

}  // namespace ferry
