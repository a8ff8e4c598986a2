// SPDX-License-Identifier: Apache-2.0
#include "migration/plan_disks.hpp"

#include <algorithm>

#include "migration/disk_planner.hpp"
#include "migration/findings.hpp"
#include "migration/pull_place.hpp"
#include "migration/removable_media.hpp"
#include "migration/target_names.hpp"

#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

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

std::string link_format(const disk::DiskInfo &info) {
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

}  // namespace

std::string base_of(const disk::DiskInfo &info) { return info.chain.empty() ? "" : info.chain.front().file.string(); }
std::string leaf_of(const disk::DiskInfo &info) { return info.chain.empty() ? "" : info.chain.back().file.string(); }

DisksPlan DiskPlanner::plan() {
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

void DiskPlanner::add_or_skip(const DriveRef &ref, std::size_t number) {
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

void DiskPlanner::skip_disk(const DriveRef &ref, std::size_t number) {
  const MediumFacts &facts = survey_.media.at(ref.field);
  plan_.findings.push_back(raise(kDiskSkipped, ref.drive->origin,
                                 "disk " + std::to_string(number) + ", " + described(*ref.drive->medium) +
                                     ", is left out as asked" +
                                     (facts.error ? ": " + facts.error->detail().message : "")));
  plan_.settlements.push_back({ref.field, Disposition::dropped, "left out by --skip-disk"});
  skipped_.push_back(ref);
}

void DiskPlanner::report_no_disk() {
  const auto drives = drives_of(machine_.hardware, "hardware");
  const bool any = std::any_of(drives.begin(), drives.end(), [](const DriveRef &ref) {
    return ref.drive->kind == DriveKind::disk && ref.drive->medium;
  });
  if (!any) plan_.findings.push_back(raise(kNoDisk, machine_.origin, "the machine has no disk"));
}

void DiskPlanner::refuse_unknown_numbers() const {
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

std::size_t DiskPlanner::add_disk(const DriveRef &ref, const disk::DiskInfo &info) {
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
    if (disk.mode == disk::Mode::overlay) disk.underlay = underlay_for(ref.field);
  }
  plan_.findings.insert(plan_.findings.end(), disk.info.findings.begin(), disk.info.findings.end());
  disk.needed = disk.info.allocated + disk.info.scratch;
  plan_.disks.push_back(std::move(disk));
  counted_.emplace_back();
  for (const image::ImageInfo &image : plan_.disks.back().info.chain) counted_.back().insert(image.file);
  return plan_.disks.size() - 1;
}

std::optional<disk::Underlay> DiskPlanner::underlay_for(const std::string &field) const {
  std::optional<disk::Underlay> out = survey_.media.at(field).underlay;
  if (!out || out->by != disk::Underlay::By::server) return out;
  out->socket = pull_socket(dest_, name_);
  out->name = "disk" + std::to_string(plan_.disks.size() + 1);
  return out;
}

disk::Mode DiskPlanner::mode_of(const disk::DiskInfo &info) const {
  if (machine_.source.kind != SourceKind::qemu || options_.mode != disk::Mode::automatic) return options_.mode;
  const ImageFormat format = info.chain.empty() ? ImageFormat::unknown : info.chain.back().format;
  const bool in_place = format == ImageFormat::raw || format == ImageFormat::qcow2 || format == ImageFormat::iso;
  return in_place ? disk::Mode::link : options_.mode;
}

bool DiskPlanner::own_image(const Medium &medium) const {
  return machine_.source.kind == SourceKind::qemu && medium.chain.back().declared_format == ImageFormat::raw;
}

bool DiskPlanner::is_own_device(const DriveRef &ref) const {
  return machine_.source.kind == SourceKind::qemu &&
         ref.drive->medium->chain.back().declared_format == ImageFormat::host_device;
}

void DiskPlanner::add_device(const DriveRef &ref) {
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

// VMware shows a disk's own UUID where it is told to (disk.EnableUUID): the base image has it, and no delta changes it.
std::string DiskPlanner::identity_of(const disk::DiskInfo &info) const {
  const auto wanted = machine_.extra.find("disk.enable_uuid");
  if (wanted == machine_.extra.end()) return {};
  for (const image::ImageInfo &image : info.chain) {
    if (!image.uuid) continue;
    std::string out = image.uuid->text();
    std::erase(out, '-');
    return out;
  }
  return {};
}

target::Medium DiskPlanner::target_medium(const DriveRef &ref, std::size_t disk) const {
  const DiskPlan &plan = plan_.disks[disk];
  target::Medium out;
  out.controller = ref.controller;
  out.drive = ref.index;
  out.file = plan.target;
  out.format = plan.format;
  out.virtual_size = plan.info.virtual_size;
  out.identity = identity_of(plan.info);
  if (plan.underlay) {
    const disk::Underlay &under = *plan.underlay;
    out.reads_source = true;
    // A whole file is found by the image's header.
    if (under.by != disk::Underlay::By::file)
      out.backing = target::Backing{.file = under.file,
                                    .format = under.format,
                                    .offset = under.offset,
                                    .length = under.length,
                                    .socket = under.socket,
                                    .name = under.name};
  }
  out.read_only = ref.drive->medium->type == MediumType::readonly;
  out.shareable = ref.drive->medium->type == MediumType::shareable;
  out.transient = ref.drive->medium->auto_reset;
  out.no_snapshots =
      ref.drive->medium->type == MediumType::writethrough || ref.drive->medium->type == MediumType::shareable;
  return out;
}

std::optional<target::Medium> DiskPlanner::removable(const DriveRef &ref) {
  const ImageFile &image = ref.drive->medium->chain.back();
  const Place &where = ref.drive->origin;
  if (options_.drop_removable) {
    plan_.findings.push_back(raise(kRemovableEmptied, where,
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
  // The new machine can open no file of another host.
  const bool elsewhere = on_host::is_remote(image.pieces.front().file);
  if (options_.copy_removable || inside_package || elsewhere || !in_xml ||
      (ref.drive->kind == DriveKind::floppy && !own)) {
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

DisksPlan plan_disks(const Machine &machine, const Survey &survey, const Options &options, const std::string &name,
                     const fs::path &dest) {
  return DiskPlanner(machine, survey, options, name, dest).plan();
}

}  // namespace ferry::migration
