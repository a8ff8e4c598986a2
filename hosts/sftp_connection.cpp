// SPDX-License-Identifier: Apache-2.0
#include "hosts/sftp_connection.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/text.hpp"

namespace ferry::sftp {

namespace {

constexpr std::uint32_t kSmallestRead = 4096;   // bytes: a server that gives less cannot be worked with
constexpr std::uint32_t kLargestRead = 261120;  // bytes: what OpenSSH's gives; more would not fit a packet of ours
constexpr std::uint32_t kMostAnnounced = 256;   // of a greeting
constexpr std::size_t kMostForgotten = 4096;    // answers that are still to come and that nobody wants

std::string seconds(std::chrono::milliseconds time) { return std::to_string(time.count() / 1000) + " s"; }

// What a shell prints before the server starts is taken for a packet's length.
bool is_text(std::uint32_t length) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    const auto byte = static_cast<unsigned char>(length >> shift);
    if (std::isprint(byte) == 0 && byte != '\n' && byte != '\r' && byte != '\t') return false;
  }
  return true;
}

}  // namespace

Connection::Question &Connection::Question::number(std::uint32_t value) {
  parts_.push_back({Part::Kind::number, value, {}});
  return *this;
}
Connection::Question &Connection::Question::long_number(std::uint64_t value) {
  parts_.push_back({Part::Kind::long_number, value, {}});
  return *this;
}
Connection::Question &Connection::Question::string(std::string_view value) {
  parts_.push_back({Part::Kind::string, 0, std::string(value)});
  return *this;
}

Connection::Connection(file::Descriptor from, file::Descriptor to, const Patience &patience)
    : from_(std::move(from)), to_(std::move(to)), patience_(patience) {
  greet();
}

void Connection::lose(const std::string &why) {
  {
    const std::lock_guard lock(guard_);
    if (lost_.empty()) lost_ = why;
  }
  changed_.notify_all();
  throw ConnectionLost(why);
}

void Connection::write_all(const std::vector<std::uint8_t> &bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    pollfd wait{to_.get(), POLLOUT, 0};
    const int ready = poll(&wait, 1, static_cast<int>(patience_.answer.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) lose("the far side takes no questions for " + seconds(patience_.answer));
    ssize_t count = ::send(to_.get(), bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (count < 0 && errno == ENOTSOCK) count = ::write(to_.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) lose(errno == EPIPE ? "the connection was closed" : std::strerror(errno));
    done += static_cast<std::size_t>(count);
  }
}

void Connection::read_exactly(std::uint8_t *into, std::size_t length, std::chrono::milliseconds patience) {
  while (length > 0) {
    pollfd wait{from_.get(), POLLIN, 0};
    const int ready = poll(&wait, 1, static_cast<int>(patience.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) lose("the far side says nothing for " + seconds(patience));
    const ssize_t count = ::read(from_.get(), into, length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) lose(std::strerror(errno));
    if (count == 0) lose("the connection was closed");
    into += count;
    length -= static_cast<std::size_t>(count);
  }
}

std::vector<std::uint8_t> Connection::read_packet(std::chrono::milliseconds patience) {
  std::array<std::uint8_t, 4> head{};
  read_exactly(head.data(), head.size(), patience);
  const std::uint32_t length = PacketReader(head).number();
  if (length == 0 || length > kMostPacket) {
    if (is_text(length))
      lose("the far side's shell prints text (it begins with \"" +
           text::printable(std::string(head.begin(), head.end())) + "\"), which no program expects");
    lose("a packet of " + std::to_string(length) + " bytes, where 1 to " + std::to_string(kMostPacket) +
         " are allowed");
  }
  std::vector<std::uint8_t> out(length);
  read_exactly(out.data(), out.size(), patience_.answer);
  return out;
}

void Connection::greet() {
  try {
    PacketWriter hello(Type::init, std::nullopt);
    hello.number(kVersion);
    write_all(hello.done());
    const std::vector<std::uint8_t> packet = read_packet(patience_.greeting);
    PacketReader said(packet);
    const std::uint8_t type = said.byte();
    if (type != static_cast<std::uint8_t>(Type::version)) lose("the far side does not begin as an SFTP server does");
    const std::uint32_t version = said.number();
    if (version < kVersion) lose("version " + std::to_string(version) + " of SFTP, where 3 is needed");
    bool has_limits = false;
    for (std::uint32_t i = 0; !said.at_end() && i < kMostAnnounced; ++i) {
      const std::string name = said.text(kMostPacket);
      static_cast<void>(said.string(kMostPacket));
      has_limits = has_limits || name == "limits@openssh.com";
    }
    if (has_limits) ask_for_limits();
  } catch (const BadPacket &bad) {
    lose(bad.what());
  }
}

void Connection::ask_for_limits() {
  const Answer answer = ask(Question(Type::extended).string("limits@openssh.com"));
  if (answer.type != Type::extended_reply) return;
  PacketReader said(answer.body());
  static_cast<void>(said.long_number());  // of a packet
  const std::uint64_t most = said.long_number();
  if (most >= kSmallestRead) read_size_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(most, kLargestRead));
}

std::uint32_t Connection::send(const Question &question) {
  // Held until it is written, so that questions do not mix.
  const std::lock_guard one_at_a_time(sending_);
  std::uint32_t id = 0;
  {
    const std::lock_guard lock(guard_);
    if (!lost_.empty()) throw ConnectionLost(lost_);
    id = next_++;
    asked_.insert(id);
  }
  PacketWriter packet(question.type_, id);
  for (const Question::Part &part : question.parts_) {
    switch (part.kind) {
      case Question::Part::Kind::number: packet.number(static_cast<std::uint32_t>(part.value)); break;
      case Question::Part::Kind::long_number: packet.long_number(part.value); break;
      case Question::Part::Kind::string: packet.string(part.text); break;
    }
  }
  write_all(packet.done());
  return id;
}

Answer Connection::read_answer(std::uint32_t &id) {
  Answer out;
  out.packet = read_packet(patience_.answer);
  PacketReader said(out.packet);
  try {
    out.type = static_cast<Type>(said.byte());
    id = said.number();
  } catch (const BadPacket &bad) {
    lose(bad.what());
  }
  out.begin = 5;
  return out;
}

Answer Connection::wait(std::uint32_t id) {
  std::unique_lock lock(guard_);
  for (;;) {
    if (const auto found = answers_.find(id); found != answers_.end()) {
      Answer out = std::move(found->second);
      answers_.erase(found);
      return out;
    }
    if (!lost_.empty()) throw ConnectionLost(lost_);
    if (reading_) {
      changed_.wait(lock);
      continue;
    }
    reading_ = true;
    lock.unlock();
    std::uint32_t whose = 0;
    Answer read;
    try {
      read = read_answer(whose);
    } catch (...) {
      lock.lock();
      reading_ = false;
      lock.unlock();
      changed_.notify_all();
      throw;
    }
    lock.lock();
    reading_ = false;
    const bool unknown = asked_.erase(whose) == 0;
    if (!unknown && forgotten_.erase(whose) == 0) answers_[whose] = std::move(read);
    if (unknown) lost_ = "an answer to a question that nobody asked";
    changed_.notify_all();
  }
}

void Connection::forget(std::uint32_t id) noexcept {
  try {
    const std::lock_guard lock(guard_);
    if (answers_.erase(id) > 0 || !asked_.contains(id)) return;
    forgotten_.insert(id);
    if (forgotten_.size() > kMostForgotten) lost_ = "the far side answers too few of the questions";
  } catch (...) {  // no memory: the answer is kept
  }
}

}  // namespace ferry::sftp
