// SPDX-License-Identifier: Apache-2.0
// Small changes in the copy that make a guest boot: which bytes of which disk, and what they mean there. The source is
// never changed. What a change may be, and when it must not be made, is said in docs/guest.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/medium.hpp"
#include "model/observed.hpp"

namespace ferry::migration {

struct GuestFix {
  std::size_t disk = 0;  // from 1
  std::string file;      // "\Windows\System32\config\SYSTEM"
  std::string key;       // "ControlSet001\Services\storahci"
  std::string value;     // "Start"
  std::uint32_t before = 0, after = 0;
  DiskChange change;

  // "\Windows\System32\config\SYSTEM: ControlSet001\Services\storahci: Start 3 becomes 0"
  [[nodiscard]] std::string text() const;
};

struct FixDecision {
  std::vector<GuestFix> fixes;
  std::string why_not;  // a clause, where there are none
};

// How Windows is made to start these services (one of each group) at boot, in every control set that may be used.
// `groups`: those of which none is started.
[[nodiscard]] FixDecision start_at_boot(const Observed &observed, const ObservedWindows &windows,
                                        const std::vector<std::vector<std::string>> &groups);

// Whether Windows would leave a disk that it finds on that bus (target::Disk's) for the first time offline, by what it
// starts with. Every disk is new to it that has another bus or model, and a migrated one has both.
[[nodiscard]] bool stays_offline(const ObservedWindows &windows, const std::string &bus);

// How Windows is made to use disks that are new to it, in every control set that may be used.
[[nodiscard]] FixDecision use_new_disks(const Observed &observed, const ObservedWindows &windows);

}  // namespace ferry::migration
