// SPDX-License-Identifier: Apache-2.0
#include "converters/copy/clone.hpp"

#include <algorithm>
#include <cerrno>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "support/error.hpp"

namespace ferry::copy {

namespace {

[[noreturn]] void fail(int error, const char *what) {
  throw Error(error == ENOSPC || error == EDQUOT ? ErrorKind::no_space : ErrorKind::io,
              {.message = what, .found = std::generic_category().message(error)});
}

[[noreturn]] void fail_short(std::uint64_t offset) {
  throw Error(ErrorKind::malformed, {.message = "the source ends before the end of its data",
                                     .found = "end of file at or before offset " + std::to_string(offset)});
}

void read_write(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset, std::uint64_t length) {
  std::vector<char> buffer(std::min<std::uint64_t>(length, 1U << 20U));
  while (length > 0) {
    const ssize_t got =
        pread(from, buffer.data(), std::min<std::uint64_t>(length, buffer.size()), static_cast<off_t>(from_offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(errno, "the source cannot be read");
    if (got == 0) fail_short(from_offset);
    for (ssize_t put = 0; put < got;) {
      const ssize_t done = pwrite(to, buffer.data() + put, static_cast<std::size_t>(got - put),
                                  static_cast<off_t>(to_offset + static_cast<std::uint64_t>(put)));
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) fail(errno, "the target cannot be written");
      put += done;
    }
    from_offset += static_cast<std::uint64_t>(got);
    to_offset += static_cast<std::uint64_t>(got);
    length -= static_cast<std::uint64_t>(got);
  }
}

}  // namespace

bool clone_range(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset, std::uint64_t length) {
  const file_clone_range range{
      .src_fd = from, .src_offset = from_offset, .src_length = length, .dest_offset = to_offset};
  for (;;) {
    if (ioctl(to, FICLONERANGE, &range) == 0) return true;
    switch (errno) {
      case EINTR: continue;
      // Not this file system, not across these two, not these flags or alignments, a swap file.
      case EOPNOTSUPP:
      case ENOTTY:
      case EXDEV:
      case EINVAL:
      case ETXTBSY:
      case EPERM:
      case EBADF:
      case EISDIR: return false;
      default: fail(errno, "the source's blocks cannot be shared");
    }
  }
}

bool can_clone(int from, int to, std::uint32_t block_size) {
  const bool works = clone_range(from, 0, to, 0, block_size);
  if (works && ftruncate(to, 0) != 0) fail(errno, "the target cannot be given its size");
  return works;
}

bool never_shares_blocks(const std::filesystem::path &folder) {
  constexpr std::uint32_t kF2fs = 0xf2f52010, kNtfs3 = 0x7366746e;
  struct statfs status {};
  if (statfs(folder.c_str(), &status) != 0) return false;
  switch (static_cast<std::uint32_t>(status.f_type)) {
    case EXT4_SUPER_MAGIC:  // ext2 and ext3 too
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
    case MSDOS_SUPER_MAGIC:
    case EXFAT_SUPER_MAGIC:
    case kF2fs:
    case kNtfs3: return true;
    default: return false;
  }
}

void copy_range(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset, std::uint64_t length) {
  while (length > 0) {
    auto source = static_cast<off_t>(from_offset);
    auto target = static_cast<off_t>(to_offset);
    const ssize_t done = copy_file_range(from, &source, to, &target, std::min<std::uint64_t>(length, 1U << 30U), 0);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO)) fail(errno, "the target cannot be written");
    if (done == 0) fail_short(from_offset);
    if (done < 0) return read_write(from, from_offset, to, to_offset, length);
    from_offset += static_cast<std::uint64_t>(done);
    to_offset += static_cast<std::uint64_t>(done);
    length -= static_cast<std::uint64_t>(done);
  }
}

}  // namespace ferry::copy
