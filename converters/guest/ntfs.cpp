// SPDX-License-Identifier: Apache-2.0
// NTFS 1.2 to 3.1: the file table (MFT), attributes, data runs, folders as B+ trees.
//
// Facts: the layout as the Linux kernel's fs/ntfs3/ntfs.h names its fields. Known deviants: a table whose own record
// has an attribute list (fragmented), records of 4096 bytes (disks with sectors of that size), index blocks smaller
// than a cluster, whose numbers count sectors then.
//
// Folders are looked up by descending the tree: a Windows volume has hundreds of thousands of files, and its table may
// not be read as a whole. Names are compared without case for ASCII letters, which all names that are looked for are
// of.
#include <algorithm>
#include <set>

#include "converters/guest/file_system.hpp"

#include "support/byte_reader.hpp"
#include "support/error.hpp"
#include "support/text.hpp"

namespace ferry::guest {
namespace {

// Types of attributes.
using AttributeType = std::uint32_t;
constexpr AttributeType kAttributeList = 0x20, kVolumeName = 0x60, kVolumeInformation = 0x70, kData = 0x80,
                        kIndexRoot = 0x90, kIndexAllocation = 0xa0, kReparsePoint = 0xc0, kEnd = 0xffffffff;
constexpr std::uint64_t kMftRecord = 0, kVolumeRecord = 3, kRootRecord = 5;
constexpr std::uint64_t kNumberMask = 0xffffffffffffULL;  // of a file reference: the rest counts uses of the record
constexpr std::uint16_t kCompressed = 0x0001, kEncrypted = 0x4000;
constexpr std::size_t kMostListed = 4096;        // entries of an attribute list
constexpr std::size_t kMostIndexBlocks = 16384;  // of a folder's index
constexpr int kDeepestIndex = 24;                // of an index

struct Attribute {
  std::uint32_t type = 0;
  std::u16string name;
  std::uint16_t flags = 0;
  bool resident = true;
  Bytes content;                    // resident
  std::uint64_t first_cluster = 0;  // of the file, of this piece
  std::uint64_t size = 0, initialized = 0;
  Bytes runs;  // encoded
};

// The last two bytes of each 512 (also where sectors are larger) stand elsewhere; a record that was written in part
// shows by them.
void undo_fixups(Bytes &record) {
  constexpr std::size_t kStride = 512;
  const ByteReader reader(record, {});
  const auto at = reader.little<std::uint16_t>(4, "update sequence");
  const auto count = reader.little<std::uint16_t>(6, "length of the update sequence");
  if (count == 0 || (count - std::size_t{1}) * kStride > record.size() || at + std::size_t{count} * 2 > record.size())
    malformed("an NTFS record's update sequence cannot be right", std::to_string(count) + " sectors");
  for (std::size_t i = 1; i < count; ++i) {
    const std::size_t end = i * kStride - 2;
    if (record[end] != record[at] || record[end + 1] != record[at + 1U])
      malformed("an NTFS record was written in part");
    record[end] = record[at + 2 * i];
    record[end + 1] = record[at + 2 * i + 1];
  }
}

char16_t upper(char16_t unit) { return unit >= u'a' && unit <= u'z' ? static_cast<char16_t>(unit - 32) : unit; }

int compare(std::u16string_view a, std::u16string_view b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const char16_t left = upper(a[i]), right = upper(b[i]);
    if (left != right) return left < right ? -1 : 1;
  }
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

std::u16string ascii16(std::string_view text) { return {text.begin(), text.end()}; }

// A name in a folder.
struct IndexEntry {
  std::uint64_t record = 0;
  std::u16string name;
  bool folder = false, dos_name = false;
  std::optional<std::uint64_t> below;  // number of the block with what sorts before
  bool last = false;                   // has no name
};

class Ntfs final : public FileSystem {
 public:
  explicit Ntfs(SourcePtr volume) : volume_(std::move(volume)) {
    read_boot_sector();
    load_table();
  }

  [[nodiscard]] SourcePtr open(std::string_view path) const override {
    const auto record = find(path);
    if (!record) return nullptr;
    const std::vector<Attribute> attributes = attributes_of(*record);
    return stream(attributes, kData, u"");
  }

  [[nodiscard]] std::vector<Entry> list(std::string_view path) const override {
    std::vector<Entry> out;
    const auto record = find(path);
    if (!record) return out;
    const Index index(*this, *record);
    index.for_each([&out](const IndexEntry &entry) {
      if (!entry.dos_name && entry.name != u".") out.push_back({text::from_utf16(entry.name), entry.folder});
      return out.size() < kMostEntries;
    });
    return out;
  }

  [[nodiscard]] std::string label() const override {
    for (const Attribute &one : attributes_of(kVolumeRecord)) {
      if (one.type == kVolumeName && one.resident)
        return text::from_utf16(text::utf16_units(one.content, std::endian::little));
    }
    return {};
  }
  [[nodiscard]] std::string id() const override { return text::hex(serial_, 16); }
  [[nodiscard]] bool dirty() const override {
    constexpr std::size_t kFlags = 10;
    for (const Attribute &one : attributes_of(kVolumeRecord)) {
      if (one.type == kVolumeInformation && one.resident && one.content.size() >= kFlags + 2)
        return (one.content[kFlags] & 1U) != 0;
    }
    return false;
  }

 private:
  // A folder's names, in order.
  class Index {
   public:
    Index(const Ntfs &file_system, std::uint64_t record) : ntfs_(file_system) {
      const std::vector<Attribute> attributes = file_system.attributes_of(record);
      const auto root = std::find_if(attributes.begin(), attributes.end(), [](const Attribute &one) {
        return one.type == kIndexRoot && one.name == u"$I30";
      });
      if (root == attributes.end() || !root->resident) return;  // not a folder
      root_ = root->content;
      if (root_.size() < 32) malformed("a folder's index is too short", std::to_string(root_.size()) + " bytes");
      block_ = ByteReader(root_, {}).little<std::uint32_t>(8, "size of an index block");
      if (block_ < 512 || block_ > 65536 || block_ % 512 != 0)
        malformed("a folder's index blocks have no possible size", std::to_string(block_) + " bytes");
      blocks_ = file_system.stream(attributes, kIndexAllocation, u"$I30");
    }

    [[nodiscard]] std::optional<IndexEntry> find(const std::u16string &name) const {
      if (root_.empty()) return std::nullopt;
      std::vector<IndexEntry> entries = entries_of(std::span(root_).subspan(16));
      for (int depth = 0; depth < kDeepestIndex; ++depth) {
        std::optional<std::uint64_t> below;
        bool stop = true;
        for (const IndexEntry &entry : entries) {
          const int order = entry.last ? -1 : compare(name, entry.name);
          if (order == 0) return entry;
          if (order > 0) continue;
          below = entry.below;
          stop = !below;
          break;
        }
        if (stop) return std::nullopt;
        entries = entries_of_block(*below);
      }
      malformed("a folder's index is too deep, or goes in circles");
    }

    // Until `visit` says no.
    template <class Visit>
    void for_each(const Visit &visit) const {
      if (root_.empty()) return;
      std::set<std::uint64_t> seen;
      std::vector<std::uint64_t> waiting;
      bool goes_on = true;
      const auto go_through = [&](const std::vector<IndexEntry> &entries) {
        for (const IndexEntry &entry : entries) {
          if (entry.below && seen.insert(*entry.below).second) waiting.push_back(*entry.below);
          if (goes_on && !entry.last) goes_on = visit(entry);
        }
      };
      go_through(entries_of(std::span(root_).subspan(16)));
      while (goes_on && !waiting.empty()) {
        if (seen.size() > kMostIndexBlocks) malformed("a folder's index has too many blocks");
        const std::uint64_t next = waiting.back();
        waiting.pop_back();
        go_through(entries_of_block(next));
      }
    }

   private:
    [[nodiscard]] std::vector<IndexEntry> entries_of_block(std::uint64_t number) const {
      const std::uint64_t unit = block_ >= ntfs_.cluster_ ? ntfs_.cluster_ : 512;
      if (!blocks_ || number > blocks_->size() / unit) malformed("a folder's index block lies outside");
      Bytes block = read_exactly(*blocks_, number * unit, block_);
      if (std::string_view(reinterpret_cast<const char *>(block.data()), 4) != "INDX")
        malformed("a folder's index block has no mark", text::hex(std::span(block).first(4)), "INDX");
      undo_fixups(block);
      return entries_of(std::span(block).subspan(24));
    }

    // `node` begins at the node's header.
    static std::vector<IndexEntry> entries_of(std::span<const std::uint8_t> node) {
      const ByteReader reader(node, {});
      std::size_t at = reader.little<std::uint32_t>(0, "first entry");
      const std::size_t end = std::min<std::size_t>(reader.little<std::uint32_t>(4, "end of entries"), node.size());
      std::vector<IndexEntry> out;
      while (at + 16 <= end) {
        const auto length = reader.little<std::uint16_t>(at + 8, "length of an index entry");
        const auto flags = reader.little<std::uint16_t>(at + 12, "flags of an index entry");
        if (length < 16 || length > end - at)
          malformed("an index entry has no possible length", std::to_string(length));
        const ByteReader one(node.subspan(at, length), {});
        IndexEntry entry;
        entry.last = (flags & 2U) != 0;
        if ((flags & 1U) != 0) entry.below = one.little<std::uint64_t>(length - 8U, "block below");
        if (!entry.last) read_name(one, entry);
        out.push_back(std::move(entry));
        if (out.back().last) break;
        at += length;
      }
      return out;
    }

    static void read_name(const ByteReader &one, IndexEntry &entry) {
      constexpr std::size_t kKey = 16;
      constexpr std::uint32_t kFolder = 0x10000000;
      entry.record = one.little<std::uint64_t>(0, "file reference") & kNumberMask;
      entry.folder = (one.little<std::uint32_t>(kKey + 56, "file attributes") & kFolder) != 0;
      const auto length = one.little<std::uint8_t>(kKey + 64, "length of a name");
      entry.dos_name = one.little<std::uint8_t>(kKey + 65, "kind of a name") == 2;
      entry.name = text::utf16_units(one.bytes(kKey + 66, std::size_t{length} * 2, "name"), std::endian::little);
    }

    const Ntfs &ntfs_;
    Bytes root_;
    std::uint32_t block_ = 0;  // bytes
    SourcePtr blocks_;
  };

  void read_boot_sector() {
    const Bytes bytes = read_exactly(*volume_, 0, 512);
    const ByteReader boot(bytes, {});
    sector_ = boot.little<std::uint16_t>(11, "bytes per sector");
    const auto per_cluster = boot.little<std::uint8_t>(13, "sectors per cluster");
    const std::uint64_t sectors = per_cluster > 0x80 ? std::uint64_t{1} << (256U - per_cluster) : per_cluster;
    cluster_ = sector_ * sectors;
    if (sector_ < 256 || sector_ > 4096 || (sector_ & (sector_ - 1)) != 0 || sectors == 0 || cluster_ > (2U << 20U) ||
        (cluster_ & (cluster_ - 1)) != 0)
      malformed("NTFS's clusters have no possible size", std::to_string(cluster_) + " bytes");
    const auto table = boot.little<std::uint64_t>(48, "cluster of the file table");
    const auto said = static_cast<std::int8_t>(boot.little<std::uint8_t>(64, "size of a file record"));
    const std::uint64_t size = said < 0 ? (said < -16 ? 0 : std::uint64_t{1} << static_cast<unsigned>(-said))
                                        : static_cast<std::uint64_t>(said) * cluster_;
    if (size < 512 || size > 65536 || size % sector_ != 0 || table > volume_->size() / cluster_)
      malformed("NTFS's file table cannot be right",
                "records of " + std::to_string(size) + " bytes at cluster " + std::to_string(table));
    record_ = static_cast<std::size_t>(size);
    table_at_ = table * cluster_;
    serial_ = boot.little<std::uint64_t>(72, "serial number");
  }

  // The table's own record says where the table is. Where its runs do not fit into it, further records of the table
  // have the rest, which lie in the part that is known by then.
  void load_table() {
    table_ = std::make_shared<Part>(volume_, table_at_, std::uint64_t{record_} * 16);
    const std::vector<Attribute> own = attributes_of_record(kMftRecord, record_at(kMftRecord));
    std::vector<Attribute> pieces;
    std::copy_if(own.begin(), own.end(), std::back_inserter(pieces),
                 [](const Attribute &one) { return one.type == kData && one.name.empty() && !one.resident; });
    if (pieces.empty()) malformed("NTFS's file table does not say where it is");
    table_ = file_of(pieces);
    for (const auto &[record, type] : listed(own, kMftRecord)) {
      if (type != kData || record == kMftRecord) continue;
      for (Attribute &one : attributes_of_record(record, record_at(record))) {
        if (one.type == kData && one.name.empty() && !one.resident) pieces.push_back(std::move(one));
      }
      table_ = file_of(pieces);
    }
  }

  [[nodiscard]] Bytes record_at(std::uint64_t number) const {
    if (number > table_->size() / record_) malformed("NTFS names a file that its table does not have");
    Bytes out = read_exactly(*table_, number * record_, record_);
    if (std::string_view(reinterpret_cast<const char *>(out.data()), 4) != "FILE")
      malformed("an NTFS file record has no mark", text::hex(std::span(out).first(4)), "FILE");
    undo_fixups(out);
    return out;
  }

  static std::vector<Attribute> attributes_of_record(std::uint64_t number, const Bytes &record) {
    const ByteReader reader(record, {});
    if ((reader.little<std::uint16_t>(22, "flags of a file record") & 1U) == 0)
      malformed("NTFS names a file that was deleted", "record " + std::to_string(number));
    std::vector<Attribute> out;
    std::size_t at = reader.little<std::uint16_t>(20, "first attribute");
    while (at + 8 <= record.size()) {
      const auto type = reader.little<std::uint32_t>(at, "type of an attribute");
      if (type == kEnd) break;
      const auto length = reader.little<std::uint32_t>(at + 4, "length of an attribute");
      if (length < 24 || length > record.size() - at)
        malformed("an NTFS attribute has no possible length", std::to_string(length));
      out.push_back(attribute(type, ByteReader(std::span(record).subspan(at, length), {})));
      at += length;
    }
    return out;
  }

  static Attribute attribute(std::uint32_t type, const ByteReader &reader) {
    Attribute out;
    out.type = type;
    out.resident = reader.little<std::uint8_t>(8, "resident") == 0;
    const auto name = reader.bytes(reader.little<std::uint16_t>(10, "name of an attribute"),
                                   std::size_t{reader.little<std::uint8_t>(9, "length of a name")} * 2, "name");
    out.name = text::utf16_units(name, std::endian::little);
    out.flags = reader.little<std::uint16_t>(12, "flags of an attribute");
    if (out.resident) {
      const auto content =
          reader.bytes(reader.little<std::uint16_t>(20, "content of an attribute"),
                       reader.little<std::uint32_t>(16, "length of an attribute's content"), "content of an attribute");
      out.content.assign(content.begin(), content.end());
      return out;
    }
    out.first_cluster = reader.little<std::uint64_t>(16, "first cluster");
    const auto runs = reader.little<std::uint16_t>(32, "runs");
    if (runs > reader.size()) malformed("an NTFS attribute's runs lie outside of it");
    const auto encoded = reader.bytes(runs, reader.size() - runs, "runs");
    out.runs.assign(encoded.begin(), encoded.end());
    if (out.first_cluster == 0) {
      out.size = reader.little<std::uint64_t>(48, "size of an attribute");
      out.initialized = reader.little<std::uint64_t>(56, "initialized size of an attribute");
    }
    return out;
  }

  // The records that an attribute list names, with the type of what they hold.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint32_t>> listed(const std::vector<Attribute> &own,
                                                                            std::uint64_t number) const {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> out;
    const auto list =
        std::find_if(own.begin(), own.end(), [](const Attribute &one) { return one.type == kAttributeList; });
    if (list == own.end()) return out;
    constexpr std::size_t kLongest = 262144;  // bytes: NTFS's own limit
    const Bytes bytes = list->resident ? list->content : read_up_to(*file_of({*list}), 0, kLongest);
    const ByteReader reader(bytes, {});
    for (std::size_t at = 0; at + 26 <= bytes.size() && out.size() < kMostListed;) {
      const auto length = reader.little<std::uint16_t>(at + 4, "length of a list's entry");
      if (length < 26) break;
      const std::uint64_t record = reader.little<std::uint64_t>(at + 16, "file reference") & kNumberMask;
      const std::pair one{record, reader.little<std::uint32_t>(at, "type of an attribute")};
      if (record != number && std::find(out.begin(), out.end(), one) == out.end()) out.push_back(one);
      at += length;
    }
    return out;
  }

  // With those that stand in further records.
  [[nodiscard]] std::vector<Attribute> attributes_of(std::uint64_t number) const {
    std::vector<Attribute> out = attributes_of_record(number, record_at(number));
    std::set<std::uint64_t> seen{number};
    for (const auto &[record, type] : listed(out, number)) {
      if (!seen.insert(record).second) continue;
      for (Attribute &one : attributes_of_record(record, record_at(record))) out.push_back(std::move(one));
    }
    return out;
  }

  // The content of one attribute, from all its pieces; nullptr: the file has none.
  [[nodiscard]] SourcePtr stream(const std::vector<Attribute> &attributes, std::uint32_t type,
                                 std::u16string_view name) const {
    std::vector<Attribute> pieces;
    for (const Attribute &one : attributes) {
      if (one.type != type || one.name != name) continue;
      if ((one.flags & kEncrypted) != 0) throw Error(ErrorKind::encrypted, {.message = "the file is encrypted (EFS)"});
      if ((one.flags & kCompressed) != 0)
        throw Error(ErrorKind::unsupported, {.message = "the file is compressed by NTFS"});
      if (one.resident) return std::make_shared<MemoryFile>(one.content);
      pieces.push_back(one);
    }
    return pieces.empty() ? nullptr : file_of(std::move(pieces));
  }

  [[nodiscard]] SourcePtr file_of(std::vector<Attribute> pieces) const {
    std::sort(pieces.begin(), pieces.end(),
              [](const Attribute &a, const Attribute &b) { return a.first_cluster < b.first_cluster; });
    std::vector<Run> runs;
    std::uint64_t next = 0;  // clusters
    for (const Attribute &piece : pieces) {
      if (piece.first_cluster != next) malformed("a piece of an NTFS file is missing");
      next = add_runs(piece, runs);
    }
    // A sparse file may be as large as it likes, but not what it claims to hold.
    const std::uint64_t size = pieces.front().size;
    if (size > next * cluster_) malformed("an NTFS file is larger than its runs", std::to_string(size) + " bytes");
    return std::make_shared<RunFile>(volume_, std::move(runs), size, pieces.front().initialized);
  }

  // Each run: a byte with the widths of its length and of its distance to the last one's place, then these. Returns the
  // cluster of the file behind the last one.
  std::uint64_t add_runs(const Attribute &piece, std::vector<Run> &out) const {
    const Bytes &code = piece.runs;
    const std::uint64_t most = volume_->size() / cluster_;
    std::uint64_t cluster = piece.first_cluster;
    std::int64_t place = 0;
    for (std::size_t at = 0; at < code.size() && code[at] != 0;) {
      const unsigned length_width = code[at] & 15U, place_width = code[at] >> 4U;
      ++at;
      if (length_width == 0 || length_width > 8 || place_width > 8 || at + length_width + place_width > code.size())
        malformed("an NTFS file's runs cannot be understood");
      std::uint64_t length = 0;
      for (unsigned i = 0; i < length_width; ++i) length |= std::uint64_t{code[at + i]} << (8 * i);
      at += length_width;
      std::uint64_t distance = 0;
      for (unsigned i = 0; i < place_width; ++i) distance |= std::uint64_t{code[at + i]} << (8 * i);
      if (place_width > 0 && place_width < 8 && (code[at + place_width - 1] & 0x80U) != 0)
        distance |= ~std::uint64_t{0} << (8 * place_width);
      at += place_width;
      constexpr std::uint64_t kMostClusters = std::uint64_t{1} << 40U;  // of a file with holes
      if (length == 0 || length > kMostClusters || cluster > kMostClusters || out.size() >= kMostRuns)
        malformed("an NTFS file's runs cannot be right");
      Run run{cluster * cluster_, length * cluster_};
      if (place_width > 0) {
        place = static_cast<std::int64_t>(static_cast<std::uint64_t>(place) + distance);
        if (place < 0 || static_cast<std::uint64_t>(place) > most || length > most - static_cast<std::uint64_t>(place))
          malformed("an NTFS file lies outside of its volume", "cluster " + std::to_string(place));
        run.at = static_cast<std::uint64_t>(place) * cluster_;
      }
      out.push_back(run);
      cluster += length;
    }
    return cluster;
  }

  // The record of a path.
  [[nodiscard]] std::optional<std::uint64_t> find(std::string_view path) const {
    std::uint64_t record = kRootRecord;
    for (const std::string &part : parts_of(path)) {
      const auto entry = Index(*this, record).find(ascii16(part));
      if (!entry) return std::nullopt;
      record = entry->record;
    }
    return record;
  }

  SourcePtr volume_;
  std::size_t sector_ = 0, record_ = 0;  // bytes
  std::uint64_t cluster_ = 0;            // bytes
  std::uint64_t table_at_ = 0, serial_ = 0;
  SourcePtr table_;
};

}  // namespace

std::unique_ptr<FileSystem> open_ntfs(SourcePtr volume) { return std::make_unique<Ntfs>(std::move(volume)); }

}  // namespace ferry::guest
