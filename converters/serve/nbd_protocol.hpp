// SPDX-License-Identifier: Apache-2.0
// Numbers of the NBD protocol, as a server that only reads needs them. Facts: doc/proto.md of the NBD project
// (github.com/NetworkBlockDevice/nbd). All of them are big-endian on the wire.
#pragma once

#include <cstdint>
#include <string_view>

namespace ferry::serve::nbd {

// ---- the handshake, "fixed newstyle" ----

inline constexpr std::uint64_t kGreeting = 0x4e42444d41474943;  // "NBDMAGIC"
inline constexpr std::uint64_t kOption = 0x49484156454F5054;    // "IHAVEOPT"
inline constexpr std::uint64_t kOptionReply = 0x0003e889045565a9;
inline constexpr std::uint16_t kFixedNewstyle = 1U << 0U, kNoZeroes = 1U << 1U;  // of both sides

enum class Option : std::uint32_t {
  export_name = 1,
  abort = 2,
  list = 3,
  starttls = 5,
  info = 6,
  go = 7,
  structured_reply = 8,
  list_meta_context = 9,
  set_meta_context = 10,
};

enum class Reply : std::uint32_t {
  ack = 1,
  server = 2,
  info = 3,
  meta_context = 4,
  unsupported = 0x80000001,
  invalid = 0x80000003,
  unknown = 0x80000006,
};

enum class Info : std::uint16_t { disk = 0, block_size = 3 };

inline constexpr std::string_view kAllocation = "base:allocation";
inline constexpr std::uint32_t kAllocationId = 1;                   // ours
inline constexpr std::uint32_t kHole = 1U << 0U, kZero = 1U << 1U;  // what it says of a range

// What an export is: its transmission flags.
inline constexpr std::uint16_t kHasFlags = 1U << 0U, kReadOnly = 1U << 1U, kSendDf = 1U << 7U, kCanMultiConn = 1U << 8U;

inline constexpr std::uint32_t kLongestOption = 65536;  // bytes of one option; names have at most 4096
inline constexpr std::uint32_t kMostOptions = 256;      // of one client; a friendly one sends about five

// ---- transmission ----

inline constexpr std::uint32_t kRequest = 0x25609513, kSimpleReply = 0x67446698, kStructuredReply = 0x668e33ef;
inline constexpr std::uint16_t kDone = 1U << 0U;                                 // of a structured reply
inline constexpr std::uint16_t kDontFragment = 1U << 2U, kOneExtent = 1U << 3U;  // of a request

enum class Command : std::uint16_t { read = 0, write = 1, disconnect = 2, block_status = 7 };
enum class Chunk : std::uint16_t { none = 0, data = 1, hole = 2, block_status = 5, error = 0x8001 };
enum class Failure : std::uint32_t { none = 0, not_permitted = 1, io = 5, invalid = 22, overflow = 75 };

inline constexpr std::uint32_t kLargestRead = 32U << 20U;   // bytes; what clients may count on
inline constexpr std::uint32_t kLargestWrite = 32U << 20U;  // bytes that are passed over: all writing is refused
inline constexpr std::uint32_t kPreferredBlock = 65536;     // bytes

}  // namespace ferry::serve::nbd
