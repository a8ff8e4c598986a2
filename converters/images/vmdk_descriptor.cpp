// SPDX-License-Identifier: Apache-2.0
// The VMDK descriptor: `key=value` lines, extent lines `ACCESS SECTORS TYPE ["NAME" [OFFSET]]`, and a `ddb.`
// part. Facts: VMware's "Virtual Disk Format 5.0" and the descriptors of the corpus. Values may be quoted or
// not, with blanks around the equals sign; `encoding=` holds for the extent names and the parent's too.
// Known deviants: "# Disk Descriptor File" with blanks in other places (VirtualBox takes four spellings), blanks at the
// line's end, CRLF, a UTF-8 mark, NULs after the text, `ddb.encoding` in place of `encoding`, names in UTF-8 whatever
// the encoding says.
#include "converters/images/vmdk_descriptor.hpp"

#include <algorithm>
#include <charconv>

#include "support/text.hpp"

namespace ferry::image {
namespace {

constexpr std::size_t kMostExtents = 32000;                              // Extent::file is 16 bits wide
constexpr std::uint64_t kMostSectors = (std::uint64_t{1} << 63U) / 512;  // file offsets are signed

class Parser {
 public:
  Parser(std::string_view source, Place place)
      : source_(source.substr(0, source.find('\0'))), place_(std::move(place)) {
    if (source_.starts_with("\xef\xbb\xbf")) source_.remove_prefix(3);
  }

  VmdkDescriptor parse() {
    while (!source_.empty()) {
      const auto end = source_.find('\n');
      const auto line = text::trim(source_.substr(0, end));
      source_.remove_prefix(end == std::string_view::npos ? source_.size() : end + 1);
      ++line_;
      if (line.empty() || line.starts_with('#')) continue;
      if (!parse_extent(line)) parse_value(line);
    }
    for (auto &extent : out_.extents) extent.name = decoded(extent.raw_name);
    out_.parent_hint = decoded(out_.parent_hint);
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(std::string message, std::string_view found, std::string expected) const {
    Place where = place_;
    where.line = line_;
    throw Error(ErrorKind::malformed, {.where = std::move(where),
                                       .message = std::move(message),
                                       .found = text::excerpt(found, 200),
                                       .expected = std::move(expected),
                                       .advice = "Repair the descriptor, or copy the image again."});
  }

  static std::string_view next_word(std::string_view &rest) {
    rest = text::trim(rest);
    const auto word = rest.substr(0, rest.find_first_of(" \t"));
    rest.remove_prefix(word.size());
    return word;
  }

  bool parse_extent(std::string_view line) {
    std::string_view rest = line;
    const std::string access = text::lower_ascii(next_word(rest));
    VmdkExtentLine extent;
    if (access == "rw") {
      extent.access = VmdkExtentLine::Access::read_write;
    } else if (access == "rdonly") {
      extent.access = VmdkExtentLine::Access::read_only;
    } else if (access == "noaccess") {
      extent.access = VmdkExtentLine::Access::none;
    } else {
      return false;
    }
    const auto size_word = next_word(rest);
    if (size_word.starts_with('=')) return false;  // a key named like an access, not an extent
    const auto sectors = text::parse_u64(size_word);
    if (!sectors || *sectors > kMostSectors || *sectors > kMostSectors - total_) {
      fail("an extent's size is wrong", line,
           "a number of sectors, all extents together up to " + std::to_string(kMostSectors));
    }
    extent.sectors = *sectors;
    extent.line = line_;
    extent.type = next_word(rest);
    std::ranges::transform(extent.type, extent.type.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    if (extent.type.empty()) fail("an extent has no type", line, "SPARSE, FLAT, ZERO, VMFS, VMFSSPARSE or SESPARSE");
    parse_target(text::trim(rest), line, extent);
    if (out_.extents.size() >= kMostExtents)
      fail("there are too many extents", line, "at most " + std::to_string(kMostExtents));
    total_ += extent.sectors;
    out_.extents.push_back(std::move(extent));
    return true;
  }

  void parse_target(std::string_view rest, std::string_view line, VmdkExtentLine &extent) const {
    if (rest.empty()) return;
    if (rest.front() != '"') fail("an extent's name is not quoted", line, "a file name in double quotes");
    rest.remove_prefix(1);
    const auto close = rest.find('"');
    if (close == std::string_view::npos) fail("an extent's name has no end", line, "a file name in double quotes");
    extent.raw_name = rest.substr(0, close);
    rest.remove_prefix(close + 1);
    const auto word = next_word(rest);
    if (word.empty()) return;
    const auto offset = text::parse_u64(word);
    // A further word (a partition's UUID, a device's) may follow; only the types that we refuse have one.
    if (offset && *offset <= kMostSectors) {
      extent.offset = *offset;
    } else if (offset || extent.type == "FLAT") {
      fail("an extent's offset is wrong", line, "a number of sectors up to " + std::to_string(kMostSectors));
    }
  }

  static std::string_view unquoted(std::string_view value) {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') return value.substr(1, value.size() - 2);
    return value;
  }

  void parse_value(std::string_view line) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return;  // VMware passes over what it does not know
    const std::string key = text::lower_ascii(text::trim(line.substr(0, equals)));
    const auto value = unquoted(text::trim(line.substr(equals + 1)));
    if (key == "createtype") out_.create_type = value;
    if (key == "cid") out_.cid = content_id(value, line);
    if (key == "parentcid") out_.parent_cid = content_id(value, line);
    if (key == "parentfilenamehint") out_.parent_hint = value;
    if (key == "encoding" || (key == "ddb.encoding" && encoding_.empty())) encoding_ = value;
    if (key.starts_with("ddb.")) out_.database[key] = value;
    // Workstation keeps the keys in the descriptor, vSphere names its encrypting filter there.
    const bool filter = key == "ddb.iofilters" && text::lower_ascii(value).find("crypt") != std::string::npos;
    if (value.empty() || (!key.starts_with("encryption") && !filter)) return;
    Place where = place_;
    where.line = line_;
    throw Error(ErrorKind::encrypted, {.where = std::move(where),
                                       .message = "the image is encrypted",
                                       .found = text::printable(key),
                                       .expected = {},
                                       .advice = "Remove the encryption in VMware, then migrate again."});
  }

  [[nodiscard]] std::uint32_t content_id(std::string_view value, std::string_view line) const {
    std::uint32_t id = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), id, 16);
    if (error != std::errc{} || end != value.data() + value.size())
      fail("a content id is wrong", line, "up to eight hex digits");
    return id;
  }

  [[nodiscard]] std::string decoded(const std::string &name) const {
    if (encoding_.empty() || std::ranges::all_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x80; }))
      return name;
    if (auto converted = text::to_utf8(name, encoding_)) return *converted;
    return name;
  }

  std::string_view source_;
  Place place_;
  std::uint64_t line_ = 0;
  std::uint64_t total_ = 0;
  std::string encoding_;
  VmdkDescriptor out_;
};

}  // namespace

std::uint64_t VmdkDescriptor::sectors() const {
  std::uint64_t sum = 0;
  for (const auto &extent : extents) sum += extent.sectors;
  return sum;
}

bool is_descriptor(std::string_view start) {
  if (start.starts_with("\xef\xbb\xbf")) start.remove_prefix(3);
  start = text::trim(start.substr(0, 512));
  std::string line(start.substr(0, start.find_first_of("\r\n")));
  std::erase_if(line, [](char c) { return c == ' ' || c == '\t'; });
  return text::lower_ascii(line).starts_with("#diskdescriptorfile");
}

VmdkDescriptor parse_descriptor(std::string_view source, const Place &place) { return Parser(source, place).parse(); }

}  // namespace ferry::image
