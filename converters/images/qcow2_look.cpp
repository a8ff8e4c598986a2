// SPDX-License-Identifier: Apache-2.0
// qcow2: a two-level table of clusters, which lie in the file as they are or packed, each as a raw deflate stream or as
// one of zstd. Big endian. Facts: QEMU's docs/interop/qcow2.txt. The image appears as one file that has the guest's
// bytes at their own offsets, so that whoever reads it knows nothing of clusters.
#include "converters/images/qcow2_look.hpp"

#include <algorithm>
#include <mutex>
#include <zlib.h>
#include <zstd.h>

#include "converters/images/foreign.hpp"
#include "converters/images/format.hpp"

#include "support/text.hpp"

namespace ferry::image {
namespace {

constexpr unsigned kLeastClusterBits = 9, kMostClusterBits = 21;
constexpr std::uint64_t kDirtyBit = 1, kCorruptBit = 2, kDataFileBit = 4, kPackingBit = 8, kExtendedBit = 16;
constexpr std::uint64_t kOffsetMask = 0x00fffffffffffe00;  // of L1 and L2 entries
constexpr std::uint64_t kPacked = std::uint64_t{1} << 62U, kReadsZero = 1;
constexpr std::uint64_t kSector = 512;            // what the length of a packed cluster is counted in
constexpr std::uint64_t kMostTable = 32U << 20U;  // bytes of the L1 table, as QEMU's own limit

constexpr std::uint64_t kNone = ~std::uint64_t{0};

struct Qcow2Header {
  std::uint32_t version = 0;
  unsigned cluster_bits = 0;
  std::uint64_t size = 0;
  std::uint32_t l1_entries = 0;
  std::uint64_t l1_offset = 0;
  bool zstd = false;
};

Qcow2Header read_qcow2_header(const SourceFile &file) {
  constexpr std::size_t kWhole = 105;  // bytes, with the kind of packing
  const auto bytes = read_bytes(file, 0, static_cast<std::size_t>(std::min<std::uint64_t>(kWhole, file.size())));
  const ByteReader header(bytes, {.file = file.path()});
  Qcow2Header out;
  out.version = header.big<std::uint32_t>(4, "version");
  out.cluster_bits = header.big<std::uint32_t>(20, "cluster bits");
  out.size = header.big<std::uint64_t>(24, "size");
  out.l1_entries = header.big<std::uint32_t>(36, "L1 size");
  out.l1_offset = header.big<std::uint64_t>(40, "L1 table offset");
  require(out.version == 2 || out.version == 3, header.at(4, "version"), "the format version is not known", out.version,
          "2 or 3");
  require(out.cluster_bits >= kLeastClusterBits && out.cluster_bits <= kMostClusterBits, header.at(20, "cluster bits"),
          "the cluster size is wrong", out.cluster_bits, "9 to 21 bits");
  if (out.version < 3) return out;
  const auto features = header.big<std::uint64_t>(72, "incompatible features");
  if ((features & ~(kDirtyBit | kCorruptBit | kPackingBit)) != 0)
    throw Error(ErrorKind::unsupported, {.where = header.at(72, "incompatible features"),
                                         .message = "the image has features that are not looked through",
                                         .found = (features & kDataFileBit) != 0   ? "an external data file"
                                                  : (features & kExtendedBit) != 0 ? "extended L2 entries"
                                                                                   : "0x" + text::hex(features, 1)});
  if ((features & kPackingBit) != 0) out.zstd = header.big<std::uint8_t>(104, "compression type") == 1;
  return out;
}

// The guest's bytes.
class Content final : public SourceFile {
 public:
  Content(std::shared_ptr<const SourceFile> file, const Qcow2Header &header)
      : file_(std::move(file)), header_(header), cluster_(std::uint64_t{1} << header.cluster_bits) {
    const std::uint64_t per_table = cluster_ / 8, clusters = divide_up(header.size, cluster_);
    require(header.l1_entries >= divide_up(clusters, per_table), place_in(*file_, 36, "L1 size"),
            "the L1 table is too small for the disk", header.l1_entries,
            "at least " + std::to_string(divide_up(clusters, per_table)));
    require(header.l1_entries <= kMostTable / 8, place_in(*file_, 36, "L1 size"), "the L1 table is too long",
            header.l1_entries, "at most " + std::to_string(kMostTable / 8));
    table_of(header.l1_offset, header.l1_entries, l1_);
  }

  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    require(inside(offset, length, header_.size), place_in(*this, offset, "disk"),
            "the disk ends before the end of its data", header_.size, std::to_string(offset + length) + " bytes");
    auto *out = static_cast<std::uint8_t *>(into);
    const std::lock_guard lock(guard_);
    while (length > 0) {
      const std::uint64_t within = offset % cluster_;
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(length, cluster_ - within));
      read_part(entry_of(offset / cluster_), within, out, part);
      out += part;
      offset += part;
      length -= part;
    }
  }
  [[nodiscard]] Descriptor descriptor() const override { return {}; }
  [[nodiscard]] std::uint64_t size() const override { return header_.size; }
  [[nodiscard]] const std::filesystem::path &path() const override { return file_->path(); }

  // What the guest reads from `offset` on, as far as it is alike: zeros, as no file lies under the image, or data.
  struct Alike {
    bool zero = false;
    std::uint64_t end = 0;
  };
  [[nodiscard]] Alike alike(std::uint64_t offset) const {
    const std::lock_guard lock(guard_);
    const std::uint64_t number = offset / cluster_, per_table = cluster_ / 8;
    const bool no_table = (l1_.at(static_cast<std::size_t>(number / per_table)) & kOffsetMask) == 0;
    if (no_table) return {true, (number / per_table + 1) * per_table * cluster_};
    return {reads_zero(entry_of(number)), (number + 1) * cluster_};
  }

 private:
  void table_of(std::uint64_t offset, std::uint64_t entries, std::vector<std::uint64_t> &into) const {
    require(inside(offset, entries * 8, file_->size()), place_in(*file_, offset, "table"),
            "a table lies beyond the end of the file", offset, "an end of at most " + std::to_string(file_->size()));
    const auto bytes = read_bytes(*file_, offset, static_cast<std::size_t>(entries * 8));
    ByteReader(bytes, {.file = file_->path()}).big_table(into);
  }

  [[nodiscard]] std::uint64_t entry_of(std::uint64_t cluster) const {
    const std::uint64_t per_table = cluster_ / 8, number = cluster / per_table;
    const std::uint64_t at = l1_.at(static_cast<std::size_t>(number)) & kOffsetMask;
    if (at == 0) return 0;
    if (l2_number_ != number) {
      l2_number_ = kNone;
      table_of(at, per_table, l2_);
      l2_number_ = number;
    }
    return l2_[static_cast<std::size_t>(cluster % per_table)];
  }

  [[nodiscard]] bool reads_zero(std::uint64_t entry) const {
    if ((entry & kPacked) != 0) return false;
    return (header_.version >= 3 && (entry & kReadsZero) != 0) || (entry & kOffsetMask) == 0;
  }

  void read_part(std::uint64_t entry, std::uint64_t within, std::uint8_t *into, std::size_t length) const {
    if (reads_zero(entry)) {
      std::fill_n(into, length, std::uint8_t{0});
    } else if ((entry & kPacked) != 0) {
      unpack(entry);
      std::copy_n(plain_.begin() + static_cast<std::ptrdiff_t>(within), length, into);
    } else {
      file_->read((entry & kOffsetMask) + within, into, length);
    }
  }

  // The last one that was unpacked stays: it is read in pieces.
  void unpack(std::uint64_t entry) const {
    if (plain_of_ == entry) return;
    const unsigned bits = 62 - (header_.cluster_bits - 8);
    const std::uint64_t offset = entry & ((std::uint64_t{1} << bits) - 1);
    const std::uint64_t sectors = ((entry & ~kPacked & ~(std::uint64_t{1} << 63U)) >> bits) + 1;
    require(offset < file_->size(), place_in(*file_, offset, "packed cluster"),
            "a packed cluster lies beyond the end of the file", offset, "less than " + std::to_string(file_->size()));
    // It begins anywhere in its first sector, and the file may end before its last one does.
    const std::uint64_t stored = std::min(sectors * kSector - offset % kSector, file_->size() - offset);
    const auto packed = read_bytes(*file_, offset, static_cast<std::size_t>(stored));
    plain_of_ = 0;
    plain_.resize(static_cast<std::size_t>(cluster_));
    const bool whole = header_.zstd ? unzstd(packed) : inflated(packed);
    require(whole, place_in(*file_, offset, "packed cluster"), "a cluster cannot be unpacked", stored, "a whole one");
    plain_of_ = entry;
  }

  [[nodiscard]] bool inflated(const std::vector<std::uint8_t> &packed) const {
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return false;
    stream.next_in = const_cast<Bytef *>(packed.data());
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = plain_.data();
    stream.avail_out = static_cast<uInt>(plain_.size());
    const int result = inflate(&stream, Z_FINISH);
    const bool full = stream.avail_out == 0;
    inflateEnd(&stream);
    return full && (result == Z_STREAM_END || result == Z_OK || result == Z_BUF_ERROR);
  }

  // What is behind the frame, up to the sector's end, is no part of it.
  [[nodiscard]] bool unzstd(const std::vector<std::uint8_t> &packed) const {
    ZSTD_DStream *stream = ZSTD_createDStream();
    if (stream == nullptr) return false;
    ZSTD_inBuffer in{packed.data(), packed.size(), 0};
    ZSTD_outBuffer out{plain_.data(), plain_.size(), 0};
    std::size_t result = 1;
    while (out.pos < out.size && in.pos < in.size && result != 0) {
      result = ZSTD_decompressStream(stream, &out, &in);
      if (ZSTD_isError(result) != 0) break;
    }
    ZSTD_freeDStream(stream);
    return out.pos == out.size;
  }

  std::shared_ptr<const SourceFile> file_;
  Qcow2Header header_;
  std::uint64_t cluster_;
  std::vector<std::uint64_t> l1_;
  mutable std::mutex guard_;
  mutable std::vector<std::uint64_t> l2_;  // the last one
  mutable std::uint64_t l2_number_ = kNone;
  mutable std::vector<std::uint8_t> plain_;
  mutable std::uint64_t plain_of_ = 0;
};

class Qcow2ToLook final : public Image {
 public:
  Qcow2ToLook(ImageInfo info, std::shared_ptr<const Content> content)
      : info_(std::move(info)), content_(content), files_{std::move(content)} {}

  [[nodiscard]] const ImageInfo &info() const override { return info_; }
  [[nodiscard]] const std::vector<std::shared_ptr<const SourceFile>> &files() const override { return files_; }
  void map(std::uint64_t begin, std::uint64_t end, std::vector<Extent> &out) const override {
    end = std::min(end, info_.virtual_size);
    while (begin < end) {
      const Content::Alike next = content_->alike(begin);
      const std::uint64_t stop = std::min(end, next.end);
      append(out, {.guest_offset = begin,
                   .length = stop - begin,
                   .file_offset = next.zero ? 0 : begin,
                   .kind = next.zero ? ExtentKind::zero : ExtentKind::plain});
      begin = stop;
    }
  }

 private:
  ImageInfo info_;
  std::shared_ptr<const Content> content_;
  std::vector<std::shared_ptr<const SourceFile>> files_;
};

}  // namespace

std::shared_ptr<const Image> qcow2_to_look(std::shared_ptr<const SourceFile> file, ImageInfo info) {
  const Qcow2Header header = read_qcow2_header(*file);
  info.virtual_size = header.size;
  return std::make_shared<Qcow2ToLook>(std::move(info), std::make_shared<const Content>(std::move(file), header));
}

Chain open_qcow2_to_look(const ImageFile &file, const OpenOptions &options) {
  ImageInfo info = check_qcow2_header(file, options);
  if (info.format != ImageFormat::qcow2)
    throw Error(ErrorKind::unsupported, {.where = {.file = info.file}, .message = "its format is not looked through"});
  return Chain({qcow2_to_look(open_source(file, options.cache.get()), std::move(info))});
}

}  // namespace ferry::image
