// SPDX-License-Identifier: Apache-2.0
// What plan_disks() keeps while it goes through the drives of the current state (plan_disks.cpp) and then through those
// of the snapshots (plan_snapshots.cpp).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "migration/plan_disks.hpp"

namespace ferry::migration {

// The image at the base of a disk's chain, which all states of one disk have in common, and the one at its end; "" for
// a disk without images.
[[nodiscard]] std::string base_of(const disk::DiskInfo &info);
[[nodiscard]] std::string leaf_of(const disk::DiskInfo &info);

class DiskPlanner {
 public:
  DiskPlanner(const Machine &machine, const Survey &survey, const Options &options, const std::string &name,
              const std::filesystem::path &dest)
      : machine_(machine), survey_(survey), options_(options), name_(name), dest_(dest) {}

  // Throws the survey's own error of a disk that the current state needs.
  [[nodiscard]] DisksPlan plan();

 private:
  // ---- the current state ----

  void add_or_skip(const DriveRef &ref, std::size_t number);
  void skip_disk(const DriveRef &ref, std::size_t number);
  void report_no_disk();
  void refuse_unknown_numbers() const;
  std::size_t add_disk(const DriveRef &ref, const disk::DiskInfo &info);
  // What the survey found to lie under an overlay, with where it is served; nullopt where that is not of the plan.
  [[nodiscard]] std::optional<disk::Underlay> underlay_for(const std::string &field) const;
  // A machine of QEMU's own has images that QEMU runs from as they are.
  [[nodiscard]] disk::Mode mode_of(const disk::DiskInfo &info) const;
  // The command calls the image raw, whatever is in it: so does QEMU.
  [[nodiscard]] bool own_image(const Medium &medium) const;
  // A device of the host's, which a machine of QEMU's own on this host goes on using.
  [[nodiscard]] bool is_own_device(const DriveRef &ref) const;
  void add_device(const DriveRef &ref);
  [[nodiscard]] std::string identity_of(const disk::DiskInfo &info) const;
  [[nodiscard]] target::Medium target_medium(const DriveRef &ref, std::size_t disk) const;
  // A CD or floppy image: linked where it is, or copied; nullopt when it is not there.
  std::optional<target::Medium> removable(const DriveRef &ref);

  // ---- the snapshots (plan_snapshots.cpp) ----

  void name_snapshots();
  // The disk of the current state that a snapshot's disk is an earlier state of: one of the same base image, and of
  // several (multi-attach, linked clones) the one that shares most of the chain, then the one in the same place.
  [[nodiscard]] std::optional<std::size_t> disk_of(const Hardware &hardware, const DriveRef &ref) const;
  // Whether a snapshot's disk is one that the current state does without: by its place, or by the base of its chain.
  [[nodiscard]] bool is_skipped(const Hardware &hardware, const DriveRef &ref) const;
  // The drives of snapshot `i` with media, but for disks that are skipped.
  std::vector<DriveRef> drives_of_snapshot(std::size_t i);
  // Gives snapshot `i` its states in the images of the current state's disks.
  void add_snapshot(std::size_t i);
  void add_state(std::size_t i, const DriveRef &ref, std::size_t disk);
  // A snapshot's CD stays in its drive when the file is there; copies are made for the current state only.
  void add_removable_of_snapshot(std::size_t i, const DriveRef &ref);
  // By their place in the last snapshot that has them, not by what their files are called.
  void plan_snapshot_only_disks();

  const Machine &machine_;
  const Survey &survey_;
  const Options &options_;
  const std::string &name_;
  const std::filesystem::path &dest_;
  DisksPlan plan_;
  std::vector<DriveRef> refs_;     // of the current state's disks, by their number in plan_.disks
  std::vector<DriveRef> skipped_;  // of the current state
  std::map<std::string, std::size_t> removable_count_;
  std::vector<std::set<std::filesystem::path>> counted_;  // by disk: images that DiskPlan::needed has
  // By the base of their chains: the snapshots that have it, and where.
  using OnlyInSnapshots = std::map<std::string, std::vector<std::pair<std::size_t, DriveRef>>>;
  using SnapshotOnly = OnlyInSnapshots::value_type;
  OnlyInSnapshots only_in_snapshots_;
};

}  // namespace ferry::migration
