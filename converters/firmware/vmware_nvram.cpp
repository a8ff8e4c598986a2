// SPDX-License-Identifier: Apache-2.0
// VMware's .nvram, as measured on files of Workstation and ESX (there is no published description):
//   "MRVN", u32 1, then chunks { name[8], u32 length, data } up to the end of the file
// The chunk "EFI_NV" holds { "VMWNVRAM", u32 0, u32 used } and packed records { GUID, u32 attributes, u32 total of
// name and data, u32 name, name, data }, unaligned, without checksum; `used` counts the 16 header bytes.
// Known deviants: macOS guests keep variables with names such as BootOrder under Apple's GUID; boot entries that the
// firmware made carry bit 30 in their load option attributes. Records of authenticated variables were never seen.
#include "converters/firmware/vmware_nvram.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "converters/firmware/malformed.hpp"

#include "support/byte_reader.hpp"
#include "support/text.hpp"

namespace ferry::firmware {

namespace {

constexpr std::array<std::uint8_t, 8> kFileStart = {'M', 'R', 'V', 'N', 1, 0, 0, 0};
constexpr std::array<std::uint8_t, 4> kEncryptedStart = {0x9E, 0xDD, 0x43, 0x89};
constexpr std::size_t kChunkHeader = 12;
constexpr std::size_t kAreaHeader = 16;
constexpr std::size_t kRecordHeader = 28;

bool starts_with(std::span<const std::uint8_t> bytes, std::span<const std::uint8_t> start) {
  return bytes.size() >= start.size() && std::ranges::equal(bytes.first(start.size()), start);
}

std::vector<Variable> parse_area(const ByteReader &reader) {
  std::vector<Variable> out;
  if (reader.text(0, 8, "variable area") != "VMWNVRAM") {
    malformed(reader.at(0, "variable area"), "this is not an area of EFI variables", "other bytes", "VMWNVRAM");
  }
  const std::size_t used = reader.little<std::uint32_t>(12, "used bytes");
  if (used < kAreaHeader || used > reader.size()) {
    malformed(reader.at(12, "used bytes"), "the area of EFI variables has an impossible length", std::to_string(used),
              "16 to " + std::to_string(reader.size()));
  }
  std::size_t at = kAreaHeader;
  while (at < used) {
    if (used - at < kRecordHeader) {
      malformed(reader.at(at, "variable"), "a variable's record is cut off", std::to_string(used - at) + " bytes",
                "at least " + std::to_string(kRecordHeader));
    }
    const std::size_t total = reader.little<std::uint32_t>(at + 20, "record size");
    const std::size_t name_size = reader.little<std::uint32_t>(at + 24, "name size");
    const std::size_t left = used - at - kRecordHeader;
    if (total > left || name_size > total) {
      malformed(reader.at(at + 20, "record size"), "a variable is longer than its area",
                std::to_string(name_size) + " of " + std::to_string(total), "at most " + std::to_string(left));
    }
    const auto name = reader.bytes(at + kRecordHeader, name_size, "variable name");
    if (name_size < 2 || name_size % 2 != 0 || name[name_size - 1] != 0 || name[name_size - 2] != 0) {
      malformed(reader.at(at + kRecordHeader, "variable name"), "a variable's name is not terminated",
                std::to_string(name_size) + " bytes", "UTF-16 with a NUL at its end");
    }
    const auto data = reader.bytes(at + kRecordHeader + name_size, total - name_size, "variable data");
    out.push_back({.name = text::utf16_units(name.first(name_size - 2), std::endian::little),
                   .guid = reader.guid(at, "vendor GUID"),
                   .attributes = reader.little<std::uint32_t>(at + 16, "attributes"),
                   .timestamp = {},
                   .data = {data.begin(), data.end()}});
    at += kRecordHeader + total;
  }
  return out;
}

}  // namespace

bool is_vmware_nvram(std::span<const std::uint8_t> bytes) { return starts_with(bytes, kFileStart); }

bool is_encrypted_vmware_nvram(std::span<const std::uint8_t> bytes) { return starts_with(bytes, kEncryptedStart); }

std::vector<Variable> parse_vmware_nvram(std::span<const std::uint8_t> bytes, const Place &place) {
  const ByteReader reader(bytes, place);
  if (!is_vmware_nvram(bytes))
    malformed(reader.at(0, "signature"), "this is not VMware's nvram", "other bytes", "MRVN 1");
  std::vector<Variable> out;
  bool found = false;
  std::size_t at = kFileStart.size();
  while (at < bytes.size()) {
    const std::string name = reader.text(at, 8, "chunk name");
    const std::size_t length = reader.little<std::uint32_t>(at + 8, "chunk length");
    const auto data = reader.bytes(at + kChunkHeader, length, "chunk " + name);
    if (name == "EFI_NV") {
      if (found) malformed(reader.at(at, "chunk name"), "the EFI variables appear twice", "EFI_NV", "one");
      found = true;
      out = parse_area(ByteReader(data, place, at + kChunkHeader));
    }
    at += kChunkHeader + length;
  }
  return out;
}

}  // namespace ferry::firmware
