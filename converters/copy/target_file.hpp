// SPDX-License-Identifier: Apache-2.0
// The file that a conversion makes: under a temporary name in the target's folder, published by a rename that does not
// replace unless that was asked for, gone again when it was not published.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <span>
#include <sys/uio.h>

#include "support/file.hpp"

namespace ferry::copy {

// All writes are positional and may come from many threads.
class TargetFile {
 public:
  // Creates the temporary file (mode 0600), and removes those that dead processes left beside it. Throws conflict when
  // `final_path` exists and is not to be replaced, io or no_space otherwise.
  explicit TargetFile(const std::filesystem::path &final_path, bool replace = false);
  // A file that another process made, names and removes; this one only fills it.
  TargetFile(file::Descriptor open, std::filesystem::path final_path);
  ~TargetFile();  // removes the temporary file unless publish() succeeded
  TargetFile(const TargetFile &) = delete;
  TargetFile &operator=(const TargetFile &) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const std::filesystem::path &path() const { return temporary_; }  // until published
  [[nodiscard]] const std::filesystem::path &final_path() const { return final_; }

  void write(std::uint64_t offset, const void *data, std::size_t length) const;
  // For much data: writes the pieces one after the other from `offset`; `pieces` is used up.
  void write(std::uint64_t offset, std::span<iovec> pieces) const;
  void resize(std::uint64_t size) const;
  // For a target that is written from front to back without holes: from now on the file system is asked for blocks
  // ahead of what is written in bulk, where that saves it work (a block at a time costs ext4 a quarter of the whole
  // write). The file may be longer than what was written, until resize().
  void allocate_ahead();
  // From now on the kernel is asked to take what is written in bulk to the disk at once, so that a durable publish()
  // has little left to wait for.
  void write_through() { write_through_ = true; }

  // Bytes that an unprivileged user can still write in the target's folder.
  [[nodiscard]] std::uint64_t space_available() const;
  // The file's unit of allocation (and of cloning) in bytes.
  [[nodiscard]] std::uint32_t block_size() const;
  // Throws no_space, naming both numbers, when fewer than `bytes` are left.
  void require_space(std::uint64_t bytes) const;

  // Bytes that the file occupies on its disk.
  [[nodiscard]] std::uint64_t disk_usage() const;

  // Gives the file its name, when `durable` after its content has reached the disk. Throws conflict when the name
  // is taken by now.
  void publish(bool durable);

 private:
  void write_pieces(std::uint64_t offset, std::uint64_t length, std::span<iovec> pieces) const;
  [[nodiscard]] std::unique_lock<std::mutex> turn() const;  // to write in bulk
  void allocate(std::uint64_t end) const;
  [[noreturn]] void fail(int error, const char *what) const;

  std::filesystem::path final_;
  std::filesystem::path temporary_;
  bool replace_ = false;
  int fd_ = -1;
  bool write_through_ = false;
  mutable bool allocate_ahead_ = false;  // guarded by bulk_guard_ once writing has begun
  mutable std::uint64_t allocated_ = 0;  // bytes from the start; likewise
  mutable std::mutex bulk_guard_;
  mutable std::atomic<bool> somebody_looks_ = false;  // whether bulk_guard_ is free
};

}  // namespace ferry::copy
