// SPDX-License-Identifier: Apache-2.0
#include "converters/verify/nbd_client.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

#include "support/error.hpp"

namespace ferry::verify {

namespace {

constexpr std::uint64_t kMagicServer = 0x4e42444d41474943;  // "NBDMAGIC"
constexpr std::uint64_t kMagicOption = 0x49484156454f5054;  // "IHAVEOPT"
constexpr std::uint64_t kMagicReply = 0x0003e889045565a9;
constexpr std::uint32_t kMagicRequest = 0x25609513;
constexpr std::uint32_t kMagicChunk = 0x668e33ef;
constexpr std::uint16_t kServerFixedNewstyle = 1;
constexpr std::uint32_t kClientFixedNewstyle = 1, kClientNoZeroes = 2;
constexpr std::uint32_t kOptionGo = 7, kOptionStructuredReply = 8;
constexpr std::uint32_t kReplyAck = 1, kReplyInfo = 3, kReplyError = 0x80000000U;
constexpr std::uint16_t kInfoExport = 0;
constexpr std::uint16_t kCommandRead = 0, kCommandDisconnect = 2;
constexpr std::uint16_t kChunkDone = 1;
constexpr std::uint16_t kChunkNone = 0, kChunkData = 1, kChunkHole = 2, kChunkError = 0x8000;
constexpr std::uint32_t kLongestOptionReply = 64U << 10U;  // bytes; ours are a few dozen

template <class Integer>
void append(std::vector<std::uint8_t> &out, Integer value) {
  for (std::size_t i = sizeof(Integer); i-- > 0;) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

template <class Integer>
Integer big(const std::uint8_t *from) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    value = static_cast<Integer>(static_cast<Integer>(value << 8U) | static_cast<Integer>(from[i]));
  }
  return value;
}

[[noreturn]] void break_off(const char *found) {
  throw Error(ErrorKind::subprocess, {.message = "qemu-nbd's answer makes no sense", .found = found});
}

}  // namespace

NbdClient::NbdClient(const std::filesystem::path &socket) : socket_(socket), buffer_(kLargestPart) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = socket.string();
  if (path.size() >= sizeof(address.sun_path)) {
    throw Error(ErrorKind::io, {.where = {.file = socket}, .message = "the name is too long for a socket"});
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0 || connect(fd_, reinterpret_cast<const sockaddr *>(&address), sizeof(address)) != 0) {
    const int error = errno;
    drop_connection();
    throw Error(error == ENOENT || error == ECONNREFUSED ? ErrorKind::missing : ErrorKind::io,
                {.where = {.file = socket},
                 .message = "qemu-nbd cannot be reached",
                 .found = std::generic_category().message(error)});
  }
  try {
    negotiate();
  } catch (...) {
    drop_connection();
    throw;
  }
}

NbdClient::~NbdClient() {
  if (fd_ < 0) return;
  std::vector<std::uint8_t> request;
  append(request, kMagicRequest);
  append(request, std::uint16_t{0});
  append(request, kCommandDisconnect);
  request.resize(28);
  // Only a courtesy: the server notices the closed connection too.
  [[maybe_unused]] const ssize_t sent = ::send(fd_, request.data(), request.size(), MSG_NOSIGNAL);
  drop_connection();
}

void NbdClient::drop_connection() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void NbdClient::send(const std::vector<std::uint8_t> &bytes) const {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t sent = ::send(fd_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      throw Error(ErrorKind::io,
                  {.message = "the connection to qemu-nbd broke", .found = std::generic_category().message(errno)});
    }
    done += static_cast<std::size_t>(sent);
  }
}

void NbdClient::receive(void *into, std::size_t length) const {
  auto *bytes = static_cast<char *>(into);
  while (length > 0) {
    const ssize_t got = recv(fd_, bytes, length, MSG_WAITALL);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw Error(ErrorKind::io, {.message = "the connection to qemu-nbd broke",
                                  .found = got == 0 ? "it was closed" : std::generic_category().message(errno)});
    }
    bytes += got;
    length -= static_cast<std::size_t>(got);
  }
}

template <class Integer>
Integer NbdClient::receive_integer() {
  std::uint8_t raw[sizeof(Integer)];
  receive(raw, sizeof(raw));
  return big<Integer>(raw);
}

void NbdClient::send_option(std::uint32_t option, const std::vector<std::uint8_t> &data) {
  std::vector<std::uint8_t> out;
  append(out, kMagicOption);
  append(out, option);
  append(out, static_cast<std::uint32_t>(data.size()));
  out.insert(out.end(), data.begin(), data.end());
  send(out);
}

NbdClient::Reply NbdClient::receive_reply(std::uint32_t option) {
  if (receive_integer<std::uint64_t>() != kMagicReply) break_off("a wrong magic in the negotiation");
  if (receive_integer<std::uint32_t>() != option) break_off("an answer to another option");
  Reply reply{.type = receive_integer<std::uint32_t>(), .data = {}};
  const auto length = receive_integer<std::uint32_t>();
  if (length > kLongestOptionReply) break_off("a very long answer in the negotiation");
  reply.data.resize(length);
  receive(reply.data.data(), length);
  if ((reply.type & kReplyError) != 0) break_off("it refused an option");
  return reply;
}

void NbdClient::negotiate() {
  if (receive_integer<std::uint64_t>() != kMagicServer) break_off("a wrong magic at the start");
  if (receive_integer<std::uint64_t>() != kMagicOption) break_off("a negotiation of the old style");
  if ((receive_integer<std::uint16_t>() & kServerFixedNewstyle) == 0) break_off("no fixed newstyle negotiation");
  std::vector<std::uint8_t> flags;
  append(flags, kClientFixedNewstyle | kClientNoZeroes);
  send(flags);
  send_option(kOptionStructuredReply, {});
  if (receive_reply(kOptionStructuredReply).type != kReplyAck) break_off("no structured replies");
  send_option(kOptionGo, std::vector<std::uint8_t>(6));  // the default export (name ""), no information asked for
  for (;;) {
    const Reply reply = receive_reply(kOptionGo);
    if (reply.type == kReplyAck) return;
    if (reply.type == kReplyInfo && reply.data.size() >= 12 && big<std::uint16_t>(reply.data.data()) == kInfoExport) {
      size_ = big<std::uint64_t>(reply.data.data() + 2);
    }
  }
}

void NbdClient::read(std::uint64_t offset, std::uint32_t length, const Part &part) {
  std::vector<std::uint8_t> request;
  append(request, kMagicRequest);
  append(request, std::uint16_t{0});
  append(request, kCommandRead);
  append(request, ++handle_);
  append(request, offset);
  append(request, length);
  send(request);
  std::uint64_t covered = 0;
  while (!receive_chunk(offset, offset + length, covered, part)) {
  }
  if (covered != length) break_off("a read was answered in part");
}

// Returns true when it was the answer's last chunk.
bool NbdClient::receive_chunk(std::uint64_t begin, std::uint64_t end, std::uint64_t &covered, const Part &part) {
  std::uint8_t head[20];
  receive(head, sizeof(head));
  if (big<std::uint32_t>(head) != kMagicChunk) break_off("a wrong magic in a reply");
  const auto flags = big<std::uint16_t>(head + 4), type = big<std::uint16_t>(head + 6);
  if (big<std::uint64_t>(head + 8) != handle_) break_off("an answer to another request");
  std::uint64_t length = big<std::uint32_t>(head + 16);
  if ((type & kChunkError) != 0) {
    throw Error(ErrorKind::io,
                {.message = "QEMU cannot read the image back",
                 .found = "an error between offsets " + std::to_string(begin) + " and " + std::to_string(end)});
  }
  if (type == kChunkData && length >= 8) {
    auto at = receive_integer<std::uint64_t>();
    length -= 8;
    if (at < begin || at > end || length > end - at) break_off("data outside of what was asked for");
    covered += length;
    while (length > 0) {
      const std::uint64_t piece = std::min(length, kLargestPart);
      receive(buffer_.data(), piece);
      part(at, buffer_.data(), piece);
      at += piece;
      length -= piece;
    }
  } else if (type == kChunkHole && length == 12) {
    const auto at = receive_integer<std::uint64_t>();
    const std::uint64_t size = receive_integer<std::uint32_t>();
    if (at < begin || at > end || size > end - at) break_off("a hole outside of what was asked for");
    covered += size;
    part(at, nullptr, size);
  } else if (type != kChunkNone || length != 0) {
    break_off("a reply of an unknown type");
  }
  return (flags & kChunkDone) != 0;
}

}  // namespace ferry::verify
