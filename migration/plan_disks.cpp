// SPDX-License-Identifier: Apache-2.0
#include "migration/plan_disks.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "migration/findings.hpp"
#include "migration/removable_media.hpp"
#include "migration/target_names.hpp"

#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// What two states of one disk have in common: the base of their chains.
std::string base_of(const disk::DiskInfo &info) { return info.chain.empty() ? "" : info.chain.front().file.string(); }
std::string leaf_of(const disk::DiskInfo &info) { return info.chain.empty() ? "" : info.chain.back().file.string(); }

// The facts of the current state's disk `number` (from 1); its error says how to do without it.
const disk::DiskInfo &facts_or_throw(const Survey &survey, const std::string &field, std::size_t number) {
  const MediumFacts &facts = survey.media.at(field);
  if (!facts.error) return *facts.info;
  if (facts.error->kind() == ErrorKind::usage) throw Error(*facts.error);  // an option that does not suit the disk
  ErrorDetail detail = facts.error->detail();
  detail.advice += detail.advice.empty() ? "Leave" : " Or leave";
  detail.advice += " the disk out with --skip-disk " + std::to_string(number);
  if (facts.error->kind() == ErrorKind::missing) detail.advice += " (--skip-disk missing: all that do not exist)";
  if (facts.error->kind() == ErrorKind::unsupported)
    detail.advice += " (--skip-disk unsupported: all that cannot be carried over)";
  detail.advice += '.';
  throw Error(facts.error->kind(), std::move(detail));
}

std::string described(const Medium &medium) {
  const ImageFile &image = medium.chain.back();
  if (image.declared_format == ImageFormat::iscsi) return "an iSCSI target";
  if (image.declared_format == ImageFormat::host_device) return "a device of the source's host";
  return image.display_path().string();
}

// The same place on the same controller, in two states of one machine.
bool same_port(const Controller &a, const Drive &x, const Controller &b, const Drive &y) {
  return a.type == b.type && a.name == b.name && a.index == b.index && x.port == y.port && x.device == y.device;
}

class Planner {
 public:
  Planner(const Machine &machine, const Survey &survey, const Options &options, const std::string &name,
          const fs::path &dest)
      : machine_(machine), survey_(survey), options_(options), name_(name), dest_(dest) {}

  DisksPlan plan() {
    refuse_unknown_numbers();
    report_no_disk();
    std::size_t number = 0;
    for (const DriveRef &ref : drives_of(machine_.hardware, "hardware")) {
      if (!ref.drive->medium) continue;
      if (ref.drive->kind == DriveKind::disk) {
        add_or_skip(ref, ++number);
      } else if (auto medium = removable(ref)) {
        plan_.media.push_back(std::move(*medium));
      }
    }
    name_snapshots();
    plan_.snapshot_media.resize(machine_.snapshots.size());
    plan_.snapshot_images.resize(machine_.snapshots.size());
    if (options_.keep_snapshots) {
      for (std::size_t i = 0; i < machine_.snapshots.size(); ++i) add_snapshot(i);
      plan_snapshot_only_disks();
    }
    return std::move(plan_);
  }

 private:
  // ---- the current state ----

  void add_or_skip(const DriveRef &ref, std::size_t number) {
    const std::optional<Error> &error = survey_.media.at(ref.field).error;
    const SkippedDisks &skip = options_.skip_disks;
    const bool asked =
        skip.numbers.contains(number) || (error && ((skip.missing && error->kind() == ErrorKind::missing) ||
                                                    (skip.unsupported && error->kind() == ErrorKind::unsupported)));
    if (asked) {
      skip_disk(ref, number);
    } else if (is_own_device(ref)) {
      add_device(ref);
    } else {
      plan_.media.push_back(target_medium(ref, add_disk(ref, facts_or_throw(survey_, ref.field, number))));
      refs_.push_back(ref);
    }
  }

  void skip_disk(const DriveRef &ref, std::size_t number) {
    const MediumFacts &facts = survey_.media.at(ref.field);
    plan_.findings.push_back(raise(kDiskSkipped, ref.drive->origin,
                                   "disk " + std::to_string(number) + ", " + described(*ref.drive->medium) +
                                       ", is left out as asked" +
                                       (facts.error ? ": " + facts.error->detail().message : "")));
    plan_.settlements.push_back({ref.field, Disposition::dropped, "left out by --skip-disk"});
    skipped_.push_back(ref);
  }

  void report_no_disk() {
    const auto drives = drives_of(machine_.hardware, "hardware");
    const bool any = std::any_of(drives.begin(), drives.end(), [](const DriveRef &ref) {
      return ref.drive->kind == DriveKind::disk && ref.drive->medium;
    });
    if (!any) plan_.findings.push_back(raise(kNoDisk, machine_.origin, "the machine has no disk"));
  }

  void refuse_unknown_numbers() const {
    const auto drives = drives_of(machine_.hardware, "hardware");
    const auto disks = static_cast<std::size_t>(std::count_if(drives.begin(), drives.end(), [](const DriveRef &ref) {
      return ref.drive->kind == DriveKind::disk && ref.drive->medium;
    }));
    const std::set<std::size_t> &numbers = options_.skip_disks.numbers;
    if (numbers.empty() || *numbers.rbegin() <= disks) return;
    throw Error(ErrorKind::usage, {.where = machine_.origin,
                                   .message = "--skip-disk " + std::to_string(*numbers.rbegin()) +
                                              " names a disk that the machine does not have",
                                   .expected = disks == 0   ? "no number: the machine has no disk"
                                               : disks == 1 ? "number 1"
                                                            : "a number from 1 to " + std::to_string(disks)});
  }

  std::size_t add_disk(const DriveRef &ref, const disk::DiskInfo &info) {
    DiskPlan disk;
    disk.field = ref.field;
    disk.medium = *ref.drive->medium;
    disk.info = info;
    disk.mode = mode_of(disk.info);
    disk.format = "qcow2";
    if (disk.mode == disk::Mode::link) {
      disk.target = leaf_of(disk.info);
      disk.format = own_image(disk.medium) ? "raw" : link_format(disk.info);
      const bool asked = options_.mode == disk::Mode::link;
      plan_.findings.push_back(raise(asked ? kDiskLinked : kDiskInPlace, ref.drive->origin,
                                     "the new machine writes to the source's own image " + disk.target.string()));
    } else {
      disk.target = dest_ / disk_file(name_, plan_.disks.size(), ".qcow2");
    }
    plan_.findings.insert(plan_.findings.end(), disk.info.findings.begin(), disk.info.findings.end());
    disk.needed = disk.info.allocated + disk.info.scratch;
    plan_.disks.push_back(std::move(disk));
    counted_.emplace_back();
    for (const image::ImageInfo &image : plan_.disks.back().info.chain) counted_.back().insert(image.file);
    return plan_.disks.size() - 1;
  }

  // A machine of QEMU's own has images that QEMU runs from as they are.
  [[nodiscard]] disk::Mode mode_of(const disk::DiskInfo &info) const {
    if (machine_.source.kind != SourceKind::qemu || options_.mode != disk::Mode::automatic) return options_.mode;
    const ImageFormat format = info.chain.empty() ? ImageFormat::unknown : info.chain.back().format;
    const bool in_place = format == ImageFormat::raw || format == ImageFormat::qcow2 || format == ImageFormat::iso;
    return in_place ? disk::Mode::link : options_.mode;
  }

  // The command calls the image raw, whatever is in it: so does QEMU.
  [[nodiscard]] bool own_image(const Medium &medium) const {
    return machine_.source.kind == SourceKind::qemu && medium.chain.back().declared_format == ImageFormat::raw;
  }

  // A device of the host's, which a machine of QEMU's own on this host goes on using.
  [[nodiscard]] bool is_own_device(const DriveRef &ref) const {
    return machine_.source.kind == SourceKind::qemu &&
           ref.drive->medium->chain.back().declared_format == ImageFormat::host_device;
  }

  void add_device(const DriveRef &ref) {
    target::Medium out;
    out.controller = ref.controller;
    out.drive = ref.index;
    out.file = ref.drive->medium->chain.back().declared_location;
    out.format = "raw";
    out.transient = ref.drive->medium->auto_reset;
    out.no_snapshots = true;
    plan_.findings.push_back(
        raise(kDiskInPlace, ref.drive->origin, "the new machine writes to the device " + out.file.string()));
    plan_.media.push_back(std::move(out));
  }

  static std::string link_format(const disk::DiskInfo &info) {
    if (!text::is_valid_utf8(leaf_of(info))) {
      throw Error(ErrorKind::unsupported, {.where = {.file = info.chain.back().file},
                                           .message = "the image's path is not UTF-8, so no domain XML can name it",
                                           .advice = "Rename it, or leave out --disk-mode link."});
    }
    switch (info.chain.back().format) {
      case ImageFormat::vdi: return "vdi";
      case ImageFormat::vmdk: return "vmdk";
      case ImageFormat::vhdx: return "vhdx";
      case ImageFormat::qcow2: return "qcow2";
      case ImageFormat::raw: return "raw";
      default:
        throw Error(ErrorKind::unsupported, {.where = {.file = info.chain.back().file},
                                             .message = "QEMU cannot run from this image in place",
                                             .expected = "a VDI, VMDK, VHDX, qcow2 or raw image",
                                             .advice = "Leave out --disk-mode link."});
    }
  }

  [[nodiscard]] target::Medium target_medium(const DriveRef &ref, std::size_t disk) const {
    const DiskPlan &plan = plan_.disks[disk];
    target::Medium out;
    out.controller = ref.controller;
    out.drive = ref.index;
    out.file = plan.target;
    out.format = plan.format;
    out.virtual_size = plan.info.virtual_size;
    out.read_only = ref.drive->medium->type == MediumType::readonly;
    out.shareable = ref.drive->medium->type == MediumType::shareable;
    out.transient = ref.drive->medium->auto_reset;
    out.no_snapshots =
        ref.drive->medium->type == MediumType::writethrough || ref.drive->medium->type == MediumType::shareable;
    return out;
  }

  // A CD or floppy image: linked where it is, or copied; nullopt when it is not there.
  std::optional<target::Medium> removable(const DriveRef &ref) {
    const ImageFile &image = ref.drive->medium->chain.back();
    const Place &where = ref.drive->origin;
    if (options_.drop_removable) {
      plan_.findings.push_back(
          raise(kRemovableEmptied, where,
                "the drive that holds \"" + image.declared_location + "\" is left empty, as asked"));
      plan_.settlements.push_back({ref.field + ".medium", Disposition::dropped, "left out by --removable none"});
      return std::nullopt;
    }
    if (is_platform_tools(image.declared_location)) {
      plan_.findings.push_back(
          raise(kPlatformTools, where, "\"" + image.declared_location + "\" is not put into the drive"));
      plan_.settlements.push_back(
          {ref.field + ".medium", Disposition::dropped, "the old platform's tools; the drive is empty"});
      return std::nullopt;
    }
    if (image.pieces.empty()) {
      plan_.findings.push_back(raise(kRemovableMissing, where,
                                     "the image \"" + image.declared_location + "\" of a " +
                                         (ref.drive->kind == DriveKind::cdrom ? "CD" : "floppy") +
                                         " drive does not exist"));
      plan_.settlements.push_back(
          {ref.field + ".medium", Disposition::dropped, "the image does not exist; the drive is empty"});
      return std::nullopt;
    }
    target::Medium out;
    out.controller = ref.controller;
    out.drive = ref.index;
    out.format = "raw";
    out.read_only = ref.drive->kind == DriveKind::cdrom;
    const bool inside_package = image.gzip || image.pieces.size() > 1 || image.pieces.front().length.has_value();
    // A floppy is written to, so the source's own image must not be used; a CD image in a package has no file.
    const bool in_xml = inside_package || text::is_valid_utf8(image.pieces.front().file.string());
    const bool own = machine_.source.kind == SourceKind::qemu && options_.mode == disk::Mode::automatic;
    if (options_.copy_removable || inside_package || !in_xml || (ref.drive->kind == DriveKind::floppy && !own)) {
      const std::string_view suffix = ref.drive->kind == DriveKind::cdrom ? ".iso" : ".img";
      const std::size_t number = removable_count_[std::string(suffix)]++;
      out.file = dest_ / disk_file(name_, number, suffix);
      plan_.copies.push_back({image, out.file});
    } else {
      out.file = image.pieces.front().file;
      plan_.findings.push_back(raise(kRemovableLinked, where,
                                     (ref.drive->kind == DriveKind::cdrom ? "the CD image " : "the floppy image ") +
                                         out.file.string() + " is used where it is"));
    }
    return out;
  }

  // ---- the snapshots ----

  void name_snapshots() {
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

  // The disk of the current state that a snapshot's disk is an earlier state of: one of the same base image, and of
  // several (multi-attach, linked clones) the one that shares most of the chain, then the one in the same place.
  [[nodiscard]] std::optional<std::size_t> disk_of(const Hardware &hardware, const DriveRef &ref) const {
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

  static std::size_t common_images(const disk::DiskInfo &a, const disk::DiskInfo &b) {
    std::size_t count = 0;
    while (count < a.chain.size() && count < b.chain.size() && a.chain[count].file == b.chain[count].file) ++count;
    return count;
  }

  // Whether a snapshot's disk is one that the current state does without: by its place, or by the base of its chain.
  [[nodiscard]] bool is_skipped(const Hardware &hardware, const DriveRef &ref) const {
    const MediumFacts &facts = survey_.media.at(ref.field);
    return std::any_of(skipped_.begin(), skipped_.end(), [&](const DriveRef &skipped) {
      const MediumFacts &other = survey_.media.at(skipped.field);
      const bool same_base = facts.info && other.info && base_of(*facts.info) == base_of(*other.info);
      return same_base || same_port(machine_.hardware.controllers[skipped.controller], *skipped.drive,
                                    hardware.controllers[ref.controller], *ref.drive);
    });
  }

  // The drives of snapshot `i` with media, but for disks that are skipped.
  std::vector<DriveRef> drives_of_snapshot(std::size_t i) {
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

  // A state that cannot be read now may be readable tomorrow: leaving it behind is the user's decision.
  [[noreturn]] static void refuse_snapshot(const Snapshot &snapshot, const Error &error) {
    ErrorDetail detail = error.detail();
    detail.message = "the snapshot \"" + text::printable(snapshot.name) + "\" cannot be read: " + detail.message;
    if (!detail.advice.empty()) detail.advice += " ";
    detail.advice +=
        "To leave out the snapshots that cannot be read, use --snapshots skip-unreadable; to leave out all, "
        "--snapshots flatten.";
    throw Error(error.kind(), std::move(detail));
  }

  // Gives snapshot `i` its states in the images of the current state's disks.
  void add_snapshot(std::size_t i) {
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

  void add_state(std::size_t i, const DriveRef &ref, std::size_t disk) {
    const Snapshot &snapshot = machine_.snapshots[i];
    DiskPlan &plan = plan_.disks[disk];
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

  // A snapshot's CD stays in its drive when the file is there; copies are made for the current state only.
  void add_removable_of_snapshot(std::size_t i, const DriveRef &ref) {
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

  // By their place in the last snapshot that has them, not by what their files are called.
  void plan_snapshot_only_disks() {
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
      plan_.findings.push_back(raise(kSnapshotOnlyDisk, last.drive->origin,
                                     "the disk " + base + " belongs to snapshots only; it becomes " +
                                         plan_.disks[disk].target.filename().string()));
      for (const auto &[snapshot, ref] : users) {
        plan_.snapshot_media[snapshot].push_back(target_medium(ref, disk));
        add_state(snapshot, ref, disk);
      }
    }
  }

  const Machine &machine_;
  const Survey &survey_;
  const Options &options_;
  const std::string &name_;
  const fs::path &dest_;
  DisksPlan plan_;
  std::vector<DriveRef> refs_;     // of the current state's disks, by their number in plan_.disks
  std::vector<DriveRef> skipped_;  // of the current state
  std::map<std::string, std::size_t> removable_count_;
  std::vector<std::set<fs::path>> counted_;  // by disk: images that DiskPlan::needed has
  // By the base of their chains: the snapshots that have it, and where.
  using OnlyInSnapshots = std::map<std::string, std::vector<std::pair<std::size_t, DriveRef>>>;
  using SnapshotOnly = OnlyInSnapshots::value_type;
  OnlyInSnapshots only_in_snapshots_;
};

}  // namespace

DisksPlan plan_disks(const Machine &machine, const Survey &survey, const Options &options, const std::string &name,
                     const fs::path &dest) {
  return Planner(machine, survey, options, name, dest).plan();
}

}  // namespace ferry::migration
