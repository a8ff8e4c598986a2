// SPDX-License-Identifier: Apache-2.0
// What the source's platform hands to the guest when that asks (VMware's guestinfo, OVF's properties), the new machine
// has on a CD: cloud-init's NoCloud, or OVF's environment where the package says that the guest looks for it there.
// With the identity that the guest knows, so that it does not take itself for a new machine.
//
// Facts: cloud-init's documentation ("NoCloud", "OVF", "VMware"); DMTF's DSP0243, "OVF environment" and "Transport
// media type".
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "converters/seed/iso_image.hpp"
#include "migration/options.hpp"
#include "model/machine.hpp"
#include "model/observed.hpp"

namespace ferry::migration {

struct SeedPlan {
  std::filesystem::path target;
  std::string label;
  std::vector<seed::File> files;
};

struct SeedDecision {
  std::optional<SeedPlan> seed;
  std::vector<Finding> findings;
  std::vector<Settlement> settlements;
};

// `observed`: null where nobody looked. `uuid`: what the guest reads as its own. A finding lists the values that the
// package wants and does not have.
[[nodiscard]] SeedDecision decide_seed(const Machine &machine, const Observed *observed, const Options &options,
                                       const Uuid &uuid, const std::filesystem::path &target);

// The drive that the CD goes into: the first empty CD drive without one of `filled`, else a new one beside the disks.
struct DrivePlace {
  std::size_t controller = 0, drive = 0;
};
[[nodiscard]] DrivePlace place_seed(Hardware &hardware, const std::vector<DrivePlace> &filled);

}  // namespace ferry::migration
