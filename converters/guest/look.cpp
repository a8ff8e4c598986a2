// SPDX-License-Identifier: Apache-2.0
#include "converters/guest/look.hpp"

#include <exception>
#include <new>
#include <utility>

#include "converters/guest/lvm.hpp"
#include "converters/guest/partitions.hpp"
#include "converters/guest/systems.hpp"

#include "support/error.hpp"

namespace ferry::guest {

std::string clause_of(const std::exception &error) {
  const auto *known = dynamic_cast<const Error *>(&error);
  if (known == nullptr) return error.what();
  const ErrorDetail &detail = known->detail();
  return detail.message + (detail.found.empty() ? "" : " (" + detail.found + ")");
}

void try_to(const std::function<void()> &what, const std::function<void(std::string)> &failed) {
  try {
    what();
  } catch (const std::bad_alloc &) {
    throw;
  } catch (const std::exception &error) {
    failed(clause_of(error));
  }
}

void try_to(const std::function<void()> &what) {
  try_to(what, [](const std::string &) {});
}

namespace {

constexpr std::size_t kMostVolumes = 256;  // of all disks

// What a volume is, and its file system where that is one that is read.
std::unique_ptr<FileSystem> mount(ObservedVolume &volume, const SourcePtr &content) {
  std::unique_ptr<FileSystem> out;
  try_to(
      [&] {
        volume.content = content_of(*content);
        if (volume.content == "bitlocker") volume.protectors = bitlocker_protectors(*content);
        auto files = open_file_system(volume.content, content);
        if (!files) return;
        volume.label = files->label();
        volume.id = files->id();
        volume.dirty = files->dirty();
        out = std::move(files);
      },
      [&](std::string why) { volume.problem = std::move(why); });
  return out;
}

}  // namespace

void Look::add(std::size_t number, const image::Chain &chain) {
  disks_.push_back({number, std::make_shared<const Disk>(chain, budget_)});
}

void Look::add_problem(std::size_t number, const std::string &why) {
  out_.disks.push_back({.number = number, .problem = why});
}

namespace {

// Reads the volumes of disks into an Observed; what can be read goes on as mounted, or as parts of LVM's.
class VolumeReader {
 public:
  explicit VolumeReader(Observed &out) : out_(out) {}

  void add_disk(std::size_t number, const std::shared_ptr<const Disk> &disk) {
    ObservedDisk seen{.number = number};
    PartitionTable table;
    try_to([&] { table = read_partitions(*disk); }, [&](std::string why) { seen.problem = std::move(why); });
    seen.table = table.kind;
    seen.boot_code = table.boot_code;
    out_.disks.push_back(std::move(seen));
    for (const Partition &part : table.partitions) {
      add_volume({.disk = number,
                  .number = part.number,
                  .start = part.start,
                  .length = part.length,
                  .type = part.type,
                  .part_id = part.id},
                 std::make_shared<const Part>(disk, part.start, part.length));
    }
  }

  void add_logical_volumes() {
    for (const LogicalVolume &one : read_logical_volumes(physical_)) {
      const ObservedVolume &physical = out_.volumes[physical_at_[one.physical]];
      ObservedVolume volume{.disk = physical.disk, .number = physical.number, .logical_volume = one.name};
      if (one.content) {
        volume.length = one.content->size();
        add_volume(std::move(volume), one.content);
      } else if (out_.volumes.size() < kMostVolumes) {
        volume.problem = one.problem;
        out_.volumes.push_back(std::move(volume));
      }
    }
    for (std::size_t i = 0; i < physical_.size(); ++i) out_.volumes[physical_at_[i]].problem = physical_[i].problem;
  }

  std::vector<Mounted> mounted;

 private:
  void add_volume(ObservedVolume volume, const SourcePtr &content) {
    if (out_.volumes.size() >= kMostVolumes) return;
    auto files = mount(volume, content);
    if (files) mounted.push_back({out_.volumes.size(), std::move(files)});
    if (volume.content == "lvm" && volume.logical_volume.empty()) {
      physical_.push_back({content});
      physical_at_.push_back(out_.volumes.size());
    }
    out_.volumes.push_back(std::move(volume));
  }

  Observed &out_;
  std::vector<PhysicalVolume> physical_;
  std::vector<std::size_t> physical_at_;  // their indexes in Observed::volumes
};

}  // namespace

Observed Look::done() {
  VolumeReader reader(out_);
  for (const One &one : disks_) reader.add_disk(one.number, one.disk);
  reader.add_logical_volumes();
  const std::vector<Mounted> &mounted = reader.mounted;
  for (const Mounted &one : mounted) {
    const std::string &content = out_.volumes[one.volume].content;
    if (content == "ntfs") look_for_windows(one, out_);
    const bool of_linux = content.starts_with("ext") || content == "xfs" || content == "btrfs";
    if (of_linux) look_for_linux(one, mounted, budget_, out_);
    look_for_loaders(one, out_);
  }
  out_.bytes_read = budget_.taken();
  return std::move(out_);
}

}  // namespace ferry::guest
