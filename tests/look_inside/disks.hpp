// SPDX-License-Identifier: Apache-2.0
// Disks of guests: partition tables by sfdisk, ext by mkfs.ext4 (its folder's content), FAT by mkfs.fat and mtools.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "model/observed.hpp"
#include "tests/kit/files.hpp"
#include "tests/kit/folder.hpp"

namespace ferry::test {

inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

// A volume to be put into a partition.
struct Placed {
  std::filesystem::path file;
  std::string type;  // as sfdisk takes it: "7", "83", "uefi", "linux"
};

// A disk with a table of that kind ("gpt", "dos") and the volumes in it one behind the other. Holes stay holes.
void make_disk(const std::filesystem::path &disk, const std::string &table, const std::vector<Placed> &volumes);

// Files by their path; an empty content and a path that ends in a slash: a folder.
using Files = std::map<std::string, std::string>;

void make_ext(const std::filesystem::path &file, std::uint64_t size, const Files &files,
              const std::string &kind = "ext4", const std::vector<std::string> &options = {});
void make_fat(const std::filesystem::path &file, std::uint64_t size, const Files &files,
              const std::string &bits = "32");

// Into a folder.
void write_tree(const Files &files, const TempFolder &root);
// From 120 MiB on.
void make_btrfs(const std::filesystem::path &file, std::uint64_t size, const Files &files,
                const std::vector<std::string> &options = {});
// From 300 MiB on. Files as make_ext() takes them.
void make_xfs(const std::filesystem::path &file, std::uint64_t size, const Files &files,
              const std::vector<std::string> &options = {});

// A Debian's root, without initial RAM disks.
[[nodiscard]] Files debian();
// A newc archive of empty files, packed by that program: "gzip", "cat".
[[nodiscard]] std::string archive_of(const std::vector<std::string> &names, const std::string &packer);

// What a look finds in raw images.
[[nodiscard]] Observed look_at(const std::vector<std::filesystem::path> &disks);

}  // namespace ferry::test
