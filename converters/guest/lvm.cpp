// SPDX-License-Identifier: Apache-2.0
#include "converters/guest/lvm.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <zlib.h>

#include "converters/guest/systems.hpp"

#include "support/byte_reader.hpp"
#include "support/error.hpp"
#include "support/text.hpp"

namespace ferry::guest {
namespace {

constexpr std::uint64_t kLabelSector = 512;
constexpr std::uint64_t kAreaHeader = 512;                       // bytes
constexpr std::uint64_t kLongestText = std::uint64_t{4} << 20U;  // bytes; lvm2's own areas have one MiB
constexpr std::size_t kMostAreas = 16;                           // of a physical volume
constexpr std::size_t kMostLogicalVolumes = 256;                 // of all groups
constexpr std::size_t kMostSegments = 10000;                     // of a volume
constexpr int kDeepestSection = 8;
constexpr std::string_view kAreaMark = " LVM2 x[5A%r0N*>";

// lvm2's checksum: CRC-32 with a start of its own, and without the last inversion.
std::uint32_t checksum(std::span<const std::uint8_t> bytes) {
  constexpr std::uint32_t kStart = 0xf597a6cf;
  return ~static_cast<std::uint32_t>(::crc32(~kStart, bytes.data(), static_cast<uInt>(bytes.size())));
}

// ---- the text ----

struct Section {
  std::map<std::string, Section> sections;
  std::map<std::string, std::vector<std::string>> values;  // a single one is a list of one

  [[nodiscard]] const Section *section(const std::string &name) const {
    const auto found = sections.find(name);
    return found == sections.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::string text(const std::string &name) const {
    const auto found = values.find(name);
    return found == values.end() || found->second.empty() ? std::string() : found->second.front();
  }
  [[nodiscard]] std::uint64_t number(const std::string &name) const {
    const auto value = text::parse_u64(text(name));
    if (!value) malformed("the description of its volumes has no number \"" + name + "\"");
    return *value;
  }
};

class TextParser {
 public:
  explicit TextParser(std::string_view text) : text_(text.substr(0, std::min(text.find('\0'), text.size()))) {}

  Section parse() {
    Section out;
    read_section(out, 0);
    return out;
  }

 private:
  [[noreturn]] void fail() const {
    malformed("the description of its volumes cannot be understood", "at byte " + std::to_string(at_));
  }
  void skip() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        ++at_;
      } else {
        return;
      }
    }
  }
  bool take(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string word() {
    skip();
    const auto is_part = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
             c == '.' || c == '+' || c == '/';
    };
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_part(text_[at_])) ++at_;
    if (at_ == begin) fail();
    return std::string(text_.substr(begin, at_ - begin));
  }
  std::string value() {
    if (!take('"')) return word();
    std::string out;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_];
    }
    if (at_ >= text_.size()) fail();
    ++at_;
    return out;
  }
  std::vector<std::string> values() {
    if (!take('[')) return {value()};
    std::vector<std::string> out;
    while (!take(']')) {
      out.push_back(value());
      (void)take(',');
    }
    return out;
  }
  void read_section(Section &out, int depth) {
    if (depth > kDeepestSection) fail();
    for (;;) {
      skip();
      if (at_ >= text_.size()) {
        if (depth > 0) fail();
        return;
      }
      if (depth > 0 && take('}')) return;
      const std::string name = word();
      if (take('{')) {
        read_section(out.sections[name], depth + 1);
      } else if (take('=')) {
        out.values[name] = values();
      } else {
        fail();
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// ---- physical volumes ----

struct Area {
  std::uint64_t at = 0, size = 0;  // bytes
};

struct Label {
  std::string id;  // 32 characters
  std::vector<Area> metadata;
};

std::optional<std::uint64_t> label_sector(const Source &volume) {
  for (std::uint64_t sector = 0; sector < 4; ++sector) {
    const Bytes head = read_up_to(volume, sector * kLabelSector, 32);
    if (head.size() == 32 && std::string_view(reinterpret_cast<const char *>(head.data()), 8) == "LABELONE")
      return sector;
  }
  return std::nullopt;
}

Label read_label(const Source &volume) {
  const auto sector = label_sector(volume);
  if (!sector) malformed("it has no label");
  const Bytes bytes = read_exactly(volume, *sector * kLabelSector, kLabelSector);
  const ByteReader reader(bytes, {}, *sector * kLabelSector);
  if (reader.little<std::uint32_t>(16, "checksum") != checksum(std::span(bytes).subspan(20)))
    malformed("its label's checksum is wrong");
  std::size_t at = reader.little<std::uint32_t>(20, "offset of the header");
  Label out;
  out.id = reader.text(at, 32, "identity");
  at += 40;  // and the size of the device
  // A list of areas of data, one of areas of metadata; each ends with an empty one.
  for (const bool metadata : {false, true}) {
    for (std::size_t i = 0; i <= kMostAreas; ++i, at += 16) {
      const Area area{reader.little<std::uint64_t>(at, "area"), reader.little<std::uint64_t>(at + 8, "area")};
      if (area.at == 0) break;
      if (i == kMostAreas) malformed("its label has too many areas");
      if (metadata) out.metadata.push_back(area);
    }
    at += 16;
  }
  return out;
}

// The text of the group that is in force; nullopt: the area holds none.
std::optional<std::string> read_area(const Source &volume, const Area &area) {
  const Bytes bytes = read_exactly(volume, area.at, kAreaHeader);
  const ByteReader reader(bytes, {}, area.at);
  const auto mark = reader.bytes(4, kAreaMark.size(), "mark");
  if (!std::equal(mark.begin(), mark.end(), kAreaMark.begin())) malformed("an area of its metadata has no mark");
  if (reader.little<std::uint32_t>(0, "checksum") != checksum(std::span(bytes).subspan(4)))
    malformed("the checksum of an area of its metadata is wrong");
  const auto size = reader.little<std::uint64_t>(32, "size of the area");
  const auto at = reader.little<std::uint64_t>(40, "place of the text");
  const auto length = reader.little<std::uint64_t>(48, "length of the text");
  const auto sum = reader.little<std::uint32_t>(56, "checksum of the text");
  const bool ignored = (reader.little<std::uint32_t>(60, "flags") & 1U) != 0;
  if (at == 0 || length == 0 || ignored) return std::nullopt;
  if (at < kAreaHeader || at >= size || length > size - kAreaHeader || length > kLongestText)
    malformed("the description of its volumes lies outside of its area");
  // A ring behind the header.
  const std::uint64_t first = std::min(length, size - at);
  Bytes text = read_exactly(volume, area.at + at, static_cast<std::size_t>(first));
  const Bytes rest = read_exactly(volume, area.at + kAreaHeader, static_cast<std::size_t>(length - first));
  text.insert(text.end(), rest.begin(), rest.end());
  if (checksum(text) != sum) malformed("the checksum of the description of its volumes is wrong");
  return std::string(text.begin(), text.end());
}

// ---- logical volumes ----

// Parts of others, one behind the other.
class Joined final : public Source {
 public:
  struct Piece {
    std::uint64_t offset = 0, length = 0;  // bytes
    SourcePtr of;
    std::uint64_t at = 0;  // bytes in it
  };
  explicit Joined(std::vector<Piece> pieces)
      : pieces_(std::move(pieces)), size_(pieces_.back().offset + pieces_.back().length) {}
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::uint8_t> into) const override {
    if (offset > size_ || into.size() > size_ - offset) malformed("something lies beyond a logical volume's end");
    auto piece = std::upper_bound(pieces_.begin(), pieces_.end(), offset,
                                  [](std::uint64_t at, const Piece &one) { return at < one.offset; }) -
                 1;
    for (; !into.empty(); ++piece) {
      const std::uint64_t skip = offset - piece->offset;
      const std::size_t part = std::min<std::uint64_t>(into.size(), piece->length - skip);
      piece->of->read(piece->at + skip, into.first(part));
      into = into.subspan(part);
      offset += part;
    }
  }
  // Which of several disks it would be on cannot be said.
  [[nodiscard]] std::optional<std::uint64_t> place(std::uint64_t) const override { return std::nullopt; }

 private:
  std::vector<Piece> pieces_;
  std::uint64_t size_;
};

std::string without_dashes(std::string id) {
  std::erase(id, '-');
  return id;
}

class Group {
 public:
  Group(std::string name, const Section &section, const std::map<std::string, std::size_t> &by_id,
        const std::vector<PhysicalVolume> &physical)
      : name_(std::move(name)), section_(section), by_id_(by_id), physical_(physical) {
    extent_ = section.number("extent_size");
    constexpr std::uint64_t kLargestExtent = std::uint64_t{1} << 31U;  // sectors
    if (extent_ == 0 || extent_ > kLargestExtent) malformed("its extents have no possible size");
    extent_ *= kLabelSector;
  }

  void add_volumes(std::vector<LogicalVolume> &out) const {
    const Section *volumes = section_.section("logical_volumes");
    if (volumes == nullptr) return;
    for (const auto &entry : volumes->sections) {  // clang 14 takes no structured bindings into a lambda
      const Section &section = entry.second;
      const auto status = section.values.find("status");
      const bool visible = status != section.values.end() &&
                           std::find(status->second.begin(), status->second.end(), "VISIBLE") != status->second.end();
      if (!visible || out.size() >= kMostLogicalVolumes) continue;
      LogicalVolume volume{.name = name_ + "/" + entry.first, .content = nullptr};
      try_to([&] { fill(section, volume); }, [&](std::string why) { volume.problem = std::move(why); });
      out.push_back(std::move(volume));
    }
  }

 private:
  void fill(const Section &section, LogicalVolume &volume) const {
    std::vector<Joined::Piece> pieces;
    std::uint64_t next = 0;  // extents
    for (std::size_t i = 1; i <= kMostSegments; ++i) {
      const Section *segment = section.section("segment" + std::to_string(i));
      if (segment == nullptr) break;
      if (segment->number("start_extent") != next) malformed("a logical volume has a gap");
      const std::uint64_t count = segment->number("extent_count");
      add_segment(*segment, next, count, pieces, volume.physical);
      next += count;
    }
    if (pieces.empty()) malformed("a logical volume has no extents");
    volume.content = std::make_shared<const Joined>(std::move(pieces));
  }

  void add_segment(const Section &segment, std::uint64_t start, std::uint64_t count, std::vector<Joined::Piece> &pieces,
                   std::size_t &first) const {
    const std::string type = segment.text("type");
    if (type != "striped" || segment.number("stripe_count") != 1)
      throw Error(ErrorKind::unsupported, {.message = "logical volumes of this kind are not read",
                                           .found = type == "striped" ? "stripes" : text::printable(type)});
    const auto stripes = segment.values.find("stripes");
    if (stripes == segment.values.end() || stripes->second.size() != 2) malformed("a segment does not say where it is");
    const auto [number, place] = physical(stripes->second[0]);
    const auto extent = text::parse_u64(stripes->second[1]);
    const Source &whole = *physical_[number].content;
    const std::uint64_t most = whole.size() / extent_;
    if (!extent || count == 0 || *extent > most || count > most || (*extent + count) * extent_ > whole.size() - place)
      malformed("a logical volume lies outside of its physical one");
    if (pieces.empty()) first = number;
    pieces.push_back({start * extent_, count * extent_, physical_[number].content, place + *extent * extent_});
  }

  // Its index, and where its extents begin.
  [[nodiscard]] std::pair<std::size_t, std::uint64_t> physical(const std::string &name) const {
    const Section *all = section_.section("physical_volumes");
    const Section *one = all == nullptr ? nullptr : all->section(name);
    if (one == nullptr) malformed("a segment names a physical volume that its group does not have");
    const auto number = by_id_.find(without_dashes(one->text("id")));
    if (number == by_id_.end())
      throw Error(ErrorKind::missing, {.message = "a physical volume of its group is on none of the disks"});
    const std::uint64_t start = one->number("pe_start");
    if (start > physical_[number->second].content->size() / kLabelSector)
      malformed("the extents of a physical volume lie outside of it");
    return {number->second, start * kLabelSector};
  }

  std::string name_;
  const Section &section_;
  const std::map<std::string, std::size_t> &by_id_;
  const std::vector<PhysicalVolume> &physical_;
  std::uint64_t extent_ = 0;  // bytes
};

struct Described {
  std::string name;
  Section section;
  std::uint64_t sequence = 0;
};

// The group that a text describes: its only section.
Described described_by(const std::string &text) {
  Section root = TextParser(text).parse();
  if (root.sections.empty()) malformed("the description of its volumes names no group");
  Described out{root.sections.begin()->first, std::move(root.sections.begin()->second)};
  out.sequence = out.section.number("seqno");
  return out;
}

}  // namespace

std::vector<LogicalVolume> read_logical_volumes(std::vector<PhysicalVolume> &physical) {
  std::map<std::string, std::size_t> by_id;
  std::map<std::string, Described> groups;  // by their identity; the newest description of each
  for (std::size_t i = 0; i < physical.size(); ++i) {
    try_to(
        [&] {
          const Label label = read_label(*physical[i].content);
          by_id.emplace(label.id, i);
          for (const Area &area : label.metadata) {
            const auto text = read_area(*physical[i].content, area);
            if (!text) continue;
            Described found = described_by(*text);
            Described &known = groups[found.section.text("id")];
            if (known.name.empty() || known.sequence < found.sequence) known = std::move(found);
          }
        },
        [&](std::string why) { physical[i].problem = std::move(why); });
  }
  std::vector<LogicalVolume> out;
  for (const auto &entry : groups) {
    const Described &group = entry.second;
    try_to([&] { Group(group.name, group.section, by_id, physical).add_volumes(out); },
           [&](const std::string &why) {
             for (PhysicalVolume &one : physical) {
               if (one.problem.empty()) one.problem = why;
             }
           });
  }
  return out;
}

}  // namespace ferry::guest
