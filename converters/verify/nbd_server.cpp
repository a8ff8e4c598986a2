// SPDX-License-Identifier: Apache-2.0
#include "converters/verify/nbd_server.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
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

// -1, and errno, when nobody listens.
file::Descriptor connected(const std::filesystem::path &path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.string().size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return file::Descriptor();
  }
  std::memcpy(address.sun_path, path.c_str(), path.string().size());
  file::Descriptor out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (out && ::connect(out.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0) {
    const int error = errno;
    out.reset();
    errno = error;
  }
  return out;
}

[[noreturn]] void cannot_connect(const std::filesystem::path &socket) {
  throw Error(ErrorKind::io, {.where = {.file = socket},
                              .message = "qemu-nbd cannot be reached",
                              .found = std::generic_category().message(errno)});
}

}  // namespace

NbdServer::NbdServer(const qemu_img::Source &source, const std::optional<std::string> &snapshot) {
  subprocess::Command command{
      .program = "qemu-nbd",
      .arguments = {"--read-only", "--persistent", "--shared=0", "--socket=" + socket().string(), "--image-opts"},
      .limits = {},
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
  try {
    wait_until_it_listens();
  } catch (...) {
    process_ = {};  // before its folder goes
    throw;
  }
}

NbdServer::~NbdServer() {
  process_ = {};  // stops and joins
}

void NbdServer::wait_until_it_listens() {
  const auto deadline = std::chrono::steady_clock::now() + kStartDeadline;
  for (;;) {
    if (connected(socket())) return;
    if (errno != ENOENT && errno != ECONNREFUSED) cannot_connect(socket());
    {
      const std::lock_guard lock(guard_);
      if (failed_) std::rethrow_exception(failed_);
      if (ended_) {
        throw Error(ErrorKind::subprocess, {.message = "qemu-nbd cannot open the new image", .found = *ended_});
      }
    }
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error(ErrorKind::subprocess, {.message = "qemu-nbd does not listen", .found = "nothing for 30 seconds"});
    }
    // There is nothing to wait on: a socket that does not exist yet cannot be polled.
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

file::Descriptor NbdServer::connect() const {
  file::Descriptor out = connected(socket());
  if (!out) cannot_connect(socket());
  return out;
}

}  // namespace ferry::verify
