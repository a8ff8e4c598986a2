// SPDX-License-Identifier: Apache-2.0
// Messages: a header, with which the descriptors go, and the bytes.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>

#include "support/again.hpp"
#include "support/worker.hpp"

namespace ferry::worker {

namespace {

struct Header {
  std::uint64_t length = 0;       // bytes
  std::uint64_t descriptors = 0;  // how many
};

bool send_header(int socket, const Header &header, const std::vector<int> &descriptors) {
  iovec piece{const_cast<Header *>(&header), sizeof header};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  std::vector<std::uint8_t> control(CMSG_SPACE(descriptors.size() * sizeof(int)));
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size() * sizeof(int));
  }
  // Sixteen bytes are sent whole or not at all.
  return again([&] { return sendmsg(socket, &message, MSG_NOSIGNAL); }) == sizeof header;
}

bool send_bytes(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = again([&] { return ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
    if (done <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

// Waits for the other end's next bytes.
class Wait {
 public:
  Wait(int socket, const std::function<bool()> &goes_on) : socket_(socket), goes_on_(goes_on) {}

  // False when `goes_on` says no.
  bool operator()() {
    for (;;) {
      if (goes_on_ && Clock::now() >= next_) {
        if (!goes_on_()) return false;
        next_ = Clock::now() + kLook;
      }
      pollfd wait{socket_, POLLIN, 0};
      const int ready = poll(&wait, 1, goes_on_ ? static_cast<int>(kLook.count()) : -1);
      if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kLook{200};

  int socket_;
  const std::function<bool()> &goes_on_;
  Clock::time_point next_ = Clock::now() + kLook;
};

std::optional<Header> receive_header(int socket, std::vector<file::Descriptor> &descriptors) {
  Header header;
  iovec piece{&header, sizeof header};
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(kMostDescriptors * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  // They were sent whole; whoever sends less means harm.
  const ssize_t got = again([&] { return recvmsg(socket, &message, MSG_CMSG_CLOEXEC); });
  for (cmsghdr *part = CMSG_FIRSTHDR(&message); got > 0 && part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    std::vector<int> numbers((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(numbers.data(), CMSG_DATA(part), numbers.size() * sizeof(int));
    for (const int number : numbers) descriptors.emplace_back(number);
  }
  if (got != sizeof header || (message.msg_flags & MSG_CTRUNC) != 0) return std::nullopt;
  if (header.length > kLargestMessage || header.descriptors != descriptors.size()) return std::nullopt;
  return header;
}

bool receive_bytes(int socket, std::string &bytes, std::uint64_t length, Wait &wait) {
  constexpr std::uint64_t kStep = 1U << 20U;  // what only was announced takes no memory
  while (bytes.size() < length) {
    const std::size_t begin = bytes.size();
    bytes.resize(begin + static_cast<std::size_t>(std::min(kStep, length - begin)));
    if (!wait()) return false;
    const ssize_t got = again([&] { return recv(socket, bytes.data() + begin, bytes.size() - begin, 0); });
    if (got <= 0) return false;
    bytes.resize(begin + static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace

bool Channel::send(std::string_view bytes, const std::vector<int> &descriptors) const {
  if (bytes.size() > kLargestMessage || descriptors.size() > kMostDescriptors) return false;
  const std::lock_guard lock(sending_);
  return send_header(socket_.get(), {bytes.size(), descriptors.size()}, descriptors) &&
         send_bytes(socket_.get(), bytes);
}

std::optional<Message> Channel::receive(const std::function<bool()> &goes_on) const {
  Message out;
  Wait wait(socket_.get(), goes_on);
  const auto header = wait() ? receive_header(socket_.get(), out.descriptors) : std::nullopt;
  if (!header || !receive_bytes(socket_.get(), out.bytes, header->length, wait)) return std::nullopt;
  return out;
}

}  // namespace ferry::worker
