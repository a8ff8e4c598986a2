// SPDX-License-Identifier: Apache-2.0
#include "converters/copy/target_file.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <linux/magic.h>
#include <string>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "support/error.hpp"
#include "support/file.hpp"
#include "support/temporary.hpp"
#include "support/text.hpp"

namespace ferry::copy {

namespace {

constexpr std::uint64_t kAllocationStep = 64U << 20U;  // bytes that are asked for ahead

std::string reason(int error) { return std::generic_category().message(error); }

}  // namespace

TargetFile::TargetFile(const std::filesystem::path &final_path, bool replace)
    : final_(std::filesystem::absolute(final_path)), replace_(replace) {
  std::error_code ignored;
  if (!replace_ && std::filesystem::symlink_status(final_, ignored).type() != std::filesystem::file_type::not_found) {
    throw Error(ErrorKind::conflict, {.where = {.file = final_},
                                      .message = "the target already exists",
                                      .advice = "Choose another name, or remove the file."});
  }
  file::remove_abandoned(final_.parent_path());
  file::Made made = file::make_temporary(final_.parent_path(), final_.filename().string() + ".");
  if (!made.descriptor) fail(errno, "the target cannot be created");
  fd_ = made.descriptor.release();
  temporary_ = made.path;
}

TargetFile::TargetFile(file::Descriptor open, std::filesystem::path final_path)
    : final_(std::move(final_path)), fd_(open.release()) {}

TargetFile::~TargetFile() {
  if (fd_ >= 0) close(fd_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void TargetFile::fail(int error, const char *what) const {
  const bool full = error == ENOSPC || error == EDQUOT;
  throw Error(full ? ErrorKind::no_space : ErrorKind::io,
              {.where = {.file = final_},
               .message = what,
               .found = reason(error),
               .advice = full ? "Free space in the target's folder, or choose another one." : ""});
}

void TargetFile::allocate_ahead() {
  // Copy-on-write file systems gain nothing from it and may lose (Btrfs does not compress such blocks).
  struct statfs status {};
  allocate_ahead_ = fstatfs(fd_, &status) == 0 &&
                    (status.f_type == EXT4_SUPER_MAGIC || static_cast<std::uint64_t>(status.f_type) == XFS_SUPER_MAGIC);
}

void TargetFile::allocate(std::uint64_t end) const {
  if (!allocate_ahead_ || end <= allocated_) return;
  const std::uint64_t to = end + kAllocationStep;
  if (fallocate(fd_, 0, static_cast<off_t>(allocated_), static_cast<off_t>(to - allocated_)) != 0) {
    allocate_ahead_ = false;  // too little room for the step, perhaps: writing says so when it is true
    return;
  }
  allocated_ = to;
}

void TargetFile::write(std::uint64_t offset, const void *data, std::size_t length) const {
  const auto *bytes = static_cast<const char *>(data);
  while (length > 0) {
    const ssize_t done = pwrite(fd_, bytes, length, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail(errno, "the target cannot be written");
    bytes += done;
    offset += static_cast<std::uint64_t>(done);
    length -= static_cast<std::size_t>(done);
  }
}

void TargetFile::write(std::uint64_t offset, std::span<iovec> pieces) const {
  std::uint64_t length = 0;
  for (const iovec &piece : pieces) length += piece.iov_len;
  write_pieces(offset, length, pieces);
  if (!write_through_) return;
  // Only a hint: where it fails, publish() waits longer.
  sync_file_range(fd_, static_cast<off_t>(offset), static_cast<off_t>(length), SYNC_FILE_RANGE_WRITE);
}

std::unique_lock<std::mutex> TargetFile::turn() const {
  // The kernel lets one thread at a time write to a file. Being woken up takes as long as the other's write does, so
  // it is worth a moment to look again, for one thread, which lets others run meanwhile. All other waiting must cost
  // no processor time that a thread could use to inflate or to hash.
  constexpr int kLooks = 400;
  std::unique_lock lock(bulk_guard_, std::try_to_lock);
  if (!lock.owns_lock() && !somebody_looks_.exchange(true)) {
    for (int i = 0; i < kLooks && !lock.owns_lock(); ++i) {
      std::this_thread::yield();
      static_cast<void>(lock.try_lock());
    }
    somebody_looks_ = false;
  }
  if (!lock.owns_lock()) lock.lock();
  return lock;
}

void TargetFile::write_pieces(std::uint64_t offset, std::uint64_t length, std::span<iovec> pieces) const {
  const std::unique_lock lock = turn();
  allocate(offset + length);
  while (!pieces.empty()) {
    const auto count = static_cast<int>(std::min<std::size_t>(pieces.size(), IOV_MAX));
    const ssize_t result = pwritev(fd_, pieces.data(), count, static_cast<off_t>(offset));
    if (result < 0 && errno == EINTR) continue;
    if (result < 0) fail(errno, "the target cannot be written");
    auto done = static_cast<std::size_t>(result);
    offset += done;
    while (!pieces.empty() && done >= pieces.front().iov_len) {
      done -= pieces.front().iov_len;
      pieces = pieces.subspan(1);
    }
    if (done > 0) {
      pieces.front().iov_base = static_cast<char *>(pieces.front().iov_base) + done;
      pieces.front().iov_len -= done;
    }
  }
}

void TargetFile::resize(std::uint64_t size) const {
  if (ftruncate(fd_, static_cast<off_t>(size)) != 0) fail(errno, "the target cannot be given its size");
}

std::uint64_t TargetFile::space_available() const {
  struct statvfs status {};
  if (fstatvfs(fd_, &status) != 0) fail(errno, "the free space cannot be read");
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

std::uint32_t TargetFile::block_size() const {
  struct stat status {};
  if (fstat(fd_, &status) != 0) fail(errno, "the target cannot be examined");
  return static_cast<std::uint32_t>(status.st_blksize);
}

void TargetFile::require_space(std::uint64_t bytes) const {
  const std::uint64_t available = space_available();
  if (available >= bytes) return;
  throw Error(ErrorKind::no_space, {.where = {.file = final_},
                                    .message = "there is not enough room in the target's folder",
                                    .found = text::human_bytes(available),
                                    .expected = text::human_bytes(bytes),
                                    .advice = "Free space in the target's folder, or choose another one."});
}

std::uint64_t TargetFile::disk_usage() const {
  struct stat status {};
  if (fstat(fd_, &status) != 0) fail(errno, "the target cannot be examined");
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

void TargetFile::publish(bool durable) {
  if (durable && fsync(fd_) != 0) fail(errno, "the target cannot be written to the disk");
  std::error_code error;
  if (replace_) {
    std::filesystem::rename(temporary_, final_, error);
  } else {
    error = file::rename_new(temporary_, final_);
  }
  if (error) {
    if (error != std::errc::file_exists) fail(error.value(), "the target cannot be given its name");
    throw Error(ErrorKind::conflict, {.where = {.file = final_},
                                      .message = "the target was created by another process in the meantime",
                                      .advice = "Choose another name, or remove the file."});
  }
  temporary_.clear();
  if (durable) file::sync_folder(final_.parent_path());
}

}  // namespace ferry::copy
