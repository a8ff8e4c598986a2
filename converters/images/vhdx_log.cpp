// SPDX-License-Identifier: Apache-2.0
// The VHDX log: a ring of entries, each a header, descriptors and 4 KiB data sectors, all checksummed. The valid
// sequence with the highest number is the one to replay. Facts: Microsoft's [MS-VHDX] 2.3.
#include "converters/images/vhdx_log.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <utility>

#include "support/text.hpp"

namespace ferry::image {
namespace {

constexpr std::uint64_t kLogSector = 4096;                      // bytes
constexpr std::uint64_t kMostLog = std::uint64_t{64} << 20U;    // bytes; Windows makes 1 MiB
constexpr std::size_t kEntryHeader = 64, kDescriptorSize = 32;  // bytes
constexpr std::uint64_t kMostOffset = std::uint64_t{1} << 62U;

// One change: data to put at an offset, or zeros.
struct Patch {
  std::uint64_t offset = 0, length = 0;
  std::vector<std::uint8_t> data;  // empty: zeros
};

class PatchedFile final : public SourceFile {
 public:
  PatchedFile(std::shared_ptr<const SourceFile> below, std::vector<Patch> patches, std::uint64_t least_size)
      : below_(std::move(below)), patches_(std::move(patches)), size_(std::max(below_->size(), least_size)) {}

  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    require(inside(offset, length, size_), place_in(*this, offset, "data"), "the file ends before the end of its data",
            size_, std::to_string(length) + " bytes from offset " + std::to_string(offset));
    auto *to = static_cast<std::uint8_t *>(into);
    const std::uint64_t below_end = std::min(below_->size(), offset + length);
    const auto from_below = static_cast<std::size_t>(below_end > offset ? below_end - offset : 0);
    if (from_below != 0) below_->read(offset, to, from_below);
    if (from_below < length) std::memset(to + from_below, 0, length - from_below);
    for (const Patch &patch : patches_) {
      const std::uint64_t begin = std::max(offset, patch.offset);
      const std::uint64_t end = std::min(offset + length, patch.offset + patch.length);
      if (begin >= end) continue;
      const auto count = static_cast<std::size_t>(end - begin);
      if (patch.data.empty()) {
        std::memset(to + (begin - offset), 0, count);
      } else {
        std::memcpy(to + (begin - offset), patch.data.data() + (begin - patch.offset), count);
      }
    }
  }
  [[nodiscard]] Descriptor descriptor() const override { return {}; }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] const std::filesystem::path &path() const override { return below_->path(); }

 private:
  std::shared_ptr<const SourceFile> below_;
  std::vector<Patch> patches_;  // in the order in which they were logged
  std::uint64_t size_;
};

struct Entry {
  std::uint64_t length = 0, tail = 0, sequence = 0, descriptors = 0, last_offset = 0;
};

class Log {
 public:
  Log(const SourceFile &source, std::uint64_t offset, std::uint64_t length, const Uuid &guid)
      : source_(source),
        offset_(offset),
        guid_(guid),
        ring_(read_bytes(source, offset, static_cast<std::size_t>(length))) {
    collect();
  }

  // The changes of the newest complete sequence, oldest first.
  std::vector<Patch> replay(std::uint64_t &least_size) {
    const Entry *newest = nullptr;
    std::uint64_t newest_at = 0;
    for (const auto &[at, entry] : entries_) {
      if ((newest == nullptr || entry.sequence > newest->sequence) && reaches(entry.tail, at)) {
        newest = &entry;
        newest_at = at;
      }
    }
    require(newest != nullptr, place_in(source_, offset_, "log"),
            "the header announces a log, but no complete one was found", "none", "a valid sequence of log entries");
    std::vector<Patch> patches;
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): require() above throws
    for (std::uint64_t at = newest->tail;; at = next(at)) {
      add_patches(at, entries_.at(at), patches);
      least_size = std::max(least_size, entries_.at(at).last_offset);
      if (at == newest_at) return patches;
    }
  }

 private:
  // `count` bytes of the ring from `at`, around its end.
  [[nodiscard]] std::vector<std::uint8_t> bytes_at(std::uint64_t at, std::uint64_t count) const {
    std::vector<std::uint8_t> out;
    out.reserve(static_cast<std::size_t>(count));
    const auto first = std::min<std::uint64_t>(count, ring_.size() - at);
    out.insert(out.end(), ring_.begin() + static_cast<std::ptrdiff_t>(at),
               ring_.begin() + static_cast<std::ptrdiff_t>(at + first));
    out.insert(out.end(), ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(count - first));
    return out;
  }

  void collect() {
    // Entries that overlap could make checksumming endless; a sound log holds each byte once.
    std::uint64_t budget = 4 * std::uint64_t{ring_.size()};
    for (std::uint64_t at = 0; at < ring_.size(); at += kLogSector) {
      if (std::memcmp(ring_.data() + at, "loge", 4) != 0) continue;
      const ByteReader header({ring_.data() + at, kEntryHeader}, {.file = source_.path()}, offset_ + at);
      Entry entry;
      entry.length = header.little<std::uint32_t>(8, "entry length");
      entry.tail = header.little<std::uint32_t>(12, "tail");
      entry.sequence = header.little<std::uint64_t>(16, "sequence number");
      entry.descriptors = header.little<std::uint32_t>(24, "descriptor count");
      entry.last_offset = header.little<std::uint64_t>(56, "last file offset");
      const bool sound = entry.length >= kLogSector && entry.length % kLogSector == 0 && entry.length <= ring_.size() &&
                         entry.tail % kLogSector == 0 && entry.tail < ring_.size() &&
                         entry.last_offset <= kMostOffset &&
                         Uuid::from_little_endian(header.guid(32, "log GUID")) == guid_;
      if (!sound) continue;
      require(entry.length <= budget, header.at(8, "entry length"), "the log's entries overlap", entry.length,
              "entries that follow each other");
      budget -= entry.length;
      const auto whole = bytes_at(at, entry.length);
      if (crc32c(whole, 4) == header.little<std::uint32_t>(4, "checksum")) entries_[at] = entry;
    }
  }

  [[nodiscard]] std::uint64_t next(std::uint64_t at) const { return (at + entries_.at(at).length) % ring_.size(); }

  // Whether consecutive entries lead from `tail` to `head`.
  [[nodiscard]] bool reaches(std::uint64_t tail, std::uint64_t head) const {
    std::uint64_t at = tail;
    for (std::size_t steps = 0; steps <= entries_.size(); ++steps) {
      const auto here = entries_.find(at);
      if (here == entries_.end()) return false;
      if (at == head) return true;
      const auto following = entries_.find(next(at));
      if (following == entries_.end() || following->second.sequence != here->second.sequence + 1) return false;
      at = following->first;
    }
    return false;
  }

  void add_patches(std::uint64_t at, const Entry &entry, std::vector<Patch> &out) const {
    const auto bytes = bytes_at(at, entry.length);
    const ByteReader reader(bytes, {.file = source_.path()}, offset_ + at);
    require(entry.descriptors <= entry.length / kDescriptorSize, reader.at(24, "descriptor count"),
            "a log entry is too short", entry.descriptors, "as many descriptors as it has room for");
    std::uint64_t data_at = divide_up(kEntryHeader + entry.descriptors * kDescriptorSize, kLogSector) * kLogSector;
    for (std::uint64_t i = 0; i < entry.descriptors; ++i) {
      const auto at_descriptor = static_cast<std::size_t>(kEntryHeader + i * kDescriptorSize);
      const std::string kind = reader.text(at_descriptor, 4, "descriptor");
      Patch patch;
      patch.offset = reader.little<std::uint64_t>(at_descriptor + 16, "file offset");
      patch.length = kind == "zero" ? reader.little<std::uint64_t>(at_descriptor + 8, "zero length") : kLogSector;
      require(kind == "zero" || kind == "desc", reader.at(at_descriptor, "descriptor"), "a log descriptor is not known",
              "'" + text::printable(kind) + "'", "'desc' or 'zero'");
      require(patch.offset % kLogSector == 0 && patch.offset <= kMostOffset && patch.length <= kMostOffset,
              reader.at(at_descriptor + 16, "file offset"), "a logged change lies at a wrong offset", patch.offset,
              "a multiple of 4096 in the file");
      if (kind == "desc") {
        patch.data = data_sector(reader, at_descriptor, static_cast<std::size_t>(data_at));
        data_at += kLogSector;
      }
      out.push_back(std::move(patch));
    }
  }

  // The sector's first 8 and last 4 bytes stand in the descriptor; their places hold marks of the data sector.
  static std::vector<std::uint8_t> data_sector(const ByteReader &reader, std::size_t descriptor, std::size_t data_at) {
    const auto sector = reader.bytes(data_at, kLogSector, "logged data");
    require(std::memcmp(sector.data(), "data", 4) == 0, reader.at(data_at, "logged data"),
            "a logged sector has no signature", "other bytes", "'data'");
    std::vector<std::uint8_t> data(sector.begin(), sector.end());
    std::ranges::copy(reader.bytes(descriptor + 8, 8, "leading bytes"), data.begin());
    std::ranges::copy(reader.bytes(descriptor + 4, 4, "trailing bytes"), data.end() - 4);
    return data;
  }

  const SourceFile &source_;
  std::uint64_t offset_;
  Uuid guid_;
  std::vector<std::uint8_t> ring_;
  std::map<std::uint64_t, Entry> entries_;  // sound ones, by offset in the ring
};

// Eight bytes a step: table k holds what a byte does to the checksum with k bytes after it.
using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;
constexpr CrcTables make_crc_tables() {
  CrcTables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) != 0 ? 0x82f63b78U : 0U);
    tables[0][i] = value;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t i = 0; i < 256; ++i) {
      tables[k][i] = (tables[k - 1][i] >> 8U) ^ tables[0][tables[k - 1][i] & 0xffU];
    }
  }
  return tables;
}
constexpr CrcTables kCrcTables = make_crc_tables();
constexpr std::array<std::uint8_t, 4> kCrcHole{};  // what the checksum's own bytes count as

std::uint32_t crc_of(std::uint32_t crc, std::span<const std::uint8_t> bytes) {
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    const std::uint8_t *at = bytes.data() + i;
    const std::uint32_t low =
        crc ^ (at[0] | std::uint32_t{at[1]} << 8U | std::uint32_t{at[2]} << 16U | std::uint32_t{at[3]} << 24U);
    crc = kCrcTables[7][low & 0xffU] ^ kCrcTables[6][low >> 8U & 0xffU] ^ kCrcTables[5][low >> 16U & 0xffU] ^
          kCrcTables[4][low >> 24U] ^ kCrcTables[3][at[4]] ^ kCrcTables[2][at[5]] ^ kCrcTables[1][at[6]] ^
          kCrcTables[0][at[7]];
  }
  for (; i < bytes.size(); ++i) crc = (crc >> 8U) ^ kCrcTables[0][(crc ^ bytes[i]) & 0xffU];
  return crc;
}

}  // namespace

std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::size_t skip) {
  std::uint32_t crc = 0xffffffff;
  const std::size_t hole = std::min(skip, bytes.size()), after = std::min(skip + 4, bytes.size());
  crc = crc_of(crc, bytes.first(hole));
  crc = crc_of(crc, std::span(kCrcHole).first(after - hole));
  return ~crc_of(crc, bytes.subspan(after));
}

std::shared_ptr<const SourceFile> apply_vhdx_log(std::shared_ptr<const SourceFile> source, std::uint64_t log_offset,
                                                 std::uint64_t log_length, const Uuid &log_guid) {
  if (log_length > kMostLog) {
    throw Error(ErrorKind::unsupported,
                {.where = place_in(*source, log_offset, "log"),
                 .message = "the VHDX's log is too large to be replayed in memory",
                 .found = std::to_string(log_length) + " bytes",
                 .expected = "at most 64 MiB",
                 .advice = "Replay it first: qemu-img check -r all, or mount it once in Windows."});
  }
  std::uint64_t least_size = 0;
  auto patches = Log(*source, log_offset, log_length, log_guid).replay(least_size);
  return std::make_shared<PatchedFile>(std::move(source), std::move(patches), least_size);
}

}  // namespace ferry::image
