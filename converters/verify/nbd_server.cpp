// SPDX-License-Identifier: Apache-2.0
#include "converters/verify/nbd_server.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>

#include "support/error.hpp"
#include "support/subprocess.hpp"

namespace ferry::verify {

namespace {

constexpr auto kStartDeadline = std::chrono::seconds(30);

// A value of QEMU's key=value lists: commas are doubled.
std::string quoted(const std::string &value) {
  std::string out;
  for (const char c : value) out.append(c == ',' ? 2 : 1, c);
  return out;
}

// A socket at `path`, given to `use` (bind or connect). -1, and errno, when that fails.
template <class Use>
file::Descriptor socket_at(const std::filesystem::path &path, const Use &use) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.string().size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return file::Descriptor();
  }
  std::memcpy(address.sun_path, path.c_str(), path.string().size());
  file::Descriptor out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (out && use(out.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0) {
    const int error = errno;
    out.reset();
    errno = error;
  }
  return out;
}

file::Descriptor connected(const std::filesystem::path &path) { return socket_at(path, ::connect); }

file::Descriptor listening(const std::filesystem::path &path) {
  file::Descriptor out = socket_at(path, ::bind);
  if (out && ::listen(out.get(), SOMAXCONN) != 0) out.reset();
  return out;
}

[[noreturn]] void cannot_connect(const std::filesystem::path &socket) {
  throw Error(ErrorKind::io, {.where = {.file = socket},
                              .message = "qemu-nbd cannot be reached",
                              .found = std::generic_category().message(errno)});
}

}  // namespace

NbdServer::NbdServer(const qemu_img::Source &source, const std::optional<std::string> &snapshot)
    : listening_(listening(socket())) {
  if (!listening_) cannot_connect(socket());
  const std::string program = "qemu-nbd";
  // In its cage it makes no socket: it is given one that listens already.
  subprocess::Limits limits;
  limits.data = qemu_img::Context{}.data;
  subprocess::Command command{.program = program,
                              .arguments = {"--read-only", "--persistent", "--shared=0", "--image-opts"},
                              .limits = limits,
                              .locked_in = qemu_img::cage_of_server(program, source),
                              .listening = listening_.get(),
                              .on_line = {}};
  if (snapshot) command.arguments.push_back("--load-snapshot=snapshot.name=" + quoted(*snapshot));
  command.arguments.push_back(qemu_img::image_options(source));
  process_ = std::jthread([this, command](const std::stop_token &stop) {
    try {
      const subprocess::Result result = subprocess::run(command, stop);
      const std::lock_guard lock(guard_);
      ended_ = result.how() + " " + result.errors;
    } catch (...) {
      const std::lock_guard lock(guard_);
      failed_ = std::current_exception();
    }
  });
  wait_until_it_serves();
}

// It greets whoever connects. A connection alone says nothing: the socket takes it before the program runs.
void NbdServer::wait_until_it_serves() {
  const file::Descriptor guest = connected(socket());
  if (!guest) cannot_connect(socket());
  const auto deadline = std::chrono::steady_clock::now() + kStartDeadline;
  for (char greeting = 0; ::recv(guest.get(), &greeting, 1, MSG_DONTWAIT) <= 0;) {
    {
      const std::lock_guard lock(guard_);
      if (failed_) std::rethrow_exception(failed_);
      if (ended_) {
        throw Error(ErrorKind::subprocess, {.message = "qemu-nbd cannot open the new image", .found = *ended_});
      }
    }
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error(ErrorKind::subprocess, {.message = "qemu-nbd does not answer", .found = "nothing for 30 seconds"});
    }
    pollfd wait{guest.get(), POLLIN, 0};
    ::poll(&wait, 1, 20);  // ms: its end would be seen as late
  }
  listening_.reset();  // whoever connects when it is gone is refused
}

file::Descriptor NbdServer::connect() const {
  file::Descriptor out = connected(socket());
  if (!out) cannot_connect(socket());
  return out;
}

}  // namespace ferry::verify
