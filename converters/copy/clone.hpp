// SPDX-License-Identifier: Apache-2.0
// Sharing blocks between files (FICLONERANGE): Btrfs, XFS with reflink, and others that learn it.
#pragma once

#include <cstdint>
#include <filesystem>

namespace ferry::copy {

// Makes `length` bytes of `to` from `to_offset` the same blocks as `from`'s. False when the file system does
// not do that for these ranges; throws Error no_space or io when it tried and failed.
[[nodiscard]] bool clone_range(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset,
                               std::uint64_t length);

// Whether blocks of `from` can be shared with the empty file `to` at all: tries it with one block.
[[nodiscard]] bool can_clone(int from, int to, std::uint32_t block_size);

// Whether `folder` is on a file system that is known to have no shared blocks (ext4, tmpfs, FAT, ...). Others may
// have them; trying shows it. False also for what cannot be examined.
[[nodiscard]] bool never_shares_blocks(const std::filesystem::path &folder);

// Copies inside the kernel (copy_file_range: a server-side copy on NFS and SMB), or by read and write where the
// kernel refuses. Throws Error io, no_space; malformed when `from` ends early.
void copy_range(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset, std::uint64_t length);

}  // namespace ferry::copy
