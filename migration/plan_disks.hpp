// SPDX-License-Identifier: Apache-2.0
// The part of the plan that says which image is made of which media, states and snapshots.
#pragma once

#include <map>
#include <vector>

#include "migration/plan.hpp"

namespace ferry::migration {

struct DisksPlan {
  std::vector<DiskPlan> disks;
  std::vector<CopyPlan> copies;
  std::vector<target::Medium> media;                        // of the current state
  std::vector<std::vector<target::Medium>> snapshot_media;  // by snapshot
  // By snapshot: the images in which it is an internal snapshot; nullopt: the snapshot is left out.
  std::vector<std::optional<std::vector<std::filesystem::path>>> snapshot_images;
  std::vector<std::string> snapshot_names;  // by snapshot, on the target
  // By the field of a snapshot's drive: the disk, and the state of it (DiskPlan::snapshots), that it becomes.
  struct State {
    std::size_t disk = 0, state = 0;
  };
  std::map<std::string, State> states;
  std::vector<Finding> findings;
  std::vector<Settlement> settlements;
};

// Throws the survey's own error of a disk that the current state needs.
[[nodiscard]] DisksPlan plan_disks(const Machine &machine, const Survey &survey, const Options &options,
                                   const std::string &name, const std::filesystem::path &dest);

}  // namespace ferry::migration
