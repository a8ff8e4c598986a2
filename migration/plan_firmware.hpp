// SPDX-License-Identifier: Apache-2.0
// The part of the plan that says with which firmware and which variable store a state of the machine starts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migration/plan.hpp"

namespace ferry::migration {

// The firmware of a UEFI state and its store in `dest`, with what is carried over of `contents`, the source's store.
// Secure Boot that this host has no firmware for is given up, with a finding. Throws missing when there is no
// firmware of that width at all.
[[nodiscard]] FirmwarePlan plan_store(const Hardware &hardware, const std::optional<firmware::NvramContents> &contents,
                                      const target::Target &target, const std::filesystem::path &store,
                                      std::vector<Finding> &findings);

// "3 boot entries go into NAME_VARS.fd"
[[nodiscard]] std::string described_store(const FirmwarePlan &plan);

}  // namespace ferry::migration
