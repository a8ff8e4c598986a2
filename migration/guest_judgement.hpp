// SPDX-License-Identifier: Apache-2.0
// What was seen on the disks against what the new machine is: whether the guest finds its disk, its names, its key.
// Pure: says yes or no where the guest could be read, and nothing where not.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "exporters/target.hpp"
#include "migration/guest_fix.hpp"
#include "migration/options.hpp"
#include "model/machine.hpp"
#include "model/observed.hpp"

namespace ferry::migration {

// The operating system by what is on the disks, where that is one, and not what the settings say.
void take_observed_system(const Observed &observed, GuestOs &guest_os, const Place &origin,
                          std::vector<Finding> &findings);

struct Judgement {
  std::vector<Finding> findings;
  std::vector<GuestFix> fixes;  // to be made in the copy
};
// Of one state of the machine, which stands at `origin` in the source. Takes findings of the target's that only guessed
// out of `result`. `copied`: the disks, from 1, that are copied or lie under an overlay; others cannot be changed.
[[nodiscard]] Judgement judge_guest(const Observed &observed, const Hardware &hardware, const Place &origin,
                                    target::Result &result, GuestFixes choice, const std::set<std::size_t> &copied);

}  // namespace ferry::migration
