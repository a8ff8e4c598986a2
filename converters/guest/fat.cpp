// SPDX-License-Identifier: Apache-2.0
// FAT12, FAT16 and FAT32 with long names.
//
// Facts: Microsoft's "FAT32 File System Specification" of 2000 (fatgen103), which the UEFI specification takes over.
#include <algorithm>
#include <map>

#include "converters/guest/file_system.hpp"

#include "support/byte_reader.hpp"
#include "support/text.hpp"

namespace ferry::guest {
namespace {

constexpr std::size_t kFatEntry = 32;                         // bytes of a folder's entry
constexpr std::size_t kMostClusters = std::size_t{1} << 18U;  // of a file
constexpr std::uint8_t kVolumeLabel = 0x08, kFatFolder = 0x10, kLongName = 0x0f;

struct FatFile {
  bool folder = false;
  std::uint32_t cluster = 0, size = 0;
  std::string short_name;
};

class Fat final : public FileSystem {
 public:
  explicit Fat(SourcePtr volume) : volume_(std::move(volume)) { read_boot_sector(); }

  [[nodiscard]] SourcePtr open(std::string_view path) const override {
    const auto file = find(path);
    return file && !file->folder ? chain(file->cluster, file->size) : nullptr;
  }

  [[nodiscard]] std::vector<Entry> list(std::string_view path) const override {
    std::vector<Entry> out;
    const auto folder = find(path);
    if (!folder || !folder->folder) return out;
    for_each_name(*folder, [&out](const std::string &name, const FatFile &file) {
      if (name != "." && name != "..") out.push_back({name, file.folder});
      return out.size() < kMostEntries;
    });
    return out;
  }

  [[nodiscard]] std::string label() const override { return label_; }
  [[nodiscard]] std::string id() const override { return text::hex(serial_, 8); }
  [[nodiscard]] bool dirty() const override { return dirty_; }

 private:
  void read_boot_sector() {
    const Bytes bytes = read_exactly(*volume_, 0, 512);
    const ByteReader boot(bytes, {});
    const std::uint64_t sector = boot.little<std::uint16_t>(11, "bytes per sector");
    const std::uint64_t per_cluster = boot.little<std::uint8_t>(13, "sectors per cluster");
    const std::uint64_t reserved = boot.little<std::uint16_t>(14, "reserved sectors");
    const std::uint64_t copies = boot.little<std::uint8_t>(16, "number of FATs");
    const std::uint64_t root_entries = boot.little<std::uint16_t>(17, "entries of the root");
    std::uint64_t sectors = boot.little<std::uint16_t>(19, "sectors");
    if (sectors == 0) sectors = boot.little<std::uint32_t>(32, "sectors");
    std::uint64_t fat = boot.little<std::uint16_t>(22, "sectors per FAT");
    const bool is32 = fat == 0;
    if (is32) fat = boot.little<std::uint32_t>(36, "sectors per FAT");
    const std::uint64_t root_sectors = sector == 0 ? 0 : (root_entries * kFatEntry + sector - 1) / sector;
    const std::uint64_t before = reserved + copies * fat + root_sectors;
    if (sector < 512 || sector > 4096 || (sector & (sector - 1)) != 0 || per_cluster == 0 || copies == 0 || fat == 0 ||
        reserved == 0 || before >= sectors)
      malformed("FAT's boot sector cannot be right",
                std::to_string(sector) + " bytes per sector, " + std::to_string(sectors) + " sectors");
    cluster_ = sector * per_cluster;
    fat_at_ = reserved * sector;
    fat_size_ = fat * sector;
    root_at_ = (reserved + copies * fat) * sector;
    root_size_ = root_sectors * sector;
    data_at_ = before * sector;
    clusters_ = (sectors - before) / per_cluster;
    width_ = clusters_ < 4085 ? 12 : clusters_ < 65525 && !is32 ? 16 : 32;
    if (is32) root_cluster_ = boot.little<std::uint32_t>(44, "cluster of the root");
    const std::size_t more = is32 ? 64 : 36;  // where the part that both have begins
    serial_ = boot.little<std::uint32_t>(more + 3, "serial number");
    label_ = std::string(text::trim(boot.text(more + 7, 11, "label")));
    if (label_ == "NO NAME") label_.clear();
    const std::uint32_t state = width_ == 12 ? 0 : next_of(1);
    dirty_ = width_ != 12 && (state & (width_ == 32 ? 0x08000000U : 0x8000U)) == 0;
  }

  [[nodiscard]] std::uint32_t next_of(std::uint32_t cluster) const {
    const std::uint64_t at = width_ == 12 ? cluster + cluster / 2 : std::uint64_t{cluster} * width_ / 8;
    const std::size_t bytes = width_ == 32 ? 4 : 2;
    if (at + bytes > fat_size_) malformed("a FAT has no entry for a cluster", std::to_string(cluster));
    const Bytes raw = read_exactly(*volume_, fat_at_ + at, bytes);
    const ByteReader reader(raw, {});
    if (width_ == 32) return reader.little<std::uint32_t>(0, "FAT entry") & 0x0fffffffU;
    const auto value = reader.little<std::uint16_t>(0, "FAT entry");
    if (width_ == 16) return value;
    return cluster % 2 == 0 ? value & 0xfffU : value >> 4U;
  }

  // From a cluster on. `size` in bytes; nullopt: of a folder, as far as it goes.
  [[nodiscard]] SourcePtr chain(std::uint32_t first, std::optional<std::uint64_t> size) const {
    std::vector<Run> runs;
    std::uint64_t have = 0;
    const std::uint32_t end = width_ == 12 ? 0xff8 : width_ == 16 ? 0xfff8 : 0x0ffffff8;
    std::size_t count = 0;
    for (std::uint32_t cluster = first; cluster >= 2 && cluster < end; cluster = next_of(cluster)) {
      if (size && have >= *size) break;
      if (cluster - 2 >= clusters_)
        malformed("a file lies outside of its volume", "cluster " + std::to_string(cluster));
      if (++count > std::min<std::uint64_t>(kMostClusters, clusters_))
        malformed("a file's clusters go in circles, or are too many");
      const std::uint64_t at = data_at_ + (cluster - 2) * cluster_;
      if (!runs.empty() && *runs.back().at + runs.back().length == at) {
        runs.back().length += cluster_;
      } else {
        runs.push_back({have, cluster_, at});
      }
      have += cluster_;
    }
    if (size && *size > have) malformed("a file is larger than its clusters", std::to_string(*size) + " bytes");
    const std::uint64_t length = size.value_or(have);
    return std::make_shared<RunFile>(volume_, std::move(runs), length, length);
  }

  [[nodiscard]] SourcePtr folder_content(const FatFile &folder) const {
    if (folder.cluster == 0 && width_ != 32) return std::make_shared<Part>(volume_, root_at_, root_size_);
    return chain(folder.cluster == 0 ? root_cluster_ : folder.cluster, std::nullopt);
  }

  static std::string short_name(const ByteReader &entry) {
    std::string base(text::trim(entry.text(0, 8, "name"))), suffix(text::trim(entry.text(8, 3, "suffix")));
    if (!base.empty() && base[0] == '\x05') base[0] = '\xe5';
    // Windows NT and Linux note that a name is in small letters, in place of a long name.
    const auto small = entry.little<std::uint8_t>(12, "case of a name");
    if ((small & 0x08U) != 0) base = text::lower_ascii(base);
    if ((small & 0x10U) != 0) suffix = text::lower_ascii(suffix);
    return suffix.empty() ? base : base + "." + suffix;
  }

  // A long name stands in entries before its file's, last part first.
  static std::u16string long_part(const ByteReader &entry) {
    std::u16string out;
    using Part = std::pair<std::size_t, std::size_t>;
    for (const auto &[at, units] : {Part{1, 5}, Part{14, 6}, Part{28, 2}}) {
      for (std::size_t i = 0; i < units; ++i) {
        const auto unit = entry.little<std::uint16_t>(at + 2 * i, "long name");
        if (unit == 0) return out;
        out += static_cast<char16_t>(unit);
      }
    }
    return out;
  }

  // Until `visit(name, file)` says no.
  template <class Visit>
  void for_each_name(const FatFile &folder, const Visit &visit) const {
    const SourcePtr content = folder_content(folder);
    std::map<unsigned, std::u16string> parts;
    for (std::uint64_t at = 0; at + kFatEntry <= content->size(); at += kFatEntry) {
      const Bytes raw = read_exactly(*content, at, kFatEntry);
      const ByteReader entry(raw, {});
      if (raw[0] == 0) return;
      const std::uint8_t attributes = raw[11];
      if (raw[0] == 0xe5) {
        parts.clear();
      } else if ((attributes & 0x3fU) == kLongName) {
        parts[raw[0] & 0x3fU] = long_part(entry);
      } else if ((attributes & kVolumeLabel) != 0) {
        parts.clear();
      } else {
        std::u16string name;
        for (const auto &[number, part] : parts) name += part;
        parts.clear();
        FatFile file;
        file.short_name = short_name(entry);
        file.folder = (attributes & kFatFolder) != 0;
        file.cluster = entry.little<std::uint16_t>(26, "cluster");
        if (width_ == 32) file.cluster |= std::uint32_t{entry.little<std::uint16_t>(20, "cluster")} << 16U;
        file.size = entry.little<std::uint32_t>(28, "size");
        if (!visit(name.empty() ? file.short_name : text::from_utf16(name), file)) return;
      }
    }
  }

  [[nodiscard]] std::optional<FatFile> find(std::string_view path) const {
    FatFile at{.folder = true};
    for (const std::string &part : parts_of(path)) {
      if (!at.folder) return std::nullopt;
      std::optional<FatFile> next;
      for_each_name(at, [&](const std::string &name, const FatFile &file) {
        if (text::iequals_ascii(name, part) || text::iequals_ascii(file.short_name, part)) next = file;
        return !next;
      });
      if (!next) return std::nullopt;
      at = *std::move(next);
    }
    return at;
  }

  SourcePtr volume_;
  std::uint64_t cluster_ = 0, fat_at_ = 0, fat_size_ = 0, root_at_ = 0, root_size_ = 0, data_at_ = 0;  // bytes
  std::uint64_t clusters_ = 0;
  std::uint32_t root_cluster_ = 0, serial_ = 0;
  unsigned width_ = 32;  // bits of a FAT's entry
  bool dirty_ = false;
  std::string label_;
};

}  // namespace

std::unique_ptr<FileSystem> open_fat(SourcePtr volume) { return std::make_unique<Fat>(std::move(volume)); }

}  // namespace ferry::guest
