// SPDX-License-Identifier: Apache-2.0
#include "converters/serve/wire.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>

#include "support/again.hpp"

namespace ferry::serve {

bool SocketWire::wait(short events) const {
  if (!patience_) return true;
  pollfd one{socket_.get(), events, 0};
  return again([&] { return ::poll(&one, 1, static_cast<int>(patience_->count())); }) > 0;
}

bool SocketWire::read(void *into, std::size_t length) {
  auto *to = static_cast<char *>(into);
  while (length > 0) {
    if (!wait(POLLIN)) return false;
    const ssize_t got = again([&] { return ::recv(socket_.get(), to, length, 0); });
    if (got <= 0) return false;
    to += got;
    length -= static_cast<std::size_t>(got);
  }
  return true;
}

bool SocketWire::write(std::span<const std::string_view> parts) {
  constexpr std::size_t kAtOnce = 64;
  std::size_t part = 0, sent = 0;  // of parts[part], bytes
  while (part < parts.size()) {
    std::array<iovec, kAtOnce> vectors{};
    std::size_t count = 0;
    for (std::size_t i = part; i < parts.size() && count < kAtOnce; ++i, ++count) {
      const std::size_t skip = i == part ? sent : 0;
      vectors[count] = {const_cast<char *>(parts[i].data()) + skip, parts[i].size() - skip};
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    if (!wait(POLLOUT)) return false;
    const ssize_t done = again([&] { return ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL); });
    if (done < 0) return false;
    auto left = static_cast<std::size_t>(done);
    while (part < parts.size() && left >= parts[part].size() - sent) {
      left -= parts[part].size() - sent;
      sent = 0;
      ++part;
    }
    sent += left;
  }
  return true;
}

}  // namespace ferry::serve
