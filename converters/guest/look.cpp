// SPDX-License-Identifier: Apache-2.0
#include "converters/guest/look.hpp"

#include <exception>
#include <new>
#include <utility>

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

Observed Look::done() {
  std::vector<Mounted> mounted;
  for (const One &one : disks_) {
    ObservedDisk seen{.number = one.number};
    PartitionTable table;
    try_to([&] { table = read_partitions(*one.disk); }, [&](std::string why) { seen.problem = std::move(why); });
    seen.table = table.kind;
    seen.boot_code = table.boot_code;
    out_.disks.push_back(std::move(seen));
    for (const Partition &part : table.partitions) {
      if (out_.volumes.size() >= kMostVolumes) break;
      ObservedVolume volume{.disk = one.number,
                            .number = part.number,
                            .start = part.start,
                            .length = part.length,
                            .type = part.type,
                            .part_id = part.id};
      auto files = mount(volume, std::make_shared<const Part>(one.disk, part.start, part.length));
      if (files) mounted.push_back({out_.volumes.size(), std::move(files)});
      out_.volumes.push_back(std::move(volume));
    }
  }
  for (const Mounted &one : mounted) {
    const std::string &content = out_.volumes[one.volume].content;
    if (content == "ntfs") look_for_windows(one, out_);
    if (content.starts_with("ext")) look_for_linux(one, mounted, budget_, out_);
    look_for_loaders(one, out_);
  }
  out_.bytes_read = budget_.taken();
  return std::move(out_);
}

}  // namespace ferry::guest
