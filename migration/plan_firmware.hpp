// SPDX-License-Identifier: Apache-2.0
// The part of the plan that says with which firmware and which variable store a state of the machine starts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migration/plan.hpp"
#include "migration/survey.hpp"

namespace ferry::migration {

// What the survey knows of the source's store.
struct StoreFacts {
  const std::optional<firmware::NvramContents> &contents;
  const std::optional<MediumFacts> &image;  // of one that is an image
  const std::vector<target::FirmwareImage> &scsi_firmware;
  bool asked = false;  // that is what --firmware names
};

// The firmware of a UEFI state and its store in `dest`, with what is carried over of the source's store.
// Secure Boot that this host has no firmware for is given up, with a finding. Throws missing when there is no
// firmware of that width at all.
[[nodiscard]] FirmwarePlan plan_store(const Hardware &hardware, const StoreFacts &facts, const target::Target &target,
                                      const std::filesystem::path &store, std::vector<Finding> &findings);

// Entries for the loaders that were seen on the disks, where the source has no variables: its firmware found the loader
// by what stood in them. `where`: of the source's firmware, for the findings.
void make_boot_entries(FirmwarePlan &firmware, const Observed &observed, const Place &where,
                       std::vector<Finding> &findings);

// "3 boot entries go into NAME_VARS.fd"
[[nodiscard]] std::string described_store(const FirmwarePlan &plan);

}  // namespace ferry::migration
