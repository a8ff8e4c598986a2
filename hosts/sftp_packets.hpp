// SPDX-License-Identifier: Apache-2.0
// SFTP version 3, the packets that reading takes (draft-ietf-secsh-filexfer-02, and OpenSSH's PROTOCOL for
// limits@openssh.com). A packet is u32 length, u8 type, and but for the first ones u32 id; numbers are big-endian; a
// string is u32 length and bytes. A server is as little trusted as a disk image: every length is checked before it is
// used.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::sftp {

enum class Type : std::uint8_t {
  init = 1,
  version = 2,
  open = 3,
  close = 4,
  read = 5,
  lstat = 7,
  fstat = 8,
  opendir = 11,
  readdir = 12,
  realpath = 16,
  stat = 17,
  status = 101,
  handle = 102,
  data = 103,
  name = 104,
  attributes = 105,
  extended = 200,
  extended_reply = 201,
};

// SSH_FX_*
enum class Code : std::uint32_t { ok = 0, end = 1, no_such_file = 2, denied = 3, failure = 4, unsupported = 8 };

inline constexpr std::uint32_t kVersion = 3;
inline constexpr std::uint32_t kMostPacket = 262144 + 64;  // bytes after the length: OpenSSH's SFTP_MAX_MSG_LENGTH
inline constexpr std::uint32_t kMostRequest = 8192;        // bytes after the length of what is asked
inline constexpr std::uint32_t kMostName = 4096;           // bytes of a path (PATH_MAX)
inline constexpr std::uint32_t kMostHandle = 256;          // bytes; the draft's limit
inline constexpr std::uint32_t kPlainRead = 32768;         // bytes of a read that every server gives (the draft)

// What is no packet of this protocol. `what()` is a clause.
class BadPacket : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Takes a packet's body apart. All functions throw BadPacket where it is too short.
class PacketReader {
 public:
  explicit PacketReader(std::span<const std::uint8_t> bytes) : rest_(bytes) {}
  [[nodiscard]] std::uint8_t byte();
  [[nodiscard]] std::uint32_t number();
  [[nodiscard]] std::uint64_t long_number();
  // Throws BadPacket where it is longer than `most`, too.
  [[nodiscard]] std::span<const std::uint8_t> string(std::uint32_t most);
  [[nodiscard]] std::string text(std::uint32_t most);
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::span<const std::uint8_t> take(std::size_t count);
  std::span<const std::uint8_t> rest_;
};

// Puts a packet together.
class PacketWriter {
 public:
  // With an id, which follows the type; version and init have none.
  PacketWriter(Type type, std::optional<std::uint32_t> id);
  PacketWriter &number(std::uint32_t value);
  PacketWriter &long_number(std::uint64_t value);
  PacketWriter &string(std::string_view value);
  // The whole packet, with its length.
  [[nodiscard]] const std::vector<std::uint8_t> &done();

 private:
  std::vector<std::uint8_t> bytes_;
};

// Of a file. What the server leaves out is nullopt.
struct Attributes {
  std::optional<std::uint64_t> size;      // bytes
  std::optional<std::uint32_t> owner;     // user id
  std::optional<std::uint32_t> mode;      // st_mode: type and permissions
  std::optional<std::uint32_t> modified;  // seconds since 1970
};
[[nodiscard]] Attributes read_attributes(PacketReader &packet);

// One name of an answer to READDIR or REALPATH.
struct Name {
  std::string name;
  Attributes attributes;
};
[[nodiscard]] std::vector<Name> read_names(PacketReader &packet);

}  // namespace ferry::sftp
