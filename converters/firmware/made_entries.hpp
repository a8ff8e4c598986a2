// SPDX-License-Identifier: Apache-2.0
// Boot entries for a machine that comes without variables, from the programs that were seen on its EFI system
// partitions: what the guest's own installer would have made.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "converters/firmware/carry.hpp"

namespace ferry::firmware {

// A program on a partition of a GPT disk.
struct SeenLoader {
  std::uint32_t partition = 0;          // its number, from 1
  std::uint64_t start = 0, length = 0;  // of the partition, sectors
  std::string partition_id;             // its GUID
  std::string file;                     // "\EFI\debian\shimx64.efi"
};

// Entries for those that are boot loaders, one for each folder, Linux' before Windows'; `architecture` as
// target::FirmwareImage has it. What firmware finds by itself (\EFI\BOOT) needs none. The selection is empty where
// there is nothing to make.
[[nodiscard]] Selection entries_for(const std::vector<SeenLoader> &loaders, const std::string &architecture,
                                    const Place &where);

}  // namespace ferry::firmware
