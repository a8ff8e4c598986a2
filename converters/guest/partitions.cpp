// SPDX-License-Identifier: Apache-2.0
#include "converters/guest/partitions.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "support/byte_reader.hpp"
#include "support/identity.hpp"
#include "support/text.hpp"

namespace ferry::guest {
namespace {

constexpr std::uint64_t kSector = 512;
constexpr std::uint32_t kMostEntries = 1024;  // of GPT: 128 is usual
constexpr std::size_t kMostLogical = 128;

bool has(const Bytes &bytes, std::size_t at, std::string_view text) {
  return at + text.size() <= bytes.size() && std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
}

std::string guid(const ByteReader &reader, std::size_t offset) {
  return Uuid{reader.guid(offset, "GUID")}.swapped().text();
}

// A disk of a host with sectors of 4096 bytes has its header there.
std::optional<std::uint64_t> gpt_sector(const Source &disk) {
  for (const std::uint64_t size : {std::uint64_t{512}, std::uint64_t{4096}}) {
    if (has(read_up_to(disk, size, 8), 0, "EFI PART")) return size;
  }
  return std::nullopt;
}

std::vector<Partition> read_gpt(const Source &disk, std::uint64_t sector) {
  const Bytes bytes = read_exactly(disk, sector, 92);
  const ByteReader header(bytes, {}, sector);
  const auto table = header.little<std::uint64_t>(72, "partition entries");
  const auto count = header.little<std::uint32_t>(80, "number of entries");
  const auto size = header.little<std::uint32_t>(84, "size of an entry");
  if (count > kMostEntries || size < 128 || size > 4096 || table > disk.size() / sector)
    malformed("the GPT's header cannot be right", std::to_string(count) + " entries of " + std::to_string(size) +
                                                      " bytes at sector " + std::to_string(table));
  const Bytes entries = read_exactly(disk, table * sector, std::size_t{count} * size);
  std::vector<Partition> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    const ByteReader entry(std::span<const std::uint8_t>(entries).subspan(std::size_t{i} * size, size), {});
    Partition one;
    one.type = guid(entry, 0);
    if (one.type == "00000000-0000-0000-0000-000000000000") continue;
    const auto first = entry.little<std::uint64_t>(32, "first sector");
    const auto last = entry.little<std::uint64_t>(40, "last sector");
    if (last < first || last >= disk.size() / sector) continue;  // reaches beyond the disk
    one.number = i + 1;
    one.id = guid(entry, 16);
    one.start = first * sector;
    one.length = (last - first + 1) * sector;
    out.push_back(std::move(one));
  }
  return out;
}

struct MbrEntry {
  std::uint8_t type = 0;
  std::uint64_t start = 0, length = 0;  // sectors
};

std::array<MbrEntry, 4> mbr_entries(const Bytes &sector) {
  const ByteReader reader(sector, {});
  std::array<MbrEntry, 4> out;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t at = 446 + 16 * i;
    out[i] = {reader.little<std::uint8_t>(at + 4, "type"), reader.little<std::uint32_t>(at + 8, "first sector"),
              reader.little<std::uint32_t>(at + 12, "number of sectors")};
  }
  return out;
}

bool is_extended(std::uint8_t type) { return type == 0x05 || type == 0x0f || type == 0x85; }

void add(std::vector<Partition> &to, const Source &disk, std::size_t number, const MbrEntry &entry,
         std::uint64_t base) {
  const std::uint64_t start = (base + entry.start) * kSector;
  if (entry.type == 0 || entry.length == 0 || start >= disk.size()) return;
  to.push_back({number, start, std::min(entry.length * kSector, disk.size() - start), text::hex(entry.type, 2), ""});
}

// A chain of tables, each with a partition and the place of the next; one that goes in circles ends at the limit.
void add_logical(std::vector<Partition> &to, const Source &disk, std::uint64_t extended) {
  std::uint64_t table = extended;
  for (std::size_t i = 0; i < kMostLogical; ++i) {
    const Bytes sector = read_up_to(disk, table * kSector, kSector);
    if (!has(sector, 510, "\x55\xaa")) return;
    const auto entries = mbr_entries(sector);
    add(to, disk, 5 + i, entries[0], table);
    if (!is_extended(entries[1].type) || entries[1].start == 0) return;
    table = extended + entries[1].start;
  }
}

bool has_valid_entries(const Bytes &sector) {
  bool any = false;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint8_t status = sector[446 + 16 * i];
    if (status != 0 && status != 0x80) return false;
    any = any || sector[446 + 16 * i + 4] != 0;
  }
  return any;
}

// A volume's boot sector, with no table in it.
bool is_boot_sector(const Bytes &sector) {
  return has(sector, 3, "NTFS    ") || has(sector, 3, "EXFAT   ") || has(sector, 3, "-FVE-FS-") ||
         has(sector, 54, "FAT1") || has(sector, 82, "FAT32");
}

bool is_fat(const Bytes &head) {
  if (!has(head, 510, "\x55\xaa") || head.size() < 512) return false;
  const std::size_t per_sector = head[11] | (std::size_t{head[12]} << 8U);
  const bool is_size = per_sector == 512 || per_sector == 1024 || per_sector == 2048 || per_sector == 4096;
  const std::uint8_t cluster = head[13];
  return is_size && cluster != 0 && (cluster & (cluster - 1)) == 0 && (head[16] == 1 || head[16] == 2) &&
         (has(head, 54, "FAT") || has(head, 82, "FAT32"));
}

std::string ext_name(const Bytes &head) {
  const ByteReader super(std::span<const std::uint8_t>(head).subspan(1024), {}, 1024);
  const auto compatible = super.little<std::uint32_t>(92, "features");
  const auto incompatible = super.little<std::uint32_t>(96, "features");
  constexpr std::uint32_t kJournal = 0x4, kOnlyExt4 = 0x40 | 0x80 | 0x200;  // extents, 64 bits, flexible groups
  if ((incompatible & kOnlyExt4) != 0) return "ext4";
  return (compatible & kJournal) != 0 ? "ext3" : "ext2";
}

}  // namespace

PartitionTable read_partitions(const Source &disk) {
  PartitionTable out;
  const Bytes first = read_up_to(disk, 0, kSector);
  out.boot_code = first.size() == kSector && has(first, 510, "\x55\xaa") &&
                  std::any_of(first.begin(), first.begin() + 440, [](std::uint8_t byte) { return byte != 0; });
  if (const auto sector = gpt_sector(disk)) {
    out.kind = "gpt";
    out.partitions = read_gpt(disk, *sector);
    return out;
  }
  if (!has(first, 510, "\x55\xaa") || !has_valid_entries(first) || is_boot_sector(first)) {
    out.partitions.push_back({0, 0, disk.size(), "", ""});
    return out;
  }
  out.kind = "mbr";
  const auto entries = mbr_entries(first);
  for (std::size_t i = 0; i < 4; ++i) {
    if (is_extended(entries[i].type)) {
      add_logical(out.partitions, disk, entries[i].start);
    } else {
      add(out.partitions, disk, i + 1, entries[i], 0);
    }
  }
  return out;
}

std::string content_of(const Source &volume) {
  struct Signature {
    std::size_t at;
    std::string_view bytes;
    const char *name;
  };
  using namespace std::string_view_literals;
  constexpr std::array kSignatures{Signature{3, "NTFS    ", "ntfs"},
                                   Signature{3, "EXFAT   ", "exfat"},
                                   Signature{3, "-FVE-FS-", "bitlocker"},
                                   Signature{3, "ReFS\0\0\0\0"sv, "refs"},
                                   Signature{0, "LUKS\xba\xbe"sv, "luks"},
                                   Signature{0, "XFSB", "xfs"},
                                   Signature{32, "NXSB", "apfs"},
                                   Signature{1024, "H+\0"sv, "hfs+"},
                                   Signature{1024, "HX\0"sv, "hfs+"},
                                   Signature{4086, "SWAPSPACE2", "swap"},
                                   Signature{4096, "\xfc\x4e\x2b\xa9", "raid"}};
  const Bytes head = read_up_to(volume, 0, 8192);
  for (const Signature &one : kSignatures) {
    if (has(head, one.at, one.bytes)) return one.name;
  }
  for (std::size_t sector = 0; sector < 4; ++sector) {
    if (has(head, sector * kSector, "LABELONE") && has(head, sector * kSector + 24, "LVM2 001")) return "lvm";
  }
  if (has(head, 1024 + 56, "\x53\xef") && head.size() >= 2048) return ext_name(head);
  if (is_fat(head)) return has(head, 82, "FAT32") ? "fat32" : has(head, 54, "FAT12") ? "fat12" : "fat16";
  if (has(read_up_to(volume, 65536 + 64, 8), 0, "_BHRfS_M")) return "btrfs";
  if (has(read_up_to(volume, 65536 + 1372, 4), 0, "\x19\x01\x54\x19")) return "ufs";
  if (has(read_up_to(volume, 32769, 5), 0, "CD001")) return "iso9660";
  return {};
}

}  // namespace ferry::guest
