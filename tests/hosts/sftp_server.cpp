// SPDX-License-Identifier: Apache-2.0
#include "tests/hosts/sftp_server.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ferry::test {
namespace {

void make_pair(file::Descriptor &one, file::Descriptor &other) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw std::runtime_error("socketpair");
  one.reset(ends[0]);
  other.reset(ends[1]);
}

bool read_all(int from, std::uint8_t *into, std::size_t length) {
  while (length > 0) {
    const ssize_t count = recv(from, into, length, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    into += count;
    length -= static_cast<std::size_t>(count);
  }
  return true;
}

}  // namespace

std::filesystem::path sftp_server() {
  for (const char *file :
       {"/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server"}) {
    if (access(file, X_OK) == 0) return file;
  }
  return {};
}

Servers::~Servers() {
  for (const pid_t process : started_) {
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
  }
}

hosts::Streams Servers::start() {
  hosts::Streams out;
  file::Descriptor theirs_in, theirs_out;
  make_pair(out.from, theirs_out);
  make_pair(out.to, theirs_in);
  const std::string program = sftp_server().string();
  const pid_t process = fork();
  if (process == 0) {
    dup2(theirs_in.get(), 0);
    dup2(theirs_out.get(), 1);
    execl(program.c_str(), program.c_str(), static_cast<char *>(nullptr));
    _exit(127);
  }
  if (process < 0) throw std::runtime_error("fork");
  started_.push_back(process);
  return out;
}

void Servers::kill_last() {
  kill(started_.back(), SIGKILL);
  waitpid(started_.back(), nullptr, 0);
  started_.pop_back();
}

FakeServer::FakeServer(hosts::Streams &streams, Say say) : say_(std::move(say)) {
  make_pair(streams.from, out_);
  make_pair(streams.to, in_);
  thread_ = std::thread([this] {
    for (;;) {
      std::array<std::uint8_t, 4> head{};
      if (!read_all(in_.get(), head.data(), head.size())) break;
      std::vector<std::uint8_t> question(sftp::PacketReader(head).number());
      if (!read_all(in_.get(), question.data(), question.size())) break;
      const std::vector<std::uint8_t> answer = say_(question);
      if (answer.empty()) break;
      if (send(out_.get(), answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
    }
    shutdown(out_.get(), SHUT_RDWR);
  });
}

FakeServer::~FakeServer() {
  shutdown(in_.get(), SHUT_RDWR);
  shutdown(out_.get(), SHUT_RDWR);
  thread_.join();
}

std::vector<std::uint8_t> version_packet() {
  sftp::PacketWriter packet(sftp::Type::version, std::nullopt);
  return packet.number(3).done();
}

std::vector<std::uint8_t> status_packet(std::uint32_t id, std::uint32_t code) {
  sftp::PacketWriter packet(sftp::Type::status, id);
  return packet.number(code).string("").string("").done();
}

std::vector<std::uint8_t> attributes_packet(std::uint32_t id, std::uint64_t size, std::uint32_t mode) {
  sftp::PacketWriter packet(sftp::Type::attributes, id);
  return packet.number(1 | 4).long_number(size).number(mode).done();
}

std::vector<std::uint8_t> names_packet(std::uint32_t id, const std::vector<std::string> &names) {
  sftp::PacketWriter packet(sftp::Type::name, id);
  packet.number(static_cast<std::uint32_t>(names.size()));
  for (const std::string &name : names) packet.string(name).string("").number(0);
  return packet.done();
}

sftp::Type type_of(std::span<const std::uint8_t> question) { return static_cast<sftp::Type>(question.front()); }

std::uint32_t id_of(std::span<const std::uint8_t> question) { return sftp::PacketReader(question.subspan(1)).number(); }

}  // namespace ferry::test
