// SPDX-License-Identifier: Apache-2.0
// A firmware volume that holds a variable store. Layout and constants: UEFI PI specification (firmware volume
// header) and EDK2's published headers; measured on OVMF 2022.11 and VirtualBox 7.0.10 (NVRAM notes of the project).
//   0x00  firmware volume header, HeaderLength bytes (0x48 with one block map entry)
//   0x48  variable store header, 28 bytes, then variables, each starting 4-aligned
// A variable: 60-byte header, UTF-16 name with NUL, data directly after it, padding with FF. The list ends at the
// first start that is not 0x55AA. Variables are never overwritten: a newer copy is appended and bits of the older
// one's state are cleared. Nothing but the volume header has a checksum, so appending changes no other byte.
// Known deviants: VirtualBox's fault-tolerant-write area has another CRC and zeros at 0x82000 (OVMF tolerates it);
// AAVMF's block map covers 64 MiB and not FvLength; AAVMF_VARS.fd as shipped is all zeros, without a header.
#include "converters/firmware/edk2_store.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "converters/firmware/malformed.hpp"

#include "support/byte_reader.hpp"
#include "support/text.hpp"

namespace ferry::firmware {

namespace {

constexpr Guid kFileSystemGuid = {0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c,
                                  0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50};
constexpr Guid kAuthenticatedGuid = {0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43,
                                     0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92};
constexpr Guid kPlainGuid = {0x16, 0x36, 0xcf, 0xdd, 0x75, 0x32, 0x64, 0x41,
                             0x98, 0xb6, 0xfe, 0x85, 0x70, 0x7f, 0xfe, 0x7d};

constexpr std::size_t kVolumeHeaderSize = 0x48;  // with the usual one entry in the block map
constexpr std::size_t kStoreHeaderSize = 28;
constexpr std::size_t kVariableHeaderSize = 60;
constexpr std::uint16_t kVariableStart = 0x55AA;
constexpr std::uint8_t kStateLive = 0x3F;       // added, nothing cleared since
constexpr std::uint8_t kStateInTransit = 0x3E;  // a newer copy is being written; valid until that is there
constexpr std::uint8_t kStateDeletedBit = 0x02;

std::size_t align4(std::size_t offset) { return (offset + 3) & ~std::size_t{3}; }

// 16-bit words of the header sum to zero.
std::uint16_t checksum16(const ByteReader &reader, std::size_t length) {
  std::uint16_t sum = 0;
  for (std::size_t i = 0; i < length; i += 2) {
    sum = static_cast<std::uint16_t>(sum + reader.little<std::uint16_t>(i, "volume header"));
  }
  return sum;
}

template <class Integer>
void write_little(std::vector<std::uint8_t> &bytes, std::size_t offset, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    bytes[offset + i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8 * i));
  }
}

}  // namespace

Edk2Store::Edk2Store(std::vector<std::uint8_t> bytes, const Place &place) : bytes_(std::move(bytes)), place_(place) {
  check_volume(place);
  read_records(place);
  collect_live();
}

void Edk2Store::check_volume(const Place &place) {
  const ByteReader reader(bytes_, place);
  if (reader.guid(0x10, "file system GUID") != kFileSystemGuid) {
    malformed(reader.at(0x10, "file system GUID"), "this is not a volume of UEFI variables", "another GUID",
              "fff12b8d-7696-4c8b-a985-2747075b4f50");
  }
  if (reader.text(0x28, 4, "signature") != "_FVH") {
    malformed(reader.at(0x28, "signature"), "this is not a firmware volume", "other bytes", "_FVH");
  }
  const auto length = reader.little<std::uint64_t>(0x20, "volume length");
  if (length > bytes_.size()) {
    malformed(reader.at(0x20, "volume length"), "the volume is longer than its file", std::to_string(length),
              "at most " + std::to_string(bytes_.size()));
  }
  const auto header = reader.little<std::uint16_t>(0x30, "header length");
  if (header < kVolumeHeaderSize || header % 2 != 0 || header > length) {
    malformed(reader.at(0x30, "header length"), "the volume header has an impossible length", std::to_string(header),
              "an even number from 72 to the volume's length");
  }
  if (const std::uint16_t sum = checksum16(reader, header); sum != 0) {
    malformed(reader.at(0x32, "checksum"), "the volume header's checksum is wrong", "a sum of " + std::to_string(sum),
              "0");
  }
  const Guid kind = reader.guid(header, "store GUID");
  if (kind == kPlainGuid) {
    throw Error(ErrorKind::unsupported, {.where = reader.at(header, "store GUID"),
                                         .message = "this is a store of unauthenticated variables",
                                         .expected = "an authenticated one, as OVMF and VirtualBox write it"});
  }
  if (kind != kAuthenticatedGuid) {
    malformed(reader.at(header, "store GUID"), "the volume does not hold a variable store", "another GUID",
              "aaf32c78-947b-439a-a180-2e144ec37792");
  }
  const auto size = reader.little<std::uint32_t>(header + std::size_t{16}, "store size");
  if (size < kStoreHeaderSize || size > length - header) {
    malformed(reader.at(header + std::size_t{16}, "store size"), "the variable store has an impossible size",
              std::to_string(size), "28 to " + std::to_string(length - header));
  }
  const auto format = reader.little<std::uint8_t>(header + std::size_t{20}, "store format");
  if (format != 0x5A) {
    malformed(reader.at(header + std::size_t{20}, "store format"), "the variable store is not formatted",
              std::to_string(format), "90");
  }
  const auto state = reader.little<std::uint8_t>(header + std::size_t{21}, "store state");
  if (state != 0xFE) {
    malformed(reader.at(header + std::size_t{21}, "store state"), "the variable store is not healthy",
              std::to_string(state), "254");
  }
  first_ = header + kStoreHeaderSize;
  end_ = header + std::size_t{size};
}

void Edk2Store::read_records(const Place &place) {
  const ByteReader reader({bytes_.data(), end_}, place);
  std::size_t at = align4(first_);
  while (at + kVariableHeaderSize <= end_ && reader.little<std::uint16_t>(at, "variable") == kVariableStart) {
    Record record{.offset = at, .state = reader.little<std::uint8_t>(at + 2, "variable state"), .variable = {}};
    const std::size_t name_size = reader.little<std::uint32_t>(at + 0x24, "name size");
    const std::size_t data_size = reader.little<std::uint32_t>(at + 0x28, "data size");
    const std::size_t left = end_ - at - kVariableHeaderSize;
    // An unfinished write can leave both sizes erased; nothing valid can follow such a record.
    if (name_size > left || data_size > left - name_size) {
      if (record.state != kStateLive && record.state != kStateInTransit) break;
      malformed(reader.at(at + 0x24, "variable sizes"), "a variable is longer than its store",
                std::to_string(name_size) + " and " + std::to_string(data_size), "at most " + std::to_string(left));
    }
    if (record.state == kStateLive || record.state == kStateInTransit) {
      const auto name = reader.bytes(at + kVariableHeaderSize, name_size, "variable name");
      if (name_size < 2 || name_size % 2 != 0 || name[name_size - 1] != 0 || name[name_size - 2] != 0) {
        malformed(reader.at(at + kVariableHeaderSize, "variable name"), "a variable's name is not terminated",
                  std::to_string(name_size) + " bytes", "UTF-16 with a NUL at its end");
      }
      const auto data = reader.bytes(at + kVariableHeaderSize + name_size, data_size, "variable data");
      record.variable = {.name = text::utf16_units(name.first(name_size - 2), std::endian::little),
                         .guid = reader.guid(at + 0x2C, "vendor GUID"),
                         .attributes = reader.little<std::uint32_t>(at + 4, "attributes"),
                         .timestamp = reader.guid(at + 0x10, "time stamp"),
                         .data = {data.begin(), data.end()}};
      records_.push_back(std::move(record));
    }
    at = align4(at + kVariableHeaderSize + name_size + data_size);
  }
  tail_ = std::min(at, end_);
}

// A live copy wins over one in transit, whatever their order; of two of the same state the later one.
void Edk2Store::collect_live() {
  variables_.clear();
  std::vector<std::uint8_t> states;
  std::map<std::pair<std::u16string_view, Guid>, std::size_t> places;  // views into records_
  for (const Record &record : records_) {
    const auto [place, fresh] = places.try_emplace({record.variable.name, record.variable.guid}, variables_.size());
    if (fresh) {
      variables_.push_back(record.variable);
      states.push_back(record.state);
    } else if (record.state >= states[place->second]) {
      variables_[place->second] = record.variable;
      states[place->second] = record.state;
    }
  }
}

void Edk2Store::require_erased_tail() const {
  const auto from = bytes_.begin() + static_cast<std::ptrdiff_t>(tail_);
  const auto to = bytes_.begin() + static_cast<std::ptrdiff_t>(end_);
  const auto used = std::find_if(from, to, [](std::uint8_t byte) { return byte != 0xFF; });
  if (used == to) return;
  const ByteReader reader(bytes_, place_);
  malformed(reader.at(static_cast<std::size_t>(used - bytes_.begin()), "free space"),
            "the variable store has data after its last variable", std::to_string(*used), "255, erased flash");
}

std::size_t Edk2Store::size_of(const Variable &variable) {
  return align4(kVariableHeaderSize + 2 * (variable.name.size() + 1) + variable.data.size());
}

void Edk2Store::remove(std::u16string_view name, const Guid &guid) {
  std::erase_if(records_, [&](const Record &record) {
    if (record.variable.name != name || record.variable.guid != guid) return false;
    bytes_[record.offset + 2] = static_cast<std::uint8_t>(record.state & ~kStateDeletedBit);
    return true;
  });
  collect_live();
}

void Edk2Store::put(const Variable &variable) {
  const std::size_t size = size_of(variable);
  if (size > free_bytes()) {
    throw Error(ErrorKind::no_space, {.where = place_,
                                      .message = "the variable store is full",
                                      .found = std::to_string(free_bytes()) + " free bytes",
                                      .expected = std::to_string(size) + " for " + shown(variable.name)});
  }
  remove(variable.name, variable.guid);
  const std::size_t at = tail_;
  const std::size_t name_size = 2 * (variable.name.size() + 1);
  write_little<std::uint16_t>(bytes_, at, kVariableStart);
  bytes_[at + 2] = kStateLive;
  bytes_[at + 3] = 0;
  write_little<std::uint32_t>(bytes_, at + 4, variable.attributes);
  write_little<std::uint64_t>(bytes_, at + 8, 0);  // monotonic count
  std::ranges::copy(variable.timestamp, bytes_.begin() + static_cast<std::ptrdiff_t>(at + 0x10));
  write_little<std::uint32_t>(bytes_, at + 0x20, 0);  // public key index
  write_little<std::uint32_t>(bytes_, at + 0x24, static_cast<std::uint32_t>(name_size));
  write_little<std::uint32_t>(bytes_, at + 0x28, static_cast<std::uint32_t>(variable.data.size()));
  std::ranges::copy(variable.guid, bytes_.begin() + static_cast<std::ptrdiff_t>(at + 0x2C));
  std::size_t next = at + kVariableHeaderSize;
  for (const char16_t unit : variable.name) {
    write_little<std::uint16_t>(bytes_, next, unit);
    next += 2;
  }
  write_little<std::uint16_t>(bytes_, next, 0);
  std::ranges::copy(variable.data, bytes_.begin() + static_cast<std::ptrdiff_t>(next + 2));
  tail_ = at + size;
  records_.push_back({.offset = at, .state = kStateLive, .variable = variable});
  collect_live();
}

}  // namespace ferry::firmware
