// SPDX-License-Identifier: Apache-2.0
// Grain directory and grain tables of 32-bit sector numbers, as hosted sparse VMDK and ESX's COWD have them. A
// directory entry names a grain table, a table entry a grain; 0: not in this file. Tables are read as needed;
// only the directory stays in memory (256 KiB for 2 TiB).
#include <algorithm>
#include <array>
#include <utility>
#include <zlib.h>

#include "converters/images/findings.hpp"
#include "converters/images/vmdk_parts.hpp"

namespace ferry::image {
namespace {

constexpr std::uint64_t kMarkerSize = 12;  // bytes before a compressed grain: its sector, its length
constexpr std::uint64_t kMostDirectoryEntries = std::uint64_t{1} << 24U;  // 64 MiB of directory
constexpr std::size_t kMostSamples = 16;  // grains that are inflated to see whether they can be
constexpr std::uint64_t kLargestSampled = std::uint64_t{1} << 20U;  // bytes of a grain; exporters write 64 KiB
constexpr std::uint64_t kTablePart = 65536;                         // table entries that are read in one go (256 KiB)

class GrainPart final : public VmdkPart {
 public:
  GrainPart(std::shared_ptr<const SourceFile> source, const GrainLayout &layout)
      : source_(std::move(source)), layout_(layout) {
    tables_ = divide_up(divide_up(layout_.capacity, layout_.grain), layout_.entries_per_table);
    const Place place = place_in(*source_, layout_.directory_offset, "grain directory");
    require(tables_ <= kMostDirectoryEntries, place, "the grain directory is too large", tables_,
            "at most " + std::to_string(kMostDirectoryEntries) + " entries");
    try {
      directory_ = load_directory(layout_.directory_offset);
    } catch (const Error &damage) {
      if (damage.kind() != ErrorKind::malformed || !switch_to_redundant()) throw;
    }
  }

  [[nodiscard]] std::uint64_t size() const override { return layout_.capacity; }
  [[nodiscard]] std::uint64_t block_size() const override { return layout_.grain; }

  std::uint64_t check(std::vector<Finding> &findings) override {
    std::uint64_t stored = 0;
    try {
      stored = scan();
    } catch (const Error &damage) {
      if (damage.kind() != ErrorKind::malformed || redundant_in_use_ || !switch_to_redundant()) throw;
      stored = scan();
    }
    if (redundant_in_use_) {
      findings.push_back(
          raise(kRedundantTables, place_in(*source_, layout_.redundant_offset, "redundant grain directory"),
                "The grain directory of '" + source_->path().string() + "' is damaged; its copy is used."));
    }
    if (layout_.unclean) {
      findings.push_back(raise(kUnclean, place_in(*source_, 72, "unclean shutdown"),
                               "'" + source_->path().string() + "' was not closed properly when it was last used."));
    }
    find_last_length();
    look_at_some();
    return stored;
  }

  void map(std::uint64_t begin, std::uint64_t end, std::uint64_t guest_base, std::uint16_t file,
           std::vector<Extent> &out) const override {
    std::vector<std::uint32_t> part;
    while (begin < end) {
      const std::uint64_t first = begin / layout_.grain;
      const std::uint64_t in_table = first % layout_.entries_per_table;
      const std::uint64_t count =
          std::min({layout_.entries_per_table - in_table, kTablePart, (end - 1) / layout_.grain - first + 1});
      const std::uint32_t table = directory_[static_cast<std::size_t>(first / layout_.entries_per_table)];
      if (table == 0) {
        const std::uint64_t stop = std::min(end, (first + count) * layout_.grain);
        append(out, {.guest_offset = guest_base + begin, .length = stop - begin, .kind = ExtentKind::parent});
        begin = stop;
        continue;
      }
      read_table(table, in_table, count, part);
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t stop = std::min(end, (first + i + 1) * layout_.grain);
        append(out, grain_extent(part[i], first + i, begin, stop, guest_base, file));
        begin = stop;
      }
    }
  }

 private:
  [[nodiscard]] std::vector<std::uint32_t> load_directory(std::uint64_t offset) const {
    const Place place = place_in(*source_, offset, "grain directory");
    require(offset >= kSectorSize && inside(offset, 4 * tables_, source_->size()), place,
            "the grain directory does not lie in the file", offset,
            "an end of at most " + std::to_string(source_->size()) + " for " + std::to_string(tables_) + " entries");
    const auto bytes = read_bytes(*source_, offset, static_cast<std::size_t>(4 * tables_));
    const ByteReader reader(bytes, {.file = source_->path()}, offset);
    std::vector<std::uint32_t> directory(static_cast<std::size_t>(tables_));
    // Tables over each other would let a small file make us read without end.
    OverlapWatch watch(source_->size(), 4 * layout_.entries_per_table);
    for (std::size_t i = 0; i < directory.size(); ++i) {
      directory[i] = reader.little<std::uint32_t>(4 * i, "grain directory entry");
      const std::uint64_t table = directory[i] * kSectorSize;
      if (!(inside(table, 4 * layout_.entries_per_table, source_->size())))
        require(false, reader.at(4 * i, "grain directory entry"), "a grain table does not lie in the file", table,
                "an end of at most " + std::to_string(source_->size()));
      if (!(directory[i] == 0 || watch.take(table)))
        require(false, reader.at(4 * i, "grain directory entry"), "two grain tables lie at the same place in the file",
                table, "a place of its own for every table");
    }
    return directory;
  }

  // False when there is no redundant directory. Throws when it is damaged too.
  bool switch_to_redundant() {
    if (layout_.redundant_offset == 0) return false;
    directory_ = load_directory(layout_.redundant_offset);
    redundant_in_use_ = true;
    return true;
  }

  void read_table(std::uint32_t table, std::uint64_t first, std::uint64_t count,
                  std::vector<std::uint32_t> &into) const {
    const std::uint64_t offset = table * kSectorSize + 4 * first;
    const auto bytes = read_bytes(*source_, offset, static_cast<std::size_t>(4 * count));
    const ByteReader reader(bytes, {.file = source_->path()}, offset);
    reader.little_table(into);
  }

  [[nodiscard]] Place grain_place(std::uint64_t grain) const {
    const std::uint32_t table = directory_[static_cast<std::size_t>(grain / layout_.entries_per_table)];
    return place_in(*source_, table * kSectorSize + 4 * (grain % layout_.entries_per_table),
                    "grain table entry of grain " + std::to_string(grain));
  }

  // Guest bytes of a grain inside the capacity.
  [[nodiscard]] std::uint64_t visible(std::uint64_t grain) const {
    return std::min(layout_.grain, layout_.capacity - grain * layout_.grain);
  }

  // The grain's offset in the file, checked against its end.
  [[nodiscard]] std::uint64_t locate(std::uint32_t entry, std::uint64_t grain) const {
    const std::uint64_t offset = entry * kSectorSize;
    const std::uint64_t least = layout_.compressed ? (layout_.markers ? kMarkerSize : 0) + 1 : visible(grain);
    if (!(inside(offset, least, source_->size())))
      require(false, grain_place(grain), "a grain lies outside of the file", offset,
              "an end of at most " + std::to_string(source_->size()));
    return offset;
  }

  std::uint64_t scan() {
    OverlapWatch watch(source_->size(), layout_.compressed ? kSectorSize : layout_.grain);
    const std::uint64_t grains = divide_up(layout_.capacity, layout_.grain);
    std::uint64_t stored = 0, number = 0;
    samples_.clear();
    stride_ = 1;
    std::vector<std::uint32_t> part;
    for (std::uint64_t first = 0; first < grains;) {
      const std::uint64_t in_table = first % layout_.entries_per_table;
      const std::uint64_t count = std::min({layout_.entries_per_table - in_table, kTablePart, grains - first});
      const std::uint32_t table = directory_[static_cast<std::size_t>(first / layout_.entries_per_table)];
      if (table != 0) {
        read_table(table, in_table, count, part);
        for (std::uint64_t i = 0; i < count; ++i) {
          if (part[i] == 0 || is_zero(part[i])) continue;
          const std::uint64_t offset = locate(part[i], first + i);
          if (!(watch.take(offset)))
            require(false, grain_place(first + i), "two grains lie at the same place in the file", offset,
                    "a place of its own for every grain");
          stored += visible(first + i);
          sample(number++, first + i, part[i]);
        }
      }
      first += count;
    }
    return stored;
  }

  [[nodiscard]] bool is_zero(std::uint32_t entry) const { return layout_.zero_grains && entry == 1; }

  [[nodiscard]] Extent grain_extent(std::uint32_t entry, std::uint64_t grain, std::uint64_t begin, std::uint64_t stop,
                                    std::uint64_t guest_base, std::uint16_t file) const {
    Extent extent{.guest_offset = guest_base + begin, .length = stop - begin, .file = 0};
    if (entry == 0) return extent;
    if (is_zero(entry)) {
      extent.kind = ExtentKind::zero;
      return extent;
    }
    const std::uint64_t offset = locate(entry, grain);
    extent.file = file;
    if (!layout_.compressed) {
      extent.kind = ExtentKind::plain;
      extent.file_offset = offset + begin % layout_.grain;
      return extent;
    }
    extent.kind = ExtentKind::deflated;
    extent.guest_offset = guest_base + grain * layout_.grain;
    extent.length = visible(grain) < layout_.grain && last_length_ != 0 ? last_length_ : layout_.grain;
    read_marker(offset, grain, extent);
    return extent;
  }

  // Fills where the zlib stream is and how long.
  void read_marker(std::uint64_t offset, std::uint64_t grain, Extent &extent) const {
    // Deflate never grows a grain by more than a few bytes per block; twice its size is ample.
    const std::uint64_t most = 2 * layout_.grain;
    extent.file_offset = offset;
    std::uint64_t length = std::min(most, source_->size() - offset);
    if (layout_.markers) {
      const auto bytes = read_bytes(*source_, offset, kMarkerSize);
      const ByteReader marker(bytes, {.file = source_->path()}, offset);
      const auto sector = marker.little<std::uint64_t>(0, "grain marker's sector");
      length = marker.little<std::uint32_t>(8, "grain marker's length");
      if (!(sector == grain * (layout_.grain / kSectorSize)))
        require(false, marker.at(0, "grain marker's sector"), "a grain's marker names another grain", sector,
                std::to_string(grain * (layout_.grain / kSectorSize)));
      if (!(length > 0 && length <= most && inside(offset + kMarkerSize, length, source_->size())))
        require(false, marker.at(8, "grain marker's length"), "a compressed grain's length is wrong", length,
                "1 to " + std::to_string(most) + " bytes inside the file");
      extent.file_offset += kMarkerSize;
    }
    extent.stored_length = static_cast<std::uint32_t>(length);
  }

  // A download that broke or was mixed up shows in most of its grains. Some are inflated before anything is planned;
  // what single bytes did to others, only reading all of it shows.
  void look_at_some() {
    std::vector<std::uint8_t> plain;
    for (const auto &[grain, entry] : samples_) look_at(grain, entry, plain);
    samples_ = {};
  }

  // Evenly spread over those that are stored: every `stride_`th. Not of what is compressed once more, where reaching
  // one costs much and damage shows by the outer layer's checksum.
  void sample(std::uint64_t number, std::uint64_t grain, std::uint32_t entry) {
    if (!layout_.compressed || !source_->identity() || layout_.grain > kLargestSampled || number % stride_ != 0) return;
    samples_.emplace_back(grain, entry);
    if (samples_.size() < kMostSamples) return;
    for (std::size_t i = 0; 2 * i < samples_.size(); ++i) samples_[i] = samples_[2 * i];
    samples_.resize(samples_.size() / 2);
    stride_ *= 2;
  }

  void look_at(std::uint64_t grain, std::uint32_t entry, std::vector<std::uint8_t> &plain) const {
    const Extent extent =
        grain_extent(entry, grain, grain * layout_.grain, grain * layout_.grain + visible(grain), 0, 0);
    const auto stored = read_bytes(*source_, extent.file_offset, extent.stored_length);
    plain.resize(static_cast<std::size_t>(extent.length));
    uLongf length = plain.size();
    auto used = static_cast<uLong>(stored.size());
    if (::uncompress2(plain.data(), &length, stored.data(), &used) == Z_OK && length == extent.length) return;
    throw Error(ErrorKind::malformed, {.where = place_in(*source_, extent.file_offset, "compressed grain"),
                                       .message = "a compressed grain cannot be inflated",
                                       .found = "damaged data",
                                       .expected = "a zlib stream of " + std::to_string(extent.length) + " bytes",
                                       .advice = std::string(kDamagedAdvice)});
  }

  // A last grain that the capacity cuts is stored whole by some writers and cut by others: inflate it to see.
  void find_last_length() {
    if (!layout_.compressed || layout_.capacity % layout_.grain == 0) return;
    const std::uint64_t grain = layout_.capacity / layout_.grain;
    const std::uint32_t table = directory_[static_cast<std::size_t>(grain / layout_.entries_per_table)];
    if (table == 0) return;
    std::vector<std::uint32_t> entry;
    read_table(table, grain % layout_.entries_per_table, 1, entry);
    if (entry[0] == 0 || is_zero(entry[0])) return;
    Extent extent;
    read_marker(locate(entry[0], grain), grain, extent);
    const auto stored = read_bytes(*source_, extent.file_offset, extent.stored_length);
    std::vector<std::uint8_t> plain(static_cast<std::size_t>(layout_.grain));
    uLongf length = plain.size();
    auto used = static_cast<uLong>(stored.size());
    const int result = ::uncompress2(plain.data(), &length, stored.data(), &used);
    require(result == Z_OK && length >= visible(grain), grain_place(grain), "the last grain cannot be inflated",
            result == Z_OK ? length : 0,
            "a zlib stream of " + std::to_string(visible(grain)) + " to " + std::to_string(layout_.grain) + " bytes");
    last_length_ = length;
  }

  std::shared_ptr<const SourceFile> source_;
  GrainLayout layout_;
  std::uint64_t tables_ = 0;
  std::vector<std::uint32_t> directory_;
  bool redundant_in_use_ = false;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> samples_;  // grains with their table entries
  std::uint64_t stride_ = 1;
  std::uint64_t last_length_ = 0;  // bytes that a cut last grain inflates to; 0: not known
};

}  // namespace

std::unique_ptr<VmdkPart> grain_part(std::shared_ptr<const SourceFile> source, const GrainLayout &layout) {
  return std::make_unique<GrainPart>(std::move(source), layout);
}

}  // namespace ferry::image
