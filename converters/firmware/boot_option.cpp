// SPDX-License-Identifier: Apache-2.0
// EFI_LOAD_OPTION and device paths: UEFI specification 2.10, sections 3.1.3 and 10.3.
//   u32 attributes, u16 path length, description (UTF-16, NUL), path, optional data up to the end
//   a path node: u8 type, u8 subtype, u16 length (with this header), content
// Known deviants: VMware sets bit 30 in the attributes of entries that its firmware made; EDK2 marks its own by a
// GUID as optional data; file paths exist without the backslash in front.
#include "converters/firmware/boot_option.hpp"

#include <algorithm>
#include <array>

#include "converters/firmware/variable.hpp"

#include "support/byte_reader.hpp"
#include "support/text.hpp"

namespace ferry::firmware {

namespace {

// EDK2's mark of automatically created entries, 8108ac4e-9f11-4d59-850e-e21a522c59b2.
constexpr Guid kAutomaticGuid = {0x4e, 0xac, 0x08, 0x81, 0x11, 0x9f, 0x59, 0x4d,
                                 0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59, 0xb2};

// LOAD_OPTION_ACTIVE, FORCE_RECONNECT, HIDDEN and the category bits.
constexpr std::uint32_t kDefinedAttributes = 0x00001F0B;

constexpr std::uint8_t kMediaType = 4;
constexpr std::uint8_t kHardDrive = 1;
constexpr std::uint8_t kFilePath = 4;
constexpr std::uint8_t kEndType = 0x7F;
constexpr std::uint8_t kEndOfPath = 0xFF;
constexpr std::size_t kNodeHeader = 4;
constexpr std::size_t kHardDriveSize = 42;

struct Node {
  std::uint8_t type, subtype;
  std::size_t offset, length;  // in the path; the length counts the header
};

// The nodes of the first path of the list, its end node included; nullopt when it does not end.
std::optional<std::vector<Node>> nodes_of(const ByteReader &path) {
  std::vector<Node> out;
  std::size_t at = 0;
  while (at + kNodeHeader <= path.size()) {
    const Node node{.type = path.little<std::uint8_t>(at, "node type"),
                    .subtype = path.little<std::uint8_t>(at + 1, "node subtype"),
                    .offset = at,
                    .length = path.little<std::uint16_t>(at + 2, "node length")};
    if (node.length < kNodeHeader || node.length > path.size() - at) return std::nullopt;
    out.push_back(node);
    if (node.type == kEndType) return node.subtype == kEndOfPath ? std::optional(out) : std::nullopt;
    at += node.length;
  }
  return std::nullopt;
}

// A signature type of none, or an empty signature: the firmware has nothing to find the partition by.
bool has_signature(const ByteReader &path, const Node &node) {
  constexpr std::size_t kSignatureAt = 24;
  constexpr std::size_t kTypeAt = 41;
  const auto signature = path.bytes(node.offset + kSignatureAt, 16, "partition signature");
  const auto type = path.little<std::uint8_t>(node.offset + kTypeAt, "signature type");
  const bool empty = std::ranges::all_of(signature, [](std::uint8_t byte) { return byte == 0; });
  return (type == 1 || type == 2) && !empty;
}

bool is_node(const Node &node, std::uint8_t subtype) { return node.type == kMediaType && node.subtype == subtype; }

std::variant<BootOption, Unportable> cut_path(const ByteReader &path) {
  const auto nodes = nodes_of(path);
  if (!nodes) return Unportable::malformed;
  auto partition = nodes->end();
  for (auto node = nodes->begin(); node != nodes->end(); ++node) {
    if (is_node(*node, kHardDrive)) partition = node;
  }
  if (partition == nodes->end()) return Unportable::no_partition;
  if (partition->length != kHardDriveSize) return Unportable::malformed;
  if (!has_signature(path, *partition)) return Unportable::no_signature;
  BootOption out;
  const auto last = nodes->end() - 1;
  for (auto node = partition + 1; node != last; ++node) {
    if (!is_node(*node, kFilePath)) return Unportable::no_file;
    const auto name = path.bytes(node->offset + kNodeHeader, node->length - kNodeHeader, "file path");
    const std::u16string piece = text::utf16_units(name, std::endian::little);
    out.file += piece.substr(0, piece.find(u'\0'));
  }
  if (out.file.empty()) return Unportable::no_file;
  const auto cut = path.bytes(partition->offset, last->offset + last->length - partition->offset, "device path");
  out.path.assign(cut.begin(), cut.end());
  return out;
}

}  // namespace

std::optional<std::uint16_t> boot_number(std::u16string_view name) {
  if (name.size() != 8 || !name.starts_with(u"Boot")) return std::nullopt;
  unsigned value = 0;
  for (const char16_t digit : name.substr(4)) {
    const bool decimal = digit >= u'0' && digit <= u'9';
    if (!decimal && (digit < u'A' || digit > u'F')) return std::nullopt;
    value = value * 16 + (decimal ? digit - u'0' : digit - u'A' + 10U);
  }
  return static_cast<std::uint16_t>(value);
}

std::u16string boot_name(std::uint16_t number) {
  constexpr std::u16string_view kDigits = u"0123456789ABCDEF";
  std::u16string out = u"Boot";
  for (int shift = 12; shift >= 0; shift -= 4) out.push_back(kDigits[(static_cast<unsigned>(number) >> shift) & 0xFU]);
  return out;
}

std::string_view explain(Unportable reason) {
  switch (reason) {
    case Unportable::made_by_firmware: return "the source's firmware made it itself";
    case Unportable::no_partition: return "it names a device of the source and no partition";
    case Unportable::no_signature: return "it names a partition without a signature to find it by";
    case Unportable::no_file: return "it names a partition and no file on it";
    case Unportable::malformed: return "it is malformed";
  }
  return "";
}

ParsedOption parse_boot_option(std::span<const std::uint8_t> data) {
  constexpr std::size_t kFixed = 6;
  if (data.size() < kFixed) return {.description = {}, .outcome = Unportable::malformed};
  const ByteReader reader(data, {});
  const std::size_t path_size = reader.little<std::uint16_t>(4, "path length");
  std::size_t end = kFixed;
  while (end + 1 < data.size() && (data[end] != 0 || data[end + 1] != 0)) end += 2;
  if (end + 1 >= data.size()) return {.description = {}, .outcome = Unportable::malformed};
  ParsedOption out{.description = text::utf16_units(data.subspan(kFixed, end - kFixed), std::endian::little),
                   .outcome = Unportable::malformed};
  const std::size_t path_at = end + 2;
  if (path_size > data.size() - path_at) return out;
  const auto optional = data.subspan(path_at + path_size);
  if (std::ranges::equal(optional, kAutomaticGuid)) {
    out.outcome = Unportable::made_by_firmware;
    return out;
  }
  out.outcome = cut_path(ByteReader(data.subspan(path_at, path_size), {}));
  if (auto *option = std::get_if<BootOption>(&out.outcome)) {
    option->attributes = reader.little<std::uint32_t>(0, "attributes") & kDefinedAttributes;
    option->description = out.description;
    option->optional.assign(optional.begin(), optional.end());
  }
  return out;
}

std::vector<std::uint8_t> serialise(const BootOption &option) {
  std::vector<std::uint8_t> out;
  const auto put = [&out](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  put(option.attributes, 4);
  put(static_cast<std::uint32_t>(option.path.size()), 2);
  for (const char16_t unit : option.description) put(unit, 2);
  put(0, 2);
  out.insert(out.end(), option.path.begin(), option.path.end());
  out.insert(out.end(), option.optional.begin(), option.optional.end());
  return out;
}

}  // namespace ferry::firmware
