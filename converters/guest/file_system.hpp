// SPDX-License-Identifier: Apache-2.0
// File systems of guests, as far as a look needs them: files by their path, folders, and how the whole was left.
// Nothing is written, journals are not replayed: what they hold may be newer than what is read, and `dirty` says so.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "converters/guest/source.hpp"

namespace ferry::guest {

struct Entry {
  std::string name;
  bool folder = false;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // By its path from the root, with slashes, "Windows/System32/config/SYSTEM"; case counts where it does in the guest.
  // Links are followed. nullptr: there is no such file. Throws malformed; encrypted and unsupported for what cannot be
  // read.
  [[nodiscard]] virtual SourcePtr open(std::string_view path) const = 0;
  // What is in a folder, without "." and ".."; nothing where there is no such folder. At most kMostEntries.
  [[nodiscard]] virtual std::vector<Entry> list(std::string_view path) const = 0;
  [[nodiscard]] virtual std::string label() const = 0;
  [[nodiscard]] virtual std::string id() const = 0;  // as ObservedVolume::id
  [[nodiscard]] virtual bool dirty() const = 0;
};

inline constexpr std::size_t kMostEntries = 20000;  // of a folder
inline constexpr std::size_t kMostRuns = 100000;    // of a file
inline constexpr int kMostLinks = 8;                // that lead to each other

// Each throws malformed when the volume is not what it says, unsupported for features that change its layout.
[[nodiscard]] std::unique_ptr<FileSystem> open_ntfs(SourcePtr volume);
[[nodiscard]] std::unique_ptr<FileSystem> open_ext(SourcePtr volume);
[[nodiscard]] std::unique_ptr<FileSystem> open_fat(SourcePtr volume);
[[nodiscard]] std::unique_ptr<FileSystem> open_xfs(SourcePtr volume);
[[nodiscard]] std::unique_ptr<FileSystem> open_btrfs(SourcePtr volume);

// `content` as content_of() names it; nullptr: none that can be read.
[[nodiscard]] std::unique_ptr<FileSystem> open_file_system(const std::string &content, SourcePtr volume);

// "a/b/c" -> the parts; empty ones are left out.
[[nodiscard]] std::vector<std::string> parts_of(std::string_view path);

}  // namespace ferry::guest
