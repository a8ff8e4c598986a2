// SPDX-License-Identifier: Apache-2.0
// NTFS volumes, made by mkntfs and filled by ntfs-3g's library.
#pragma once

#include <filesystem>
#include <string>

#include "tests/kit/files.hpp"

namespace ferry::test {

class NtfsVolume {
 public:
  // Makes it. `options` go to mkntfs.
  NtfsVolume(const std::filesystem::path &file, std::uint64_t size, const std::vector<std::string> &options = {});
  ~NtfsVolume();
  NtfsVolume(const NtfsVolume &) = delete;
  NtfsVolume &operator=(const NtfsVolume &) = delete;

  enum class How { plain, compressed };
  // With the folders above it.
  void write(const std::string &path, const Bytes &content, How how = How::plain);
  void set_dirty();

 private:
  struct Volume;
  Volume *volume_;
};

}  // namespace ferry::test
