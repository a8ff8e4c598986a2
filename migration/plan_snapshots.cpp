// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <tuple>

#include "migration/disk_planner.hpp"
#include "migration/findings.hpp"
#include "migration/removable_media.hpp"
#include "migration/target_names.hpp"

#include "support/text.hpp"

namespace ferry::migration {
namespace {

// The same place on the same controller, in two states of one machine.
bool same_port(const Controller &a, const Drive &x, const Controller &b, const Drive &y) {
  return a.type == b.type && a.name == b.name && a.index == b.index && x.port == y.port && x.device == y.device;
}

std::size_t common_images(const disk::DiskInfo &a, const disk::DiskInfo &b) {
  std::size_t count = 0;
  while (count < a.chain.size() && count < b.chain.size() && a.chain[count].file == b.chain[count].file) ++count;
  return count;
}

// A state that cannot be read now may be readable tomorrow: leaving it behind is the user's decision.
[[noreturn]] void refuse_snapshot(const Snapshot &snapshot, const Error &error) {
  ErrorDetail detail = error.detail();
  detail.message = "the snapshot \"" + text::printable(snapshot.name) + "\" cannot be read: " + detail.message;
  if (!detail.advice.empty()) detail.advice += " ";
  detail.advice +=
      "To leave out the snapshots that cannot be read, use --snapshots skip-unreadable; to leave out all, "
      "--snapshots flatten.";
  throw Error(error.kind(), std::move(detail));
}

}  // namespace

void DiskPlanner::name_snapshots() {
  std::set<std::string> taken;
  for (const Snapshot &snapshot : machine_.snapshots) {
    plan_.snapshot_names.push_back(unique_snapshot_name(snapshot.name, taken));
    if (options_.keep_snapshots && plan_.snapshot_names.back() != snapshot.name) {
      plan_.findings.push_back(
          raise(kSnapshotRenamed, snapshot.origin,
                "the snapshot \"" + snapshot.name + "\" becomes \"" + plan_.snapshot_names.back() + "\""));
    }
  }
}

std::optional<std::size_t> DiskPlanner::disk_of(const Hardware &hardware, const DriveRef &ref) const {
  const disk::DiskInfo &info = *survey_.media.at(ref.field).info;
  std::optional<std::size_t> best;
  std::pair<std::size_t, bool> best_rank{0, false};
  for (std::size_t i = 0; i < refs_.size(); ++i) {
    const disk::DiskInfo &current = plan_.disks[i].info;
    if (base_of(current) != base_of(info)) continue;
    const DriveRef &other = refs_[i];
    const std::pair rank{common_images(current, info),
                         same_port(machine_.hardware.controllers[other.controller], *other.drive,
                                   hardware.controllers[ref.controller], *ref.drive)};
    if (!best || rank > best_rank) best = i, best_rank = rank;
  }
  return best;
}

bool DiskPlanner::is_skipped(const Hardware &hardware, const DriveRef &ref) const {
  const MediumFacts &facts = survey_.media.at(ref.field);
  return std::any_of(skipped_.begin(), skipped_.end(), [&](const DriveRef &skipped) {
    const MediumFacts &other = survey_.media.at(skipped.field);
    const bool same_base = facts.info && other.info && base_of(*facts.info) == base_of(*other.info);
    return same_base || same_port(machine_.hardware.controllers[skipped.controller], *skipped.drive,
                                  hardware.controllers[ref.controller], *ref.drive);
  });
}

std::vector<DriveRef> DiskPlanner::drives_of_snapshot(std::size_t i) {
  const Hardware &hardware = machine_.snapshots[i].hardware;
  std::vector<DriveRef> out;
  for (const DriveRef &ref : drives_of(hardware, "snapshots." + std::to_string(i) + ".hardware")) {
    if (!ref.drive->medium) continue;
    if (ref.drive->kind == DriveKind::disk && is_skipped(hardware, ref)) {
      plan_.settlements.push_back({ref.field, Disposition::dropped, "left out by --skip-disk"});
    } else {
      out.push_back(ref);
    }
  }
  return out;
}

void DiskPlanner::add_snapshot(std::size_t i) {
  const Snapshot &snapshot = machine_.snapshots[i];
  const auto drives = drives_of_snapshot(i);
  for (const DriveRef &ref : drives) {
    if (ref.drive->kind != DriveKind::disk) continue;
    if (const MediumFacts &facts = survey_.media.at(ref.field); facts.error) {
      if (!options_.skip_unreadable_snapshots) refuse_snapshot(snapshot, *facts.error);
      plan_.findings.push_back(raise(kSnapshotDiskMissing, ref.drive->origin,
                                     "the snapshot \"" + snapshot.name + "\" is left out: " + facts.error->what()));
      plan_.settlements.push_back(
          {"snapshots." + std::to_string(i), Disposition::dropped, "a disk of this snapshot cannot be read"});
      return;
    }
  }
  plan_.snapshot_images[i].emplace();
  for (const DriveRef &ref : drives) {
    if (ref.drive->kind != DriveKind::disk) {
      add_removable_of_snapshot(i, ref);
      continue;
    }
    const disk::DiskInfo &info = *survey_.media.at(ref.field).info;
    const auto disk = disk_of(snapshot.hardware, ref);
    if (!disk) {
      only_in_snapshots_[base_of(info)].emplace_back(i, ref);
      continue;
    }
    plan_.snapshot_media[i].push_back(target_medium(ref, *disk));
    // A write-through or shareable disk is not part of snapshots: it has one state for all. libvirt must be told
    // in the snapshot's domain, or it refuses the snapshot.
    if (leaf_of(info) == leaf_of(plan_.disks[*disk].info)) {
      plan_.snapshot_media[i].back().no_snapshots = true;
      continue;
    }
    add_state(i, ref, *disk);
  }
}

void DiskPlanner::add_state(std::size_t i, const DriveRef &ref, std::size_t disk) {
  const Snapshot &snapshot = machine_.snapshots[i];
  DiskPlan &plan = plan_.disks[disk];
  plan_.states[ref.field] = {disk, plan.snapshots.size()};
  plan.snapshots.push_back({plan_.snapshot_names[i], snapshot.created.value_or(0), *ref.drive->medium});
  // A first state besides the active one brings back what the active one hides.
  if (plan.snapshots.size() == 1) {
    plan.needed = 0;
    for (const image::ImageInfo &image : plan.info.chain) plan.needed += image.allocated;
  }
  for (const image::ImageInfo &image : survey_.media.at(ref.field).info->chain) {
    if (counted_[disk].insert(image.file).second) plan.needed += image.allocated;
  }
  plan_.snapshot_images[i]->push_back(plan.target);
}

void DiskPlanner::add_removable_of_snapshot(std::size_t i, const DriveRef &ref) {
  const ImageFile &image = ref.drive->medium->chain.back();
  if (image.pieces.empty() || is_platform_tools(image.declared_location)) return;
  target::Medium out;
  out.controller = ref.controller;
  out.drive = ref.index;
  out.format = "raw";
  out.read_only = true;
  out.file = image.pieces.front().file;
  for (const CopyPlan &copy : plan_.copies) {
    if (copy.image.pieces == image.pieces) out.file = copy.target;
  }
  plan_.snapshot_media[i].push_back(std::move(out));
}

void DiskPlanner::plan_snapshot_only_disks() {
  std::vector<const SnapshotOnly *> disks;
  for (const SnapshotOnly &disk : only_in_snapshots_) disks.push_back(&disk);
  const auto place = [](const SnapshotOnly *disk) {
    const DriveRef &ref = disk->second.back().second;
    return std::tuple(ref.controller, ref.drive->port, ref.drive->device);
  };
  std::stable_sort(disks.begin(), disks.end(), [&](const auto *a, const auto *b) { return place(a) < place(b); });
  for (const SnapshotOnly *one : disks) {
    const auto &[base, users] = *one;
    const auto &[last_snapshot, last] = users.back();
    const std::size_t disk = add_disk(last, *survey_.media.at(last.field).info);
    plan_.findings.push_back(raise(
        kSnapshotOnlyDisk, last.drive->origin,
        "the disk " + base + " belongs to snapshots only; it becomes " + plan_.disks[disk].target.filename().string()));
    for (const auto &[snapshot, ref] : users) {
      plan_.snapshot_media[snapshot].push_back(target_medium(ref, disk));
      add_state(snapshot, ref, disk);
    }
  }
}

}  // namespace ferry::migration
