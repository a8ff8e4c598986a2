// SPDX-License-Identifier: Apache-2.0
// The commands that a user may type after a run.
#pragma once

#include <string>
#include <vector>

#include "migration/run.hpp"

namespace ferry::migration {

// They make the whole machine, or say what they leave out.
[[nodiscard]] std::vector<std::string> next_steps(const MachinePlan &plan, const Options &options,
                                                  const RunResult &result);

// What a person types before a command of virsh for that connection: "virsh -c qemu:///session".
[[nodiscard]] std::string virsh_of(const std::string &connect);

}  // namespace ferry::migration
