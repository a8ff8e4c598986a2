// SPDX-License-Identifier: Apache-2.0
// BitLocker: not what is in it, but what opens it. A volume whose key lies in it in the clear ("suspended") needs
// nothing.
//
// Facts: the layout of its metadata as libbde's documentation describes it ("BitLocker Drive Encryption (BDE) format"):
// three copies, whose offsets stand in the boot sector; a list of entries, of which those of a volume's master key
// say how it is protected.
#include <algorithm>

#include "converters/guest/systems.hpp"

#include "support/byte_reader.hpp"
#include "support/text.hpp"

namespace ferry::guest {
namespace {

constexpr std::size_t kBlockHeader = 64, kMetadataHeader = 48, kEntryHeader = 8;  // bytes
constexpr std::size_t kLongestMetadata = 65536;                                   // bytes of the metadata
constexpr std::uint16_t kMasterKey = 2, kMasterKeyValue = 8;

std::string protector_name(std::uint16_t kind) {
  switch (kind) {
    case 0x0000: return "clear-key";
    case 0x0100: return "tpm";
    case 0x0200: return "startup-key";
    case 0x0400: return "tpm";  // and a startup key
    case 0x0500: return "tpm";  // and a PIN
    case 0x0800: return "recovery";
    case 0x2000: return "password";
    default: return "other";
  }
}

}  // namespace

std::vector<std::string> bitlocker_protectors(const Source &volume) {
  const Bytes first = read_exactly(volume, 0, 512);
  const auto at = ByteReader(first, {}).little<std::uint64_t>(176, "BitLocker's metadata");
  const Bytes block = read_up_to(volume, at, kLongestMetadata);
  const ByteReader reader(block, {});
  if (block.size() < kBlockHeader + kMetadataHeader || reader.text(0, 8, "mark of BitLocker's metadata") != "-FVE-FS-")
    malformed("BitLocker's metadata is not where it should be");
  const std::size_t end = std::min<std::size_t>(
      kBlockHeader + reader.little<std::uint32_t>(kBlockHeader, "size of the metadata"), block.size());
  std::vector<std::string> out;
  for (std::size_t entry = kBlockHeader + kMetadataHeader; entry + kEntryHeader <= end;) {
    const auto size = reader.little<std::uint16_t>(entry, "size of an entry");
    if (size < kEntryHeader) break;
    if (reader.little<std::uint16_t>(entry + 2, "kind of an entry") == kMasterKey &&
        reader.little<std::uint16_t>(entry + 4, "kind of a value") == kMasterKeyValue) {
      std::string name = protector_name(reader.little<std::uint16_t>(entry + kEntryHeader + 26, "protection"));
      if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
    }
    entry += size;
  }
  return out;
}

}  // namespace ferry::guest
