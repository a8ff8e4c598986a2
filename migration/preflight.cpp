// SPDX-License-Identifier: Apache-2.0
#include "migration/preflight.hpp"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

#include "converters/copy/clone.hpp"
#include "migration/replace.hpp"

#include "support/file.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

void refuse_unwritable(const fs::path &folder) {
  std::error_code error;
  if (fs::is_directory(folder, error) && access(folder.c_str(), W_OK | X_OK) == 0) return;
  throw Error(ErrorKind::io, {.where = {.file = folder},
                              .message = "the destination cannot be written",
                              .found = fs::is_directory(folder, error) ? "a folder that you may not write to"
                                                                       : "something that is not a folder",
                              .expected = "a folder that you can write to",
                              .advice = "Choose another place with --dest."});
}

// What can be told without writing; the rest shows when blocks are shared.
void refuse_sharing_where_nothing_is_shared(const MachinePlan &plan, const fs::path &folder) {
  const auto shared = std::ranges::find(plan.disks, disk::Mode::share, &DiskPlan::mode);
  if (shared == plan.disks.end() || !copy::never_shares_blocks(folder)) return;
  throw Error(ErrorKind::unsupported, {.where = {.file = folder},
                                       .message = "the disks' blocks cannot be shared with the destination",
                                       .found = "a file system that cannot share blocks",
                                       .expected = "source and destination on one Btrfs or XFS file system",
                                       .advice = "Use --disk-mode auto or copy, or choose another --dest."});
}

// QEMU locks single bytes of an image that it has open (block/file-posix.c, RAW_LOCK_PERM_BASE): 100 and up for what it
// does, 200 and up for what it lets others do.
bool held_by_qemu(const fs::path &image) {
  constexpr off_t kFirst = 100, kLength = 200;
  const file::Descriptor descriptor(open(image.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!descriptor) return false;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = kFirst;
  lock.l_len = kLength;
  return fcntl(descriptor.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void refuse_running(const MachinePlan &plan) {
  if (plan.imported.machine.source.kind != SourceKind::qemu) return;
  for (const DiskPlan &disk : plan.disks) {
    for (const image::ImageInfo &image : disk.info.chain) {
      if (!held_by_qemu(image.file)) continue;
      throw Error(ErrorKind::conflict, {.where = {.file = image.file},
                                        .message = "a running QEMU holds this image",
                                        .expected = "a machine that is switched off",
                                        .advice = "Shut the machine down, then try again."});
    }
  }
}

}  // namespace

void preflight(const MachinePlan &plan, const Options &options, const std::set<fs::path> &leftovers) {
  if (!text::is_valid_utf8(plan.dest.string())) {
    throw Error(ErrorKind::usage, {.where = {.file = plan.dest},
                                   .message = "the destination's path is not UTF-8, so no domain XML can name it",
                                   .advice = "Choose another place with --dest."});
  }
  if (options.overwrite) refuse_targets_of_others(plan, all_runs());
  refuse_running(plan);
  for (const fs::path &file : plan.files) {
    std::error_code error;
    if (options.overwrite || leftovers.contains(file) || !fs::exists(fs::symlink_status(file, error))) continue;
    throw Error(ErrorKind::conflict, {.where = {.file = file},
                                      .message = "the target already exists",
                                      .advice = "Choose another --name or --dest, or replace it with --overwrite."});
  }
  // It need not exist yet: then the nearest one above it that does is written to.
  const fs::path folder = nearest_existing(plan.dest);
  refuse_unwritable(folder);
  refuse_sharing_where_nothing_is_shared(plan, folder);
  if (plan.space_available && *plan.space_available < plan.space_needed) {
    throw Error(ErrorKind::no_space,
                {.where = {.file = plan.dest},
                 .message = "there is not enough room at the destination",
                 .found = text::human_bytes(*plan.space_available) + " free",
                 .expected = text::human_bytes(plan.space_needed),
                 .advice = "Make room, or choose another place with --dest. Where source and destination are on one "
                           "Btrfs or XFS file system, --disk-mode share needs next to none."});
  }
}

}  // namespace ferry::migration
