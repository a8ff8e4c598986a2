// SPDX-License-Identifier: Apache-2.0
// Files that are opened when they are read and closed when too many others are: a machine with 250 snapshots has more
// images than a process may hold open. Descriptors belong to the process, so the list of open ones does too.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>

#include "support/error.hpp"
#include "support/file.hpp"

namespace ferry::image {

// A descriptor that stays open as long as somebody holds this.
using OpenFile = std::shared_ptr<const file::Descriptor>;

class FileOnDemand {
 public:
  // Opens it the first time. Throws: missing; unsafe when it is a device, FIFO, socket or folder (checked before it is
  // opened, because opening a device can act on it, and again after); io.
  FileOnDemand(std::filesystem::path file, const Place &origin);
  ~FileOnDemand();
  FileOnDemand(const FileOnDemand &) = delete;
  FileOnDemand &operator=(const FileOnDemand &) = delete;

  // Opens it again where it was closed meanwhile. Thread-safe. Throws io; malformed when another file has its name now.
  [[nodiscard]] OpenFile open() const;
  [[nodiscard]] const std::filesystem::path &path() const { return path_; }
  // As it was when this was made.
  [[nodiscard]] const file::Status &status() const { return status_; }

 private:
  friend class OpenFileList;
  [[nodiscard]] OpenFile open_now(const Place &origin) const;
  void close() const;  // those who hold the descriptor keep it

  std::filesystem::path path_;
  file::Status status_;
  mutable std::mutex guard_;
  mutable OpenFile open_;
  mutable bool used_ = false;  // since the list last looked; guarded by guard_
};

// How many image files this process keeps open at most: half of what it may, so that the other half is there for
// targets, pipes and connections.
[[nodiscard]] std::size_t most_open_images();

}  // namespace ferry::image
