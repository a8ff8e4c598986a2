// SPDX-License-Identifier: Apache-2.0
#include "hosts/request_guard.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hosts/sftp_packets.hpp"
#include "support/on_host.hpp"

namespace ferry::hosts {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kReadOnly = 1;  // SSH_FXF_READ

// The path that a name of the server's has in the program.
fs::path path_of(const std::string &name, const std::string &authority) {
  const std::string there = name.starts_with('/') ? name : name == "." ? "/~" : "/~/" + name;
  return fs::path(std::string(on_host::kRemoteMark) + authority + fs::path(there).lexically_normal().string());
}

bool lies_below(const fs::path &file, const std::vector<fs::path> &trees) {
  return std::any_of(trees.begin(), trees.end(), [&](const fs::path &tree) {
    fs::path folder = tree.lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();
    return std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first == folder.end();
  });
}

bool receive(int socket, std::uint8_t *into, std::size_t length) {
  while (length > 0) {
    const ssize_t count = recv(socket, into, length, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    into += count;
    length -= static_cast<std::size_t>(count);
  }
  return true;
}

bool pass_on(int socket, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

std::string problem_of_name(sftp::Type type, sftp::PacketReader &packet, const std::string &authority,
                            const Readable &readable) {
  const std::string name = packet.text(sftp::kMostName);
  if (name.find('\0') != std::string::npos) return "a name with a NUL in it";
  if (type == sftp::Type::open) {
    if (packet.number() != kReadOnly) return "to open a file for more than reading";
    if (packet.number() != 0) return "to open a file with attributes";
  }
  if (!packet.at_end()) return "a question with more than there is to ask";
  if (type == sftp::Type::stat || type == sftp::Type::lstat || type == sftp::Type::realpath) return {};
  const fs::path file = path_of(name, authority);
  if (may_read(file, readable)) return {};
  if (type == sftp::Type::opendir && lies_below(file, readable.list)) return {};
  return std::string(kOutside);
}

// The same question about what cannot be there: a device has nothing below it.
std::vector<std::uint8_t> about_nothing(std::span<const std::uint8_t> packet) {
  sftp::PacketReader asked(packet.subspan(4));
  const auto type = static_cast<sftp::Type>(asked.byte());
  sftp::PacketWriter out(type, asked.number());
  out.string("/dev/null/none");
  if (type == sftp::Type::open) out.number(kReadOnly).number(0);
  return out.done();
}

}  // namespace

bool may_read(const fs::path &file, const Readable &readable) {
  return file == file.lexically_normal() && lies_below(file, readable.read);
}

std::string problem_of_request(std::span<const std::uint8_t> bytes, const std::string &authority,
                               const Readable &readable) {
  try {
    sftp::PacketReader packet(bytes);
    const auto type = static_cast<sftp::Type>(packet.byte());
    static_cast<void>(packet.number());  // the id, or the version
    switch (type) {
      case sftp::Type::init: return packet.at_end() ? "" : "a greeting with extensions";
      case sftp::Type::open:
      case sftp::Type::opendir:
      case sftp::Type::stat:
      case sftp::Type::lstat:
      case sftp::Type::realpath: return problem_of_name(type, packet, authority, readable);
      case sftp::Type::close:
      case sftp::Type::fstat:
      case sftp::Type::readdir:
        static_cast<void>(packet.string(sftp::kMostHandle));
        return packet.at_end() ? "" : "a question with more than there is to ask";
      case sftp::Type::read:
        static_cast<void>(packet.string(sftp::kMostHandle));
        static_cast<void>(packet.long_number());
        static_cast<void>(packet.number());
        return packet.at_end() ? "" : "a question with more than there is to ask";
      case sftp::Type::extended:
        if (packet.text(sftp::kMostName) != "limits@openssh.com") return "an extension";
        return packet.at_end() ? "" : "a question with more than there is to ask";
      default: return "a question of type " + std::to_string(static_cast<unsigned>(type));
    }
  } catch (const sftp::BadPacket &bad) {
    return bad.what();
  }
}

RequestGuard::RequestGuard(file::Descriptor asks, file::Descriptor to, std::string authority, Readable readable)
    : asks_(std::move(asks)),
      to_(std::move(to)),
      authority_(std::move(authority)),
      readable_(std::move(readable)),
      thread_([this] { run(); }) {}

RequestGuard::~RequestGuard() {
  shutdown(asks_.get(), SHUT_RDWR);
  shutdown(to_.get(), SHUT_RDWR);
  thread_.join();
}

void RequestGuard::run() {
  std::vector<std::uint8_t> packet;
  for (;;) {
    packet.resize(4);
    if (!receive(asks_.get(), packet.data(), packet.size())) break;
    const std::uint32_t length = sftp::PacketReader(packet).number();
    if (length == 0 || length > sftp::kMostRequest) break;
    packet.resize(4 + std::size_t{length});
    if (!receive(asks_.get(), packet.data() + 4, length)) break;
    const std::string problem = problem_of_request(std::span(packet).subspan(4), authority_, readable_);
    if (problem == kOutside) packet = about_nothing(packet);
    if (!problem.empty() && problem != kOutside) break;
    if (!pass_on(to_.get(), packet)) break;
  }
  // ssh ends when nobody can ask any more.
  shutdown(to_.get(), SHUT_WR);
  shutdown(asks_.get(), SHUT_RDWR);
}

}  // namespace ferry::hosts
