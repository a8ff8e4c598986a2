// SPDX-License-Identifier: Apache-2.0
// COWD, the delta format of ESX on VMFS (vmfsSparse), and of old VMware products. Little endian: a header of
// 32-bit fields, a grain directory, tables of 4096 entries each. Facts: VMware's "Virtual Disk Format 1.1" and
// the layout that QEMU and libvmdk document. Known deviants: grains of a single sector are usual on ESX.
#include "converters/images/vmdk_parts.hpp"

namespace ferry::image {
namespace {

constexpr std::uint64_t kEntriesPerTable = 4096;
constexpr std::uint64_t kMostCowdGrain = 0x200000;  // sectors

}  // namespace

std::unique_ptr<VmdkPart> cowd_part(std::shared_ptr<const SourceFile> source) {
  const auto bytes = read_bytes(*source, 0, kSectorSize);
  const ByteReader header(bytes, {.file = source->path()});
  const auto version = header.little<std::uint32_t>(4, "version");
  const std::uint64_t grain = header.little<std::uint32_t>(16, "grain size");
  const std::uint64_t capacity = header.little<std::uint32_t>(12, "capacity");
  const std::uint64_t entries = header.little<std::uint32_t>(24, "grain directory entries");
  GrainLayout layout;
  layout.capacity = capacity * kSectorSize;
  layout.grain = grain * kSectorSize;
  layout.entries_per_table = kEntriesPerTable;
  layout.directory_offset = header.little<std::uint32_t>(20, "grain directory offset") * kSectorSize;
  require(version == 1, header.at(4, "version"), "the format version is not known", version, "1");
  require(grain <= kMostCowdGrain && is_power_of_two(grain), header.at(16, "grain size"), "the grain size is wrong",
          grain, "a power of two up to " + std::to_string(kMostCowdGrain) + " sectors");
  const std::uint64_t needed = divide_up(divide_up(capacity, grain), kEntriesPerTable);
  require(entries >= needed, header.at(24, "grain directory entries"),
          "the grain directory is too small for the capacity", entries, "at least " + std::to_string(needed));
  return grain_part(std::move(source), layout);
}

}  // namespace ferry::image
