// SPDX-License-Identifier: Apache-2.0
// SESparse, the space-efficient delta format of ESX 6.5 and later (and of all its deltas on VMFS 6). Little
// endian, 64-bit fields: a constant header, a volatile header, a journal, a grain directory, grain tables, a
// free bitmap, a back map, grains of 4 KiB. VMware has not published it; the layout is as QEMU reads it.
// A directory entry is 0 or 1 in its top nibble with a table's index below; a table entry's top nibble is its state
// (0 not here, 1 unmapped, 2 zero, 3 stored) and the rest is a grain's index, its 12 low bits stored at the top.
#include <algorithm>

#include "converters/images/vmdk_parts.hpp"

namespace ferry::image {
namespace {

constexpr std::uint64_t kVersion21 = 0x0000000200000001;
constexpr std::uint64_t kVolatileMagic = 0xcafecafe;
constexpr std::uint64_t kMostSeSectors = std::uint64_t{1} << 54U;
constexpr std::uint64_t kMostSeDirectoryEntries = std::uint64_t{1} << 23U;  // 64 MiB of directory
constexpr std::uint64_t kSeTablePart = 65536;                               // entries read in one go (512 KiB)

class SesparsePart final : public VmdkPart {
 public:
  explicit SesparsePart(std::shared_ptr<const SourceFile> source) : source_(std::move(source)) {
    const auto bytes = read_bytes(*source_, 0, kSectorSize);
    read_header(ByteReader(bytes, {.file = source_->path()}));
    load_directory();
  }

  [[nodiscard]] std::uint64_t size() const override { return capacity_; }
  [[nodiscard]] std::uint64_t block_size() const override { return grain_; }

  std::uint64_t check(std::vector<Finding> & /*findings*/) override {
    OverlapWatch watch(source_->size(), grain_);
    std::uint64_t stored = 0;
    walk(0, capacity_, [&](std::uint64_t entry, std::uint64_t grain, std::uint64_t begin, std::uint64_t stop) {
      if (entry >> 60U != 3) {
        static_cast<void>(state(entry, grain));
        return;
      }
      if (!(watch.take(locate(entry, grain))))
        require(false, grain_place(grain), "two grains lie at the same place in the file", locate(entry, grain),
                "a place of its own for every grain");
      stored += stop - begin;
    });
    return stored;
  }

  void map(std::uint64_t begin, std::uint64_t end, std::uint64_t guest_base, std::uint16_t file,
           std::vector<Extent> &out) const override {
    walk(begin, end, [&](std::uint64_t entry, std::uint64_t grain, std::uint64_t from, std::uint64_t stop) {
      Extent extent{.guest_offset = guest_base + from, .length = stop - from, .kind = state(entry, grain)};
      if (extent.kind == ExtentKind::plain) {
        extent.file = file;
        extent.file_offset = locate(entry, grain) + from % grain_;
      }
      append(out, extent);
    });
  }

 private:
  void read_header(const ByteReader &header) {
    const auto field = [&](std::size_t at, const char *name) { return header.little<std::uint64_t>(at, name); };
    const auto sectors = [&](std::size_t at, const char *name) {
      require(field(at, name) <= kMostSeSectors, header.at(at, name), "an offset or size is too large", field(at, name),
              "at most " + std::to_string(kMostSeSectors) + " sectors");
      return field(at, name) * kSectorSize;
    };
    require(field(8, "version") == kVersion21, header.at(8, "version"), "the format version is not known",
            field(8, "version"), std::to_string(kVersion21));
    capacity_ = sectors(16, "capacity");
    grain_ = sectors(24, "grain size");
    const std::uint64_t table_size = sectors(32, "grain table size");
    require(grain_ == 8 * kSectorSize, header.at(24, "grain size"), "the grain size is wrong", grain_, "4096 bytes");
    require(table_size == 64 * kSectorSize, header.at(32, "grain table size"), "the grain table size is wrong",
            table_size, "32768 bytes");
    table_size_ = table_size;
    directory_offset_ = sectors(128, "grain directory offset");
    directory_entries_ = sectors(136, "grain directory size") / 8;
    tables_offset_ = sectors(144, "grain tables offset");
    tables_length_ = sectors(152, "grain tables size");
    grains_offset_ = sectors(192, "grains offset");
    const std::uint64_t needed = divide_up(capacity_, grain_ * entries_per_table());
    require(needed <= directory_entries_, header.at(136, "grain directory size"),
            "the grain directory is too small for the capacity", directory_entries_,
            "at least " + std::to_string(needed) + " entries");
    require(needed <= kMostSeDirectoryEntries, header.at(16, "capacity"), "the grain directory is too large", needed,
            "at most " + std::to_string(kMostSeDirectoryEntries) + " entries");
    directory_entries_ = needed;
    read_volatile_header(sectors(80, "volatile header offset"));
  }

  void read_volatile_header(std::uint64_t offset) const {
    const auto bytes = read_bytes(*source_, offset, kSectorSize);
    const ByteReader header(bytes, {.file = source_->path()}, offset);
    const auto magic = header.little<std::uint64_t>(0, "volatile header");
    require(magic == kVolatileMagic, header.at(0, "volatile header"), "this is not a volatile header", magic,
            std::to_string(kVolatileMagic));
    if (header.little<std::uint64_t>(24, "replay journal") != 0) {
      throw Error(ErrorKind::unsupported,
                  {.where = header.at(24, "replay journal"),
                   .message = "the image was not closed properly: its journal must be replayed first",
                   .found = "changes in the journal",
                   .expected = "an empty journal",
                   .advice = "Start and stop the machine once on ESX, or clone the disk there with vmkfstools -i."});
    }
  }

  [[nodiscard]] std::uint64_t entries_per_table() const { return table_size_ / 8; }

  void load_directory() {
    const Place place = place_in(*source_, directory_offset_, "grain directory");
    require(inside(directory_offset_, 8 * directory_entries_, source_->size()), place,
            "the grain directory does not lie in the file", directory_offset_,
            "an end of at most " + std::to_string(source_->size()));
    const auto bytes = read_bytes(*source_, directory_offset_, static_cast<std::size_t>(8 * directory_entries_));
    const ByteReader reader(bytes, {.file = source_->path()}, directory_offset_);
    OverlapWatch watch(source_->size(), table_size_);
    directory_.resize(static_cast<std::size_t>(directory_entries_));
    for (std::size_t i = 0; i < directory_.size(); ++i) {
      const auto entry = reader.little<std::uint64_t>(8 * i, "grain directory entry");
      if (entry == 0) continue;
      if (!(entry >> 32U == 0x10000000))
        require(false, reader.at(8 * i, "grain directory entry"), "a directory entry's state is not known",
                entry >> 60U, "0 or 1");
      const std::uint64_t table = tables_offset_ + (entry & 0xffffffffU) * table_size_;
      if (!(inside(table, table_size_, source_->size())))
        require(false, reader.at(8 * i, "grain directory entry"), "a grain table does not lie in the file", table,
                "an end of at most " + std::to_string(source_->size()));
      if (!(watch.take(table)))
        require(false, reader.at(8 * i, "grain directory entry"), "two grain tables lie at the same place in the file",
                table, "a place of its own for every table");
      directory_[i] = table;
    }
  }

  // Calls `visit(entry, grain, begin, stop)` for each grain's part of [begin, end).
  template <class Visit>
  void walk(std::uint64_t begin, std::uint64_t end, Visit visit) const {
    while (begin < end) {
      const std::uint64_t first = begin / grain_;
      const std::uint64_t in_table = first % entries_per_table();
      const std::uint64_t count =
          std::min({entries_per_table() - in_table, kSeTablePart, (end - 1) / grain_ - first + 1});
      const std::uint64_t table = directory_[static_cast<std::size_t>(first / entries_per_table())];
      if (table == 0) {
        const std::uint64_t stop = std::min(end, (first + count) * grain_);
        visit(0, first, begin, stop);
        begin = stop;
        continue;
      }
      const std::uint64_t at = table + 8 * in_table;
      const auto bytes = read_bytes(*source_, at, static_cast<std::size_t>(8 * count));
      const ByteReader reader(bytes, {.file = source_->path()}, at);
      std::vector<std::uint64_t> entries;
      reader.little_table(entries);
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t stop = std::min(end, (first + i + 1) * grain_);
        visit(entries[static_cast<std::size_t>(i)], first + i, begin, stop);
        begin = stop;
      }
    }
  }

  [[nodiscard]] Place grain_place(std::uint64_t grain) const {
    const std::uint64_t table = directory_[static_cast<std::size_t>(grain / entries_per_table())];
    return place_in(*source_, table + 8 * (grain % entries_per_table()),
                    "grain table entry of grain " + std::to_string(grain));
  }

  [[nodiscard]] ExtentKind state(std::uint64_t entry, std::uint64_t grain) const {
    switch (entry >> 60U) {
      case 0:
        if (!(entry == 0))
          require(false, grain_place(grain), "a grain table entry's state is not known", entry,
                  "0 for a grain that is not here");
        return ExtentKind::parent;
      case 1:  // unmapped by the guest: reads as zeros
      case 2: return ExtentKind::zero;
      case 3: return ExtentKind::plain;
      default: break;
    }
    require(false, grain_place(grain), "a grain table entry's state is not known", entry >> 60U, "0 to 3");
    return ExtentKind::zero;
  }

  [[nodiscard]] std::uint64_t locate(std::uint64_t entry, std::uint64_t grain) const {
    const std::uint64_t index = ((entry & 0x0fff000000000000U) >> 48U) | ((entry & 0x0000ffffffffffffU) << 12U);
    if (!(index <= kMostSeSectors / 8))
      require(false, grain_place(grain), "a grain lies outside of the file", index, "an index inside the file");
    const std::uint64_t offset = grains_offset_ + index * grain_;
    if (!(inside(offset, std::min(grain_, capacity_ - grain * grain_), source_->size())))
      require(false, grain_place(grain), "a grain lies outside of the file", offset,
              "an end of at most " + std::to_string(source_->size()));
    return offset;
  }

  std::shared_ptr<const SourceFile> source_;
  std::uint64_t capacity_ = 0, grain_ = 0, table_size_ = 0;  // bytes
  std::uint64_t directory_offset_ = 0, directory_entries_ = 0, tables_offset_ = 0, tables_length_ = 0,
                grains_offset_ = 0;
  std::vector<std::uint64_t> directory_;  // offsets of tables in bytes; 0: none
};

}  // namespace

std::unique_ptr<VmdkPart> sesparse_part(std::shared_ptr<const SourceFile> source) {
  return std::make_unique<SesparsePart>(std::move(source));
}

}  // namespace ferry::image
