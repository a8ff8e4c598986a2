// SPDX-License-Identifier: Apache-2.0
#include "converters/guest/hive.hpp"

#include <algorithm>
#include <cstring>

#include "support/byte_reader.hpp"
#include "support/text.hpp"

namespace ferry::guest {
namespace {

constexpr std::uint64_t kFirstBin = 4096;  // where cells' offsets count from
constexpr std::uint32_t kNone = 0xffffffff;
constexpr std::size_t kMostValues = 4096, kMostChildren = 100000;
constexpr std::size_t kLongestName = 1024;    // bytes of a cell with a name in it, beside its own fields
constexpr std::size_t kLongestValue = 16344;  // bytes: longer ones lie in pieces, and nothing that we ask for has any
constexpr std::uint16_t kLatinKey = 0x20, kLatinValue = 0x1;
constexpr std::uint32_t kText = 1, kExpandable = 2, kDword = 4, kTexts = 7;

bool has_mark(const Bytes &bytes, std::string_view mark) {
  return bytes.size() >= mark.size() && std::memcmp(bytes.data(), mark.data(), mark.size()) == 0;
}

std::string name_of(std::span<const std::uint8_t> bytes, bool latin) {
  if (!latin) return text::from_utf16(text::utf16_units(bytes, std::endian::little));
  std::string out;
  for (const std::uint8_t byte : bytes) text::append_utf8(out, byte);
  return out;
}

// All words of the header but the last, one upon the other; two results have another meaning and are moved.
std::uint32_t checksum(const ByteReader &header) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < 508; at += 4) sum ^= header.little<std::uint32_t>(at, "header");
  return sum == 0 ? 1 : sum == kNone ? kNone - 1 : sum;
}

}  // namespace

Hive::Hive(SourcePtr file) : file_(std::move(file)) {
  const Bytes bytes = read_exactly(*file_, 0, 512);
  if (!has_mark(bytes, "regf"))
    malformed("the registry's file has no mark", text::hex(std::span(bytes).first(4)), "regf");
  const ByteReader header(bytes, {});
  const auto first = header.little<std::uint32_t>(4, "first sequence number");
  sequence_ = header.little<std::uint32_t>(8, "second sequence number");
  root_ = header.little<std::uint32_t>(36, "root key");
  dirty_ = first != sequence_ || header.little<std::uint32_t>(508, "checksum") != checksum(header);
}

Bytes Hive::cell(std::uint32_t offset, std::size_t at_most) const {
  const std::uint64_t at = kFirstBin + offset;
  const Bytes head = read_exactly(*file_, at, 4);
  const auto size = static_cast<std::int32_t>(ByteReader(head, {}).little<std::uint32_t>(0, "size of a cell"));
  if (size >= 0 || size == INT32_MIN || -size < 8)
    malformed("the registry names a cell that is not in use", "offset " + std::to_string(at));
  const auto length = static_cast<std::size_t>(-size) - 4;
  return read_exactly(*file_, at + 4, std::min(length, at_most));
}

Bytes Hive::key_cell(Key key) const {
  Bytes out = cell(key.cell, 76 + kLongestName);
  if (!has_mark(out, "nk")) malformed("the registry names a key that is none");
  return out;
}

std::string Hive::key_name(const Bytes &cell) const {
  const ByteReader reader(cell, {});
  const auto length = reader.little<std::uint16_t>(72, "length of a key's name");
  const bool latin = (reader.little<std::uint16_t>(2, "flags of a key") & kLatinKey) != 0;
  return name_of(reader.bytes(76, length, "name of a key"), latin);
}

// True when `visit` said that it has seen enough.
template <class Visit>
bool Hive::visit_list(std::uint32_t list, int depth, const Visit &visit) const {
  const Bytes bytes = cell(list, 4 + 8 * kMostChildren);
  const ByteReader reader(bytes, {});
  const auto count = reader.little<std::uint16_t>(2, "length of a list of keys");
  const bool hashed = has_mark(bytes, "lf") || has_mark(bytes, "lh");
  const bool lists = has_mark(bytes, "ri");
  if ((!hashed && !lists && !has_mark(bytes, "li")) || (lists && depth > 1))
    malformed("a list of the registry's keys cannot be understood");
  for (std::size_t i = 0; i < count; ++i) {
    const auto offset = reader.little<std::uint32_t>(4 + i * (hashed ? 8 : 4), "entry of a list of keys");
    if (lists ? visit_list(offset, depth + 1, visit) : visit(Key{offset})) return true;
  }
  return false;
}

std::vector<std::pair<std::string, Hive::Key>> Hive::children(Key key) const {
  std::vector<std::pair<std::string, Key>> out;
  const Bytes bytes = key_cell(key);
  const ByteReader reader(bytes, {});
  const auto list = reader.little<std::uint32_t>(28, "list of subkeys");
  if (reader.little<std::uint32_t>(20, "number of subkeys") == 0 || list == kNone) return out;
  visit_list(list, 0, [&](Key child) {
    out.emplace_back(key_name(key_cell(child)), child);
    return out.size() >= kMostChildren;
  });
  return out;
}

std::optional<Hive::Key> Hive::child(Key key, std::string_view name) const {
  const Bytes bytes = key_cell(key);
  const ByteReader reader(bytes, {});
  const auto list = reader.little<std::uint32_t>(28, "list of subkeys");
  if (reader.little<std::uint32_t>(20, "number of subkeys") == 0 || list == kNone) return std::nullopt;
  std::optional<Key> out;
  std::size_t seen = 0;
  visit_list(list, 0, [&](Key one) {
    if (text::iequals_ascii(key_name(key_cell(one)), name)) out = one;
    return out || ++seen >= kMostChildren;
  });
  return out;
}

std::optional<Hive::Key> Hive::find(Key from, std::string_view path) const {
  std::optional<Key> at = from;
  while (at && !path.empty()) {
    const std::size_t end = std::min(path.find('\\'), path.size());
    at = child(*at, path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return at;
}

std::optional<Hive::Value> Hive::value(Key key, std::string_view name) const {
  const Bytes bytes = key_cell(key);
  const ByteReader reader(bytes, {});
  const auto count = reader.little<std::uint32_t>(36, "number of values");
  const auto list = reader.little<std::uint32_t>(40, "list of values");
  if (count == 0 || list == kNone) return std::nullopt;
  if (count > kMostValues) malformed("a key of the registry has too many values", std::to_string(count));
  const Bytes offsets = cell(list, std::size_t{4} * count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = ByteReader(offsets, {}).little<std::uint32_t>(4 * i, "entry of a list of values");
    const Bytes raw = cell(at, 20 + kLongestName);
    if (!has_mark(raw, "vk")) malformed("the registry names a value that is none");
    const ByteReader one(raw, {});
    const auto length = one.little<std::uint16_t>(2, "length of a value's name");
    const bool latin = (one.little<std::uint16_t>(16, "flags of a value") & kLatinValue) != 0;
    if (!text::iequals_ascii(name_of(one.bytes(20, length, "name of a value"), latin), name)) continue;
    Value out;
    out.type = one.little<std::uint32_t>(12, "type of a value");
    const auto size = one.little<std::uint32_t>(4, "length of a value");
    constexpr std::uint32_t kInside = 0x80000000;  // four bytes or fewer stand in place of their offset
    if ((size & kInside) != 0) {
      const auto inside = one.bytes(8, std::min<std::uint32_t>(size & ~kInside, 4), "value");
      out.data.assign(inside.begin(), inside.end());
      out.data_at = kFirstBin + at + 4 + 8;
    } else if (size <= kLongestValue) {
      const auto data = one.little<std::uint32_t>(8, "place of a value");
      if (size > 0) out.data = cell(data, size);
      if (out.data.size() < size) malformed("a value of the registry is longer than its cell");
      out.data_at = kFirstBin + data + 4;
    }
    return out;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> Hive::dword(Key key, std::string_view name) const {
  const auto found = value(key, name);
  if (!found || found->type != kDword || found->data.size() != 4) return std::nullopt;
  return ByteReader(found->data, {}).little<std::uint32_t>(0, "DWORD");
}

std::string Hive::text(Key key, std::string_view name) const {
  const auto found = value(key, name);
  if (!found || (found->type != kText && found->type != kExpandable)) return {};
  return text::from_utf16_field(found->data, std::endian::little);
}

std::vector<std::string> Hive::texts(Key key, std::string_view name) const {
  std::vector<std::string> out;
  const auto found = value(key, name);
  if (!found) return out;
  if (found->type == kText) return {text(key, name)};
  if (found->type != kTexts) return out;
  std::u16string one;
  for (const char16_t unit : text::utf16_units(found->data, std::endian::little)) {
    if (unit != 0) {
      one += unit;
    } else if (!one.empty()) {
      out.push_back(text::from_utf16(one));
      one.clear();
    }
  }
  if (!one.empty()) out.push_back(text::from_utf16(one));
  return out;
}

// The header is the hive's as it was; behind it stand entries, each with the sequence number that the hive gets by it
// (Windows 8.1 and later), or a map of what is dirty (before), which is only written when the hive is to be.
bool log_is_newer(const Source &log, std::uint32_t sequence) {
  const Bytes bytes = read_up_to(log, 0, 1024);
  if (bytes.size() < 512 + 40 || !has_mark(bytes, "regf")) return false;
  const ByteReader reader(bytes, {});
  if (std::memcmp(bytes.data() + 512, "HvLE", 4) == 0) {
    const auto entry = reader.little<std::uint32_t>(512 + 12, "sequence number of a log's entry");
    return entry >= sequence && reader.little<std::uint32_t>(512 + 4, "size of a log's entry") != 0;
  }
  return std::memcmp(bytes.data() + 512, "DIRT", 4) == 0 &&
         reader.little<std::uint32_t>(4, "first sequence number") > sequence;
}

}  // namespace ferry::guest
