// SPDX-License-Identifier: Apache-2.0
// VDI, VirtualBox's own format. Little endian: a text line, signature and version at 64, a header, a block map
// of 32-bit entries, then blocks of (usually) 1 MiB. A map entry is the number of the block in the file;
// 0xffffffff: not in this image; 0xfffffffe: zeros. The numbers below come from images that VirtualBox 6.1 and
// 7.0 wrote and from published descriptions of the header; version 0.x comes from descriptions only.
// Known deviants: qemu-img places the data at 0x8200, not at 2 MiB; tools that cut the last block at the disk's end.
#include <algorithm>

#include "converters/images/format.hpp"

namespace ferry::image {
namespace {

constexpr std::uint32_t kSignature = 0xbeda107f;
constexpr std::uint32_t kBlockFree = 0xffffffff;
constexpr std::uint32_t kBlockZero = 0xfffffffe;
constexpr std::uint32_t kVdiTypeDynamic = 1;
constexpr std::uint32_t kVdiTypeFixed = 2;
constexpr std::uint32_t kTypeUndo = 3;
constexpr std::uint32_t kVdiTypeDifferencing = 4;
// A map part that is read in one go, in entries (256 KiB).
constexpr std::uint64_t kMapPart = 65536;

// Where header version 0.x and 1.x keep the same things, as offsets from the file's start.
struct Layout {
  std::size_t type, disk_size, block_size, blocks, create, modify, link;
};
constexpr Layout kLayout0{72, 352, 360, 364, 372, 388, 404};
constexpr Layout kLayout1{76, 368, 376, 384, 392, 408, 424};
constexpr std::uint64_t kHeader0End = 420;

class VdiImage final : public FormatImage {
 public:
  explicit VdiImage(std::shared_ptr<const SourceFile> source) {
    add_file(std::move(source));
    info_.format = ImageFormat::vdi;
    const auto bytes = read_bytes(file(), 0, static_cast<std::size_t>(std::min<std::uint64_t>(512, file().size())));
    const ByteReader header(bytes, {.file = file().path()});
    require(header.little<std::uint32_t>(64, "signature") == kSignature, header.at(64, "signature"),
            "this is not a VDI image", header.little<std::uint32_t>(64, "signature"), std::to_string(kSignature));
    const auto version = header.little<std::uint32_t>(68, "version");
    const std::uint32_t major = version >> 16U;
    if (major > 1) {
      throw Error(ErrorKind::unsupported,
                  {.where = header.at(68, "version"),
                   .message = "the VDI version is not known",
                   .found = std::to_string(major) + "." + std::to_string(version & 0xffffU),
                   .expected = "0.x or 1.x",
                   .advice = "Update virt-ferry, or convert the disk with a program that knows this version."});
    }
    read_geometry(header, major);
    read_links(header, major);
  }

  void check_tables() override {
    OverlapWatch watch(file().size(), stride_);
    std::uint64_t stored = 0;
    std::vector<std::uint32_t> part;
    for (std::uint64_t first = 0; first < blocks_; first += kMapPart) {
      const std::uint64_t count = std::min(kMapPart, blocks_ - first);
      read_map(first, count, part);
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint32_t entry = part[i];
        if (entry == kBlockFree || entry == kBlockZero) continue;
        const std::uint64_t guest = (first + i) * block_size_;
        if (guest >= info_.virtual_size) continue;
        const std::uint64_t offset = locate(entry, first + i);
        if (!(watch.take(entry * stride_)))
          require(false, entry_place(first + i), "two guest blocks lie at the same place in the file", offset,
                  "a place of its own for every block");
        stored += std::min(block_size_, info_.virtual_size - guest);
      }
    }
    info_.allocated = stored;
  }

  void map(std::uint64_t begin, std::uint64_t end, std::vector<Extent> &out) const override {
    end = std::min(end, info_.virtual_size);
    std::vector<std::uint32_t> part;
    while (begin < end) {
      const std::uint64_t first = begin / block_size_;
      const std::uint64_t count = std::min(kMapPart, (end - 1) / block_size_ - first + 1);
      read_map(first, count, part);
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t stop = std::min(end, (first + i + 1) * block_size_);
        Extent extent{.guest_offset = begin, .length = stop - begin};
        if (part[i] == kBlockZero) {
          extent.kind = ExtentKind::zero;
        } else if (part[i] != kBlockFree) {
          extent.kind = ExtentKind::plain;
          extent.file_offset = locate(part[i], first + i) + begin % block_size_;
        }
        append(out, extent);
        begin = stop;
      }
    }
  }

 private:
  void read_geometry(const ByteReader &header, std::uint32_t major) {
    const Layout &at = major == 0 ? kLayout0 : kLayout1;
    const auto type = header.little<std::uint32_t>(at.type, "image type");
    info_.virtual_size = header.little<std::uint64_t>(at.disk_size, "disk size");
    block_size_ = header.little<std::uint32_t>(at.block_size, "block size");
    blocks_ = header.little<std::uint32_t>(at.blocks, "number of blocks");
    extra_ = major == 0 ? 0 : header.little<std::uint32_t>(380, "extra bytes per block");
    map_offset_ = major == 0 ? kHeader0End : header.little<std::uint32_t>(340, "block map offset");
    data_offset_ = major == 0 ? kHeader0End + 4 * blocks_ : header.little<std::uint32_t>(344, "data offset");
    stride_ = block_size_ + extra_;

    require(type >= kVdiTypeDynamic && type <= kVdiTypeDifferencing, header.at(at.type, "image type"),
            "the image type is not known", type, "1 (dynamic), 2 (fixed), 3 (undo) or 4 (differencing)");
    require(block_size_ >= kSectorSize && block_size_ <= (1U << 28U) && is_power_of_two(block_size_),
            header.at(at.block_size, "block size"), "the block size is wrong", block_size_,
            "a power of two from 512 to 268435456");
    require(extra_ % kSectorSize == 0 && extra_ <= (1U << 28U), header.at(380, "extra bytes per block"),
            "the extra bytes per block are wrong", extra_, "a multiple of 512 up to 268435456");
    require(info_.virtual_size <= blocks_ * block_size_, header.at(at.disk_size, "disk size"),
            "the disk is larger than its blocks", info_.virtual_size,
            "at most " + std::to_string(blocks_ * block_size_));
    require(inside(map_offset_, 4 * blocks_, file().size()), header.at(340, "block map offset"),
            "the block map does not lie in the file", map_offset_,
            "an end of at most " + std::to_string(file().size()) + " for " + std::to_string(blocks_) + " entries");
    require(map_offset_ >= (major == 0 ? kHeader0End : 456), header.at(340, "block map offset"),
            "the block map overlaps the header", map_offset_, "at least 456");
    require(data_offset_ >= map_offset_ + 4 * blocks_, header.at(344, "data offset"), "the data overlaps the block map",
            data_offset_, "at least " + std::to_string(map_offset_ + 4 * blocks_));
    info_.block_size = block_size_;
    info_.variant = type == kVdiTypeDynamic ? "dynamic"
                    : type == kVdiTypeFixed ? "fixed"
                    : type == kTypeUndo     ? "undo"
                                            : "differencing";
    differencing_ = type == kTypeUndo || type == kVdiTypeDifferencing;
  }

  void read_links(const ByteReader &header, std::uint32_t major) {
    const Layout &at = major == 0 ? kLayout0 : kLayout1;
    linkage_.id = info_.uuid = Uuid::from_little_endian(header.guid(at.create, "image UUID"));
    linkage_.modification = Uuid::from_little_endian(header.guid(at.modify, "modification UUID"));
    const Uuid parent = Uuid::from_little_endian(header.guid(at.link, "parent UUID"));
    require(differencing_ || parent.is_nil(), header.at(at.link, "parent UUID"),
            "a base image names a parent, so its content cannot be trusted", parent.text(),
            "no parent, or the type differencing");
    require(!differencing_ || !parent.is_nil(), header.at(at.link, "parent UUID"),
            "a differencing image does not say which image it continues", "nothing", "its parent's UUID");
    if (!differencing_) return;
    info_.has_parent = true;
    linkage_.parent_id = info_.parent_uuid = parent;
    if (major >= 1) {
      linkage_.parent_modification = Uuid::from_little_endian(header.guid(440, "parent modification UUID"));
    }
  }

  void read_map(std::uint64_t first, std::uint64_t count, std::vector<std::uint32_t> &into) const {
    const auto bytes = read_bytes(file(), map_offset_ + 4 * first, static_cast<std::size_t>(4 * count));
    const ByteReader reader(bytes, {.file = file().path()}, map_offset_ + 4 * first);
    reader.little_table(into);
  }

  [[nodiscard]] Place entry_place(std::uint64_t block) const {
    return place_in(file(), map_offset_ + 4 * block, "block map entry " + std::to_string(block));
  }

  // Where guest block `block`, stored as file block `entry`, begins; what the guest sees of it lies in the file.
  [[nodiscard]] std::uint64_t locate(std::uint32_t entry, std::uint64_t block) const {
    const std::uint64_t offset = data_offset_ + entry * stride_ + extra_;
    const std::uint64_t visible = std::min(block_size_, info_.virtual_size - block * block_size_);
    if (!(inside(offset, visible, file().size())))
      require(false, entry_place(block), "a block lies outside of the file", offset,
              "an end of at most " + std::to_string(file().size()));
    return offset;
  }

  std::uint64_t block_size_ = 0, extra_ = 0, stride_ = 0;  // bytes
  std::uint64_t blocks_ = 0, map_offset_ = 0, data_offset_ = 0;
  bool differencing_ = false;
};

}  // namespace

std::shared_ptr<FormatImage> open_vdi(std::shared_ptr<const SourceFile> source) {
  return std::make_shared<VdiImage>(std::move(source));
}

}  // namespace ferry::image
