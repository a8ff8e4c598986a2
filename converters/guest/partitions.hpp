// SPDX-License-Identifier: Apache-2.0
// Partition tables and what a volume holds, by its signature.
//
// Facts: UEFI specification 2.10, chapter 5 (GPT, protective MBR); the MBR's layout as util-linux's fdisk(8) describes
// it; signatures from the formats' own specifications, as blkid(8) knows them.
#pragma once

#include <string>
#include <vector>

#include "converters/guest/source.hpp"
#include "model/observed.hpp"

namespace ferry::guest {

struct Partition {
  std::size_t number = 0;               // as the guest counts, from 1; 0: the whole disk
  std::uint64_t start = 0, length = 0;  // bytes
  std::string type;                     // "07", or GPT's GUID
  std::string id;                       // GPT's unique GUID
};

struct PartitionTable {
  std::string kind;  // "gpt", "mbr"; empty: none
  bool boot_code = false;
  std::vector<Partition> partitions;
};

// A disk without a table has one partition, which is all of it. Throws malformed.
[[nodiscard]] PartitionTable read_partitions(const Source &disk);

// What a volume holds: "ntfs", "ext4", "lvm", "bitlocker" ...; empty: nothing that is known.
[[nodiscard]] std::string content_of(const Source &volume);

// EFI's system partition.
inline constexpr const char *kEspType = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";

}  // namespace ferry::guest
