// SPDX-License-Identifier: Apache-2.0
#include "hosts/sftp_packets.hpp"

namespace ferry::sftp {

namespace {

constexpr std::uint32_t kHasSize = 1, kHasOwner = 2, kHasMode = 4, kHasTimes = 8, kHasMore = 0x80000000U;
constexpr std::uint32_t kMostExtensions = 64;  // of one file's attributes
constexpr std::size_t kSmallestName = 12;      // bytes: two lengths and the flags

}  // namespace

std::span<const std::uint8_t> PacketReader::take(std::size_t count) {
  if (count > rest_.size()) throw BadPacket("a packet ends before its content does");
  const auto out = rest_.first(count);
  rest_ = rest_.subspan(count);
  return out;
}

std::uint8_t PacketReader::byte() { return take(1).front(); }

std::uint32_t PacketReader::number() {
  std::uint32_t out = 0;
  for (const std::uint8_t byte : take(4)) out = out << 8U | byte;
  return out;
}

std::uint64_t PacketReader::long_number() {
  const std::uint64_t high = number();
  return high << 32U | number();
}

std::span<const std::uint8_t> PacketReader::string(std::uint32_t most) {
  const std::uint32_t length = number();
  if (length > most)
    throw BadPacket("a string of " + std::to_string(length) + " bytes, where " + std::to_string(most) + " are allowed");
  return take(length);
}

std::string PacketReader::text(std::uint32_t most) {
  const auto bytes = string(most);
  return {bytes.begin(), bytes.end()};
}

PacketWriter::PacketWriter(Type type, std::optional<std::uint32_t> id) : bytes_(4) {
  bytes_.push_back(static_cast<std::uint8_t>(type));
  if (id) number(*id);
}

PacketWriter &PacketWriter::number(std::uint32_t value) {
  for (unsigned shift = 32; shift > 0; shift -= 8) bytes_.push_back(static_cast<std::uint8_t>(value >> (shift - 8)));
  return *this;
}

PacketWriter &PacketWriter::long_number(std::uint64_t value) {
  number(static_cast<std::uint32_t>(value >> 32U));
  return number(static_cast<std::uint32_t>(value));
}

PacketWriter &PacketWriter::string(std::string_view value) {
  number(static_cast<std::uint32_t>(value.size()));
  bytes_.insert(bytes_.end(), value.begin(), value.end());
  return *this;
}

const std::vector<std::uint8_t> &PacketWriter::done() {
  const auto length = static_cast<std::uint32_t>(bytes_.size() - 4);
  for (unsigned i = 0; i < 4; ++i) bytes_[i] = static_cast<std::uint8_t>(length >> (24 - 8 * i));
  return bytes_;
}

Attributes read_attributes(PacketReader &packet) {
  Attributes out;
  const std::uint32_t flags = packet.number();
  if ((flags & kHasSize) != 0) out.size = packet.long_number();
  if ((flags & kHasOwner) != 0) {
    out.owner = packet.number();
    static_cast<void>(packet.number());  // the group
  }
  if ((flags & kHasMode) != 0) out.mode = packet.number();
  if ((flags & kHasTimes) != 0) {
    static_cast<void>(packet.number());  // of the last access
    out.modified = packet.number();
  }
  if ((flags & kHasMore) != 0) {
    const std::uint32_t count = packet.number();
    if (count > kMostExtensions) throw BadPacket("a file with " + std::to_string(count) + " additional attributes");
    for (std::uint32_t i = 0; i < count; ++i) {
      static_cast<void>(packet.string(kMostPacket));
      static_cast<void>(packet.string(kMostPacket));
    }
  }
  return out;
}

std::vector<Name> read_names(PacketReader &packet) {
  const std::uint32_t count = packet.number();
  if (count > kMostPacket / kSmallestName) throw BadPacket("an answer with " + std::to_string(count) + " names");
  std::vector<Name> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    Name name;
    name.name = packet.text(kMostName);
    static_cast<void>(packet.string(kMostPacket));  // "ls -l", for people
    name.attributes = read_attributes(packet);
    out.push_back(std::move(name));
  }
  return out;
}

}  // namespace ferry::sftp
