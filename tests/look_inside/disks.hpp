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

// The front of a physical volume of LVM: its label, and an area whose text stands at `at` in it, going on behind the
// area's header where it does not fit. `id`: of what the volume's identity consists.
inline constexpr std::uint64_t kLvmFront = kMiB, kLvmArea = 4096, kLvmAreaSize = kLvmFront - kLvmArea;
[[nodiscard]] Bytes lvm_front(char id, const std::string &text, std::size_t at = 512);

// A Debian's root, without initial RAM disks.
[[nodiscard]] Files debian();
// A newc archive of empty files, packed by that program: "gzip", "cat".
[[nodiscard]] std::string archive_of(const std::vector<std::string> &names, const std::string &packer);

// What a look finds in raw images.
[[nodiscard]] Observed look_at(const std::vector<std::filesystem::path> &disks);

}  // namespace ferry::test
