// SPDX-License-Identifier: Apache-2.0
// VHDX (Hyper-V). Little endian: an identifier, two headers of which the newer counts, two equal region tables, and the
// regions: metadata (sizes, parent) and BAT, a table of 64-bit entries. After every `chunk ratio` blocks' entries the
// BAT has one for the sector bitmap of that chunk, which says for partly present blocks of a differencing image
// what is here and what the parent's. Facts: Microsoft's [MS-VHDX]. A dirty log is replayed in memory.
// Known deviants: disk2vhd leaves the creator's text short; images without a trailing bitmap entry.
#include <algorithm>
#include <map>

#include "converters/images/findings.hpp"
#include "converters/images/vhdx_log.hpp"

#include "support/text.hpp"

namespace ferry::image {
namespace {

constexpr std::uint64_t kMebibyte = 1U << 20U;
constexpr std::uint64_t kHeaderSize = 4096, kRegionTableSize = 65536, kMetadataTableSize = 65536;  // bytes
constexpr std::uint64_t kSectorsPerBitmap = std::uint64_t{1} << 23U;
constexpr std::uint64_t kBatPart = 32768;                             // entries read in one go (256 KiB)
constexpr std::uint64_t kLongestLocator = std::uint64_t{256} << 10U;  // bytes
enum : std::uint64_t {
  not_present = 0,
  undefined = 1,
  zeroed = 2,
  unmapped = 3,
  unmapped_draft = 5,  // what drafts of the specification (0.95) had for it
  fully_present = 6,
  partly_present = 7
};

Uuid guid(const char *text) { return Uuid::parse(text).value_or(Uuid{}); }

class VhdxImage final : public FormatImage {
 public:
  explicit VhdxImage(std::shared_ptr<const SourceFile> source) {
    info_.format = ImageFormat::vhdx;
    source = read_headers(std::move(source));
    add_file(std::move(source));
    read_regions();
    read_metadata();
  }

  void check_tables() override {
    OverlapWatch watch(file().size(), block_size_);
    std::uint64_t stored = 0;
    walk(0, info_.virtual_size, [&](std::uint64_t entry, std::uint64_t block, std::uint64_t begin, std::uint64_t stop) {
      const std::uint64_t state = entry & 7U;
      if (state == fully_present || state == partly_present) {
        const std::uint64_t offset = locate(entry, block);
        if (!(watch.take(offset)))
          require(false, entry_place(block), "two guest blocks lie at the same place in the file", offset,
                  "a place of its own for every block");
        stored += stop - begin;
      }
      if (state == partly_present) static_cast<void>(bitmap_offset(block));
    });
    info_.allocated = stored;
  }

  void map(std::uint64_t begin, std::uint64_t end, std::vector<Extent> &out) const override {
    walk(begin, std::min(end, info_.virtual_size),
         [&](std::uint64_t entry, std::uint64_t block, std::uint64_t from, std::uint64_t stop) {
           Extent extent{.guest_offset = from, .length = stop - from};
           switch (entry & 7U) {
             case not_present: break;
             case undefined:
             case zeroed:
             case unmapped:
             case unmapped_draft: extent.kind = ExtentKind::zero; break;
             case fully_present:
               extent.kind = ExtentKind::plain;
               extent.file_offset = locate(entry, block) + from % block_size_;
               break;
             case partly_present: map_partly(entry, block, from, stop, out); return;
             default:
               require(false, entry_place(block), "a block's state is not known", entry & 7U, "0 to 3 or 5 to 7");
           }
           append(out, extent);
         });
  }

 private:
  // Takes the newer valid header; gives the source with its log applied.
  std::shared_ptr<const SourceFile> read_headers(std::shared_ptr<const SourceFile> source) {
    require(source->size() >= kMebibyte, place_in(*source, 0, "header"), "the file is too small for a VHDX",
            source->size(), "at least 1048576 bytes");
    std::vector<std::uint8_t> newest;
    std::uint64_t newest_at = 0, newest_sequence = 0;
    for (const std::uint64_t at : {std::uint64_t{65536}, std::uint64_t{131072}}) {
      auto bytes = read_bytes(*source, at, kHeaderSize);
      const ByteReader header(bytes, {.file = source->path()}, at);
      if (header.text(0, 4, "signature") != "head" || header.little<std::uint32_t>(4, "checksum") != crc32c(bytes, 4))
        continue;
      const auto sequence = header.little<std::uint64_t>(8, "sequence number");
      if (!newest.empty() && sequence <= newest_sequence) continue;
      newest = std::move(bytes);
      newest_at = at;
      newest_sequence = sequence;
    }
    require(!newest.empty(), place_in(*source, 65536, "header"), "neither of the two headers is valid",
            "no valid checksum", "one with a valid checksum");
    const ByteReader header(newest, {.file = source->path()}, newest_at);
    require(header.little<std::uint16_t>(66, "version") == 1, header.at(66, "version"),
            "the format version is not known", header.little<std::uint16_t>(66, "version"), "1");
    // What a child notes of its parent: the GUID that changes with every change of the guest's data.
    linkage_.id = info_.uuid = Uuid::from_little_endian(header.guid(32, "data write GUID"));
    const Uuid log = Uuid::from_little_endian(header.guid(48, "log GUID"));
    if (log.is_nil()) return source;
    const std::uint64_t log_length = header.little<std::uint32_t>(68, "log length");
    const auto log_offset = header.little<std::uint64_t>(72, "log offset");
    require(header.little<std::uint16_t>(64, "log version") == 0, header.at(64, "log version"),
            "the log version is not known", header.little<std::uint16_t>(64, "log version"), "0");
    require(log_length > 0 && log_length % kMebibyte == 0 && log_offset >= kMebibyte && log_offset % kMebibyte == 0 &&
                inside(log_offset, log_length, source->size()),
            header.at(72, "log offset"), "the log does not lie in the file", log_offset,
            "whole mebibytes up to " + std::to_string(source->size()));
    info_.findings.push_back(raise(kLogReplayed, header.at(48, "log GUID"),
                                   "The image was not closed properly; its log is applied in memory."));
    return apply_vhdx_log(std::move(source), log_offset, log_length, log);
  }

  void read_regions() {
    for (const std::uint64_t at : {std::uint64_t{196608}, std::uint64_t{262144}}) {
      const auto bytes = read_bytes(file(), at, kRegionTableSize);
      const ByteReader table(bytes, {.file = file().path()}, at);
      if (table.text(0, 4, "signature") != "regi" || table.little<std::uint32_t>(4, "checksum") != crc32c(bytes, 4))
        continue;
      read_region_table(table);
      return;
    }
    require(false, place_in(file(), std::uint64_t{192} << 10U, "region table"),
            "neither of the two region tables is valid", "no valid checksum", "one with a valid checksum");
  }

  void read_region_table(const ByteReader &table) {
    static const Uuid kBat = guid("2dc27766-f623-4200-9d64-115e9bfd4a08");
    static const Uuid kMetadata = guid("8b7ca206-4790-4b9a-b8fe-575f050f886e");
    const auto count = table.little<std::uint32_t>(8, "entry count");
    require(count <= 2047, table.at(8, "entry count"), "the region table has too many entries", count, "at most 2047");
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = 16 + 32 * i;
      const Uuid id = Uuid::from_little_endian(table.guid(at, "region"));
      const auto offset = table.little<std::uint64_t>(at + 16, "region offset");
      const std::uint64_t length = table.little<std::uint32_t>(at + 24, "region length");
      require(offset >= kMebibyte && inside(offset, length, file().size()), table.at(at + 16, "region offset"),
              "a region does not lie in the file", offset, "an end of at most " + std::to_string(file().size()));
      if (id == kBat) {
        bat_offset_ = offset;
        bat_length_ = length;
      } else if (id == kMetadata) {
        metadata_offset_ = offset;
        metadata_length_ = length;
      } else {
        require((table.little<std::uint32_t>(at + 28, "region flags") & 1U) == 0, table.at(at, "region"),
                "a region that is required is not known", id.text(), "BAT and metadata");
      }
    }
    require(bat_offset_ != 0, table.at(16, "regions"), "there is no BAT region", "none", "a BAT region");
    require(metadata_offset_ != 0 && metadata_length_ >= kMetadataTableSize, table.at(16, "regions"),
            "there is no metadata region", metadata_length_, "one of at least 65536 bytes");
  }

  void read_metadata() {
    const auto bytes = read_bytes(file(), metadata_offset_, kMetadataTableSize);
    const ByteReader table(bytes, {.file = file().path()}, metadata_offset_);
    require(table.text(0, 8, "signature") == "metadata", table.at(0, "signature"), "this is not a metadata table",
            "other bytes", "'metadata'");
    const auto count = table.little<std::uint16_t>(10, "entry count");
    require(count <= 2047, table.at(10, "entry count"), "the metadata table has too many entries", count,
            "at most 2047");
    std::map<Uuid, std::vector<std::uint8_t>> items;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = 32 + 32 * i;
      const Uuid id = Uuid::from_little_endian(table.guid(at, "item"));
      const std::uint64_t offset = table.little<std::uint32_t>(at + 16, "item offset");
      const std::uint64_t length = table.little<std::uint32_t>(at + 20, "item length");
      const auto flags = table.little<std::uint32_t>(at + 24, "item flags");
      require(inside(offset, length, metadata_length_), table.at(at + 16, "item offset"),
              "a metadata item does not lie in its region", offset,
              "an end of at most " + std::to_string(metadata_length_));
      require((flags & 4U) == 0 || is_known_item(id), table.at(at, "item"),
              "a metadata item that is required is not known", id.text(), "the items of version 1");
      if (is_known_item(id) && length <= kLongestLocator && items.size() < 16) {
        items[id] = read_bytes(file(), metadata_offset_ + offset, static_cast<std::size_t>(length));
      }
    }
    read_sizes(items);
  }

  static bool is_known_item(const Uuid &id) {
    return id == file_parameters() || id == disk_size() || id == logical_sector() || id == physical_sector() ||
           id == disk_id() || id == parent_locator();
  }
  static Uuid file_parameters() { return guid("caa16737-fa36-4d43-b3b6-33f0aa44e76b"); }
  static Uuid disk_size() { return guid("2fa54224-cd1b-4876-b211-5dbed83bf4b8"); }
  static Uuid disk_id() { return guid("beca12ab-b2e6-4523-93ef-c309e000c746"); }
  static Uuid logical_sector() { return guid("8141bf1d-a96f-4709-ba47-f233a8faab5f"); }
  static Uuid physical_sector() { return guid("cda348c7-445d-4471-9cc9-e9885251c556"); }
  static Uuid parent_locator() { return guid("a8d35f2d-b30b-454d-abf7-d3d84834ab0c"); }

  void read_sizes(std::map<Uuid, std::vector<std::uint8_t>> &items) {
    const Place where{.file = file().path(), .line = {}, .path = "metadata"};
    const ByteReader parameters(items[file_parameters()], where);
    block_size_ = parameters.little<std::uint32_t>(0, "block size");
    const auto flags = parameters.little<std::uint32_t>(4, "file parameters' flags");
    info_.virtual_size = ByteReader(items[disk_size()], where).little<std::uint64_t>(0, "disk size");
    const std::uint64_t sector =
        ByteReader(items[logical_sector()], where).little<std::uint32_t>(0, "logical sector size");
    require(block_size_ >= kMebibyte && block_size_ <= 256 * kMebibyte && is_power_of_two(block_size_), where,
            "the block size is wrong", block_size_, "a power of two from 1 MiB to 256 MiB");
    require(sector == 512 || sector == 4096, where, "the logical sector size is wrong", sector, "512 or 4096");
    require(info_.virtual_size <= kLargestDisk && info_.virtual_size % sector == 0, where, "the disk size is wrong",
            info_.virtual_size, "a multiple of the sector size up to " + std::to_string(kLargestDisk));
    info_.block_size = block_size_;
    info_.has_parent = (flags & 2U) != 0;
    info_.variant = info_.has_parent ? "differencing" : (flags & 1U) != 0 ? "fixed" : "dynamic";
    sector_ = sector;
    ratio_ = kSectorsPerBitmap * sector / block_size_;
    const std::uint64_t blocks = divide_up(info_.virtual_size, block_size_);
    const std::uint64_t entries = blocks == 0        ? 0
                                  : info_.has_parent ? divide_up(blocks, ratio_) * (ratio_ + 1)
                                                     : blocks + (blocks - 1) / ratio_;
    require(8 * entries <= bat_length_, place_in(file(), bat_offset_, "BAT"), "the BAT is too small for the disk",
            bat_length_, "at least " + std::to_string(8 * entries) + " bytes");
    if (info_.has_parent) read_parent(ByteReader(items[parent_locator()], where));
  }

  void read_parent(const ByteReader &locator) {
    static const Uuid kVhdxType = guid("b04aefb7-d19e-4a81-b789-25b8e9445913");
    require(Uuid::from_little_endian(locator.guid(0, "parent locator's type")) == kVhdxType,
            locator.at(0, "parent locator's type"), "the parent locator's type is not known",
            Uuid::from_little_endian(locator.guid(0, "parent locator's type")).text(), kVhdxType.text());
    const auto count = locator.little<std::uint16_t>(18, "parent locator's entries");
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = 20 + 12 * i;
      const auto text_at = [&](std::size_t offset_at, std::size_t length_at) {
        return text::from_utf16_field(
            locator.bytes(locator.little<std::uint32_t>(offset_at, "parent locator's offset"),
                          locator.little<std::uint16_t>(length_at, "parent locator's length"), "parent locator's text"),
            std::endian::little);
      };
      const std::string key = text_at(at, at + 8);
      std::string value = text_at(at + 4, at + 10);
      if (key == "parent_linkage") linkage_.parent_id = info_.parent_uuid = Uuid::parse(value);
      if (key == "parent_linkage2") linkage_.parent_id_alternative = Uuid::parse(value);
      if (key != "relative_path" && key != "absolute_win32_path" && key != "volume_path") continue;
      if (info_.parent_hint.empty() || key == "relative_path") info_.parent_hint = value;
      std::ranges::replace(value, '\\', '/');
      linkage_.parent_names.insert(key == "relative_path" ? linkage_.parent_names.begin() : linkage_.parent_names.end(),
                                   value);
    }
    require(linkage_.parent_id.has_value(), locator.at(0, "parent locator"),
            "a differencing image does not say which image it continues", "no parent_linkage", "a parent_linkage");
  }

  // Calls `visit(entry, block, begin, stop)` for each block's part of [begin, end).
  template <class Visit>
  void walk(std::uint64_t begin, std::uint64_t end, Visit visit) const {
    while (begin < end) {
      const std::uint64_t first = begin / block_size_;
      const std::uint64_t count = std::min({kBatPart, ratio_ - first % ratio_, (end - 1) / block_size_ - first + 1});
      const std::uint64_t at = bat_offset_ + 8 * (first + first / ratio_);
      const auto bytes = read_bytes(file(), at, static_cast<std::size_t>(8 * count));
      const ByteReader reader(bytes, {.file = file().path()}, at);
      std::vector<std::uint64_t> entries;
      reader.little_table(entries);
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t stop = std::min(end, (first + i + 1) * block_size_);
        visit(entries[static_cast<std::size_t>(i)], first + i, begin, stop);
        begin = stop;
      }
    }
  }

  [[nodiscard]] Place entry_place(std::uint64_t block) const {
    return place_in(file(), bat_offset_ + 8 * (block + block / ratio_), "BAT entry of block " + std::to_string(block));
  }

  [[nodiscard]] std::uint64_t locate(std::uint64_t entry, std::uint64_t block) const {
    const std::uint64_t offset = entry & ~(kMebibyte - 1);
    const std::uint64_t visible = std::min(block_size_, info_.virtual_size - block * block_size_);
    if (!(offset >= kMebibyte && inside(offset, visible, file().size())))
      require(false, entry_place(block), "a block lies outside of the file", offset,
              "an end of at most " + std::to_string(file().size()));
    return offset;
  }

  // Where the sector bitmap of the block's chunk begins.
  [[nodiscard]] std::uint64_t bitmap_offset(std::uint64_t block) const {
    require(info_.has_parent, entry_place(block), "a block of an image without a parent is marked as partly present",
            partly_present, "another state");
    const std::uint64_t chunk = block / ratio_;
    const std::uint64_t at = bat_offset_ + 8 * (chunk * (ratio_ + 1) + ratio_);
    const auto bytes = read_bytes(file(), at, 8);
    const ByteReader reader(bytes, {.file = file().path()}, at);
    const auto entry = reader.little<std::uint64_t>(0, "sector bitmap entry");
    const std::uint64_t offset = entry & ~(kMebibyte - 1);
    require((entry & 7U) == fully_present && offset >= kMebibyte && inside(offset, kMebibyte, file().size()),
            reader.at(0, "sector bitmap entry"), "a partly present block has no sector bitmap in the file", offset,
            "an end of at most " + std::to_string(file().size()));
    return offset;
  }

  // Runs of set (here) and clear (parent) bits, the least significant bit of a byte first.
  void map_partly(std::uint64_t entry, std::uint64_t block, std::uint64_t begin, std::uint64_t end,
                  std::vector<Extent> &out) const {
    const std::uint64_t offset = locate(entry, block);
    const std::uint64_t block_begin = block * block_size_;
    const std::uint64_t bits = block_size_ / sector_;
    const std::uint64_t first_bit = block % ratio_ * bits;
    const auto bitmap =
        read_bytes(file(), bitmap_offset(block) + first_bit / 8, static_cast<std::size_t>(divide_up(bits, 8)));
    const auto here = [&](std::uint64_t guest) {
      const std::uint64_t bit = (guest - block_begin) / sector_;
      return (bitmap[static_cast<std::size_t>(bit / 8)] & (1U << (bit % 8))) != 0;
    };
    while (begin < end) {
      const bool stored = here(begin);
      std::uint64_t stop = begin;
      do {
        stop = std::min(end, (stop / sector_ + 1) * sector_);
      } while (stop < end && here(stop) == stored);
      Extent extent{.guest_offset = begin, .length = stop - begin};
      if (stored) {
        extent.kind = ExtentKind::plain;
        extent.file_offset = offset + (begin - block_begin);
      }
      append(out, extent);
      begin = stop;
    }
  }

  std::uint64_t bat_offset_ = 0, bat_length_ = 0, metadata_offset_ = 0, metadata_length_ = 0;  // bytes
  std::uint64_t block_size_ = 0, sector_ = 512, ratio_ = 1;
};

}  // namespace

std::shared_ptr<FormatImage> open_vhdx(std::shared_ptr<const SourceFile> source) {
  return std::make_shared<VhdxImage>(std::move(source));
}

}  // namespace ferry::image
