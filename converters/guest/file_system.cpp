// SPDX-License-Identifier: Apache-2.0
#include "converters/guest/file_system.hpp"

namespace ferry::guest {

std::unique_ptr<FileSystem> open_file_system(const std::string &content, SourcePtr volume) {
  if (content == "ntfs") return open_ntfs(std::move(volume));
  if (content.starts_with("ext") && content != "exfat") return open_ext(std::move(volume));
  if (content == "xfs") return open_xfs(std::move(volume));
  if (content == "btrfs") return open_btrfs(std::move(volume));
  if (content.starts_with("fat")) return open_fat(std::move(volume));
  return nullptr;
}

std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) out.emplace_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return out;
}

}  // namespace ferry::guest
