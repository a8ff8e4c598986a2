// SPDX-License-Identifier: Apache-2.0
// VHD (Virtual PC, VirtualBox, Hyper-V generation 1). Big endian. A 512-byte footer ends the file; dynamic and
// differencing images have a copy of it at 0, a dynamic header, a table of 32-bit sector numbers (BAT) and
// blocks of (usually) 2 MiB, each led by a bitmap of its sectors. A clear bit: the sector is not in this image.
// Facts: Microsoft's "Virtual Hard Disk Image Format Specification" 1.0 and images that VirtualBox 6.1 wrote.
// The guest sees the footer's current size, in VirtualBox and Hyper-V alike; Virtual PC and QEMU take the
// cylinder geometry for images of some creators, which is never larger than a cylinder less.
// Known deviants: VirtualBox writes UUIDs with their first three fields little-endian and a parent locator's
// space in bytes where the specification says sectors; Virtual PC 2004 wrote footers of 511 bytes.
#include <algorithm>
#include <array>
#include <string>

#include "converters/images/findings.hpp"
#include "converters/images/format.hpp"

#include "support/text.hpp"

namespace ferry::image {
namespace {

constexpr std::uint64_t kFooterSize = 512;
constexpr std::uint64_t kDynamicHeaderSize = 1024;
constexpr std::uint32_t kTypeFixed = 2, kTypeDynamic = 3, kTypeDifferencing = 4;
constexpr std::uint32_t kBlockUnused = 0xffffffff;
constexpr std::uint64_t kVhdBatPart = 65536;          // entries read in one go (256 KiB)
constexpr std::uint64_t kLongestPathLocator = 65536;  // bytes; a Windows path has at most 32767 UTF-16 units

// The one's complement of the sum of all bytes, those of the checksum itself left out.
std::uint32_t checksum(std::span<const std::uint8_t> bytes, std::size_t checksum_at) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i < checksum_at || i >= checksum_at + 4) sum += bytes[i];
  }
  return ~sum;
}

class VhdImage final : public FormatImage {
 public:
  explicit VhdImage(std::shared_ptr<const SourceFile> source) {
    add_file(std::move(source));
    info_.format = ImageFormat::vhd;
    const auto bytes = find_footer();
    const ByteReader footer(bytes, {.file = file().path()}, footer_offset_);
    read_footer(footer);
    if (type_ == kTypeFixed) {
      info_.variant = "fixed";
      require(info_.virtual_size <= footer_offset_, footer.at(48, "current size"),
              "the disk is larger than the file's data", info_.virtual_size,
              "at most " + std::to_string(footer_offset_));
      info_.allocated = info_.virtual_size;
      return;
    }
    read_dynamic_header(footer);
  }

  void check_tables() override {
    if (type_ == kTypeFixed) return;
    OverlapWatch watch(file().size(), stride_);
    std::uint64_t stored = 0;
    std::vector<std::uint32_t> part;
    for (std::uint64_t first = 0; first < blocks_; first += kVhdBatPart) {
      const std::uint64_t count = std::min(kVhdBatPart, blocks_ - first);
      read_bat(first, count, part);
      for (std::uint64_t i = 0; i < count; ++i) {
        if (part[i] == kBlockUnused) continue;
        static_cast<void>(locate(part[i], first + i));
        if (!(watch.take(part[i] * kSectorSize)))
          require(false, entry_place(first + i), "two guest blocks lie at the same place in the file", part[i],
                  "a place of its own for every block");
        stored += std::min(block_size_, info_.virtual_size - (first + i) * block_size_);
      }
    }
    info_.allocated = stored;
  }

  void map(std::uint64_t begin, std::uint64_t end, std::vector<Extent> &out) const override {
    end = std::min(end, info_.virtual_size);
    if (begin >= end) return;
    if (type_ == kTypeFixed) {
      append(out, {.guest_offset = begin, .length = end - begin, .file_offset = begin, .kind = ExtentKind::plain});
      return;
    }
    std::vector<std::uint32_t> part;
    while (begin < end) {
      const std::uint64_t first = begin / block_size_;
      const std::uint64_t count = std::min(kVhdBatPart, (end - 1) / block_size_ - first + 1);
      read_bat(first, count, part);
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t stop = std::min(end, (first + i + 1) * block_size_);
        if (part[i] == kBlockUnused) {
          append(out, {.guest_offset = begin, .length = stop - begin, .kind = ExtentKind::parent});
        } else {
          map_block(first + i, locate(part[i], first + i), begin, stop, out);
        }
        begin = stop;
      }
    }
  }

 private:
  // The footer, from the file's end, or its copy at 0 when the end is damaged.
  std::vector<std::uint8_t> find_footer() {
    const std::uint64_t size = file().size();
    require(size >= kFooterSize - 1, place_in(file(), 0, "footer"), "the file is too small for a VHD", size,
            "at least 511 bytes");
    std::vector<std::uint8_t> found;
    for (const std::uint64_t length : {kFooterSize, kFooterSize - 1}) {
      if (size < length) continue;
      auto bytes = read_bytes(file(), size - length, static_cast<std::size_t>(length));
      bytes.resize(kFooterSize);
      if (!std::equal(bytes.begin(), bytes.begin() + 8, "conectix")) continue;
      footer_offset_ = size - length;
      found = std::move(bytes);
      break;
    }
    if (!found.empty() && checksum(found, 64) == ByteReader(found, {}).big<std::uint32_t>(64, "checksum")) return found;
    if (size >= kFooterSize) {
      auto copy = read_bytes(file(), 0, kFooterSize);
      if (std::equal(copy.begin(), copy.begin() + 8, "conectix") &&
          checksum(copy, 64) == ByteReader(copy, {}).big<std::uint32_t>(64, "checksum")) {
        footer_offset_ = 0;
        info_.findings.push_back(raise(kUnclean, place_in(file(), size - kFooterSize, "footer"),
                                       "The VHD's footer is damaged; its copy at the start is used."));
        return copy;
      }
    }
    require(!found.empty(), place_in(file(), size - kFooterSize, "footer"), "this VHD has no footer", "other bytes",
            "the cookie 'conectix'");
    const ByteReader reader(found, {.file = file().path()}, footer_offset_);
    require(false, reader.at(64, "checksum"), "the footer's checksum is wrong",
            reader.big<std::uint32_t>(64, "checksum"), std::to_string(checksum(found, 64)));
    return found;
  }

  void read_footer(const ByteReader &footer) {
    type_ = footer.big<std::uint32_t>(60, "disk type");
    info_.virtual_size = footer.big<std::uint64_t>(48, "current size");
    require(type_ >= kTypeFixed && type_ <= kTypeDifferencing, footer.at(60, "disk type"), "the disk type is not known",
            type_, "2 (fixed), 3 (dynamic) or 4 (differencing)");
    require((footer.big<std::uint32_t>(12, "version") >> 16U) == 1, footer.at(12, "version"),
            "the format version is not known", footer.big<std::uint32_t>(12, "version"), "1.x");
    require(info_.virtual_size % kSectorSize == 0 && info_.virtual_size <= kLargestDisk, footer.at(48, "current size"),
            "the disk size is wrong", info_.virtual_size, "a multiple of 512 up to " + std::to_string(kLargestDisk));
    linkage_.id = info_.uuid = Uuid::from_little_endian(footer.guid(68, "unique id"));
    // VirtualBox has children note their parent's stamp. Windows notes the time of the parent file's last change or
    // nothing [seen: 0], and which is which cannot be told after a copy: there the unique id alone is the link.
    made_by_virtualbox_ = footer.text(28, 4, "creator") == "vbox";
    linkage_.time_stamp = footer.big<std::uint32_t>(24, "time stamp");
    const std::uint64_t by_geometry = std::uint64_t{footer.big<std::uint16_t>(56, "cylinders")} *
                                      footer.little<std::uint8_t>(58, "heads") *
                                      footer.little<std::uint8_t>(59, "sectors") * kSectorSize;
    const std::string creator = footer.text(28, 4, "creator");
    if (by_geometry != info_.virtual_size && (creator == "vpc " || creator == "qemu" || creator == "vs  ")) {
      info_.findings.push_back(raise(kGeometrySize, footer.at(56, "geometry"),
                                     "The geometry gives " + std::to_string(by_geometry) + " bytes, the size field " +
                                         std::to_string(info_.virtual_size) + "."));
    }
  }

  void read_dynamic_header(const ByteReader &footer) {
    const auto at = footer.big<std::uint64_t>(16, "dynamic header offset");
    require(inside(at, kDynamicHeaderSize, file().size()), footer.at(16, "dynamic header offset"),
            "the dynamic header does not lie in the file", at, "at most " + std::to_string(file().size()));
    const auto bytes = read_bytes(file(), at, kDynamicHeaderSize);
    const ByteReader header(bytes, {.file = file().path()}, at);
    require(header.text(0, 8, "cookie") == "cxsparse", header.at(0, "cookie"), "this is not a dynamic header",
            "other bytes", "'cxsparse'");
    require(checksum(bytes, 36) == header.big<std::uint32_t>(36, "checksum"), header.at(36, "checksum"),
            "the dynamic header's checksum is wrong", header.big<std::uint32_t>(36, "checksum"),
            std::to_string(checksum(bytes, 36)));
    bat_offset_ = header.big<std::uint64_t>(16, "table offset");
    blocks_ = header.big<std::uint32_t>(28, "table entries");
    block_size_ = header.big<std::uint32_t>(32, "block size");
    require(block_size_ >= kSectorSize && block_size_ <= (1U << 30U) && is_power_of_two(block_size_),
            header.at(32, "block size"), "the block size is wrong", block_size_,
            "a power of two from 512 to 1073741824");
    require(info_.virtual_size <= blocks_ * block_size_, header.at(28, "table entries"),
            "the table is too small for the disk", blocks_,
            "at least " + std::to_string(divide_up(info_.virtual_size, block_size_)));
    // Entries beyond the disk's end are not looked at.
    blocks_ = divide_up(info_.virtual_size, block_size_);
    require(inside(bat_offset_, 4 * blocks_, file().size()), header.at(16, "table offset"),
            "the block table does not lie in the file", bat_offset_,
            "an end of at most " + std::to_string(file().size()) + " for " + std::to_string(blocks_) + " entries");
    bitmap_size_ = divide_up(block_size_ / kSectorSize, 8 * kSectorSize) * kSectorSize;
    stride_ = bitmap_size_ + block_size_;
    info_.block_size = block_size_;
    info_.variant = type_ == kTypeDynamic ? "dynamic" : "differencing";
    if (type_ == kTypeDifferencing) read_parent(header);
  }

  void read_parent(const ByteReader &header) {
    info_.has_parent = true;
    const Uuid parent = Uuid::from_little_endian(header.guid(40, "parent unique id"));
    require(!parent.is_nil(), header.at(40, "parent unique id"),
            "a differencing image does not say which image it continues", "nothing", "its parent's unique id");
    linkage_.parent_id = info_.parent_uuid = parent;
    if (made_by_virtualbox_) linkage_.parent_time_stamp = header.big<std::uint32_t>(56, "parent time stamp");
    for (std::size_t i = 0; i < 8; ++i) {
      const std::size_t at = 576 + 24 * i;
      const std::string code = header.text(at, 4, "parent locator code");
      const std::uint64_t length = header.big<std::uint32_t>(at + 8, "parent locator length");
      const auto offset = header.big<std::uint64_t>(at + 16, "parent locator offset");
      if (code.empty() || length == 0 || length > kLongestPathLocator || !inside(offset, length, file().size()))
        continue;
      add_locator(code, read_bytes(file(), offset, static_cast<std::size_t>(length)));
    }
    const auto name = text::from_utf16_field(header.bytes(64, 512, "parent name"), std::endian::big);
    if (!name.empty()) linkage_.parent_names.push_back(name);
    for (std::string &hint : linkage_.parent_names) std::ranges::replace(hint, '\\', '/');
    if (!linkage_.parent_names.empty()) info_.parent_hint = linkage_.parent_names.front();
  }

  // W2ru: relative Windows path; W2ku: absolute one; MacX: a file URL in UTF-8. VirtualBox writes W2* in
  // UTF-16LE as the specification demands.
  void add_locator(const std::string &code, const std::vector<std::uint8_t> &bytes) {
    std::string name;
    if (code == "W2ru" || code == "W2ku") name = text::from_utf16_field(bytes, std::endian::little);
    if (code == "MacX") name.assign(bytes.begin(), std::ranges::find(bytes, std::uint8_t{0}));
    if (name.starts_with("file://")) name.erase(0, 7);
    if (name.empty() || !text::is_valid_utf8(name)) return;
    // A relative name is the better hint: it survives a move of the folder.
    linkage_.parent_names.insert(code == "W2ru" ? linkage_.parent_names.begin() : linkage_.parent_names.end(), name);
  }

  void read_bat(std::uint64_t first, std::uint64_t count, std::vector<std::uint32_t> &into) const {
    const auto bytes = read_bytes(file(), bat_offset_ + 4 * first, static_cast<std::size_t>(4 * count));
    const ByteReader reader(bytes, {.file = file().path()}, bat_offset_ + 4 * first);
    reader.big_table(into);
  }

  [[nodiscard]] Place entry_place(std::uint64_t block) const {
    return place_in(file(), bat_offset_ + 4 * block, "block table entry " + std::to_string(block));
  }

  // Where the block's bitmap begins. What the guest sees of the block lies in the file.
  [[nodiscard]] std::uint64_t locate(std::uint32_t entry, std::uint64_t block) const {
    const std::uint64_t offset = entry * kSectorSize;
    const std::uint64_t visible = std::min(block_size_, info_.virtual_size - block * block_size_);
    if (!(inside(offset, bitmap_size_ + visible, file().size())))
      require(false, entry_place(block), "a block lies outside of the file", offset,
              "an end of at most " + std::to_string(file().size()));
    return offset;
  }

  // Runs of set and clear bits, the most significant bit of a byte first.
  void map_block(std::uint64_t block, std::uint64_t offset, std::uint64_t begin, std::uint64_t end,
                 std::vector<Extent> &out) const {
    const auto bitmap = read_bytes(file(), offset, static_cast<std::size_t>(bitmap_size_));
    const std::uint64_t block_begin = block * block_size_;
    const auto stored = [&](std::uint64_t guest) {
      const std::uint64_t sector = (guest - block_begin) / kSectorSize;
      return (bitmap[sector / 8] & (0x80U >> (sector % 8))) != 0;
    };
    while (begin < end) {
      const bool here = stored(begin);
      std::uint64_t stop = begin;
      do {
        stop = std::min(end, (stop / kSectorSize + 1) * kSectorSize);
      } while (stop < end && stored(stop) == here);
      Extent extent{.guest_offset = begin, .length = stop - begin};
      if (here) {
        extent.kind = ExtentKind::plain;
        extent.file_offset = offset + bitmap_size_ + (begin - block_begin);
      }
      append(out, extent);
      begin = stop;
    }
  }

  std::uint32_t type_ = 0;
  bool made_by_virtualbox_ = false;
  std::uint64_t footer_offset_ = 0, bat_offset_ = 0, blocks_ = 0;
  std::uint64_t block_size_ = 0, bitmap_size_ = 0, stride_ = 0;  // bytes
};

}  // namespace

std::shared_ptr<FormatImage> open_vhd(std::shared_ptr<const SourceFile> source) {
  return std::make_shared<VhdImage>(std::move(source));
}

}  // namespace ferry::image
