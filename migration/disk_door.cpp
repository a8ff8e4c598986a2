// SPDX-License-Identifier: Apache-2.0
#include "migration/disk_door.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include "support/error.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void cannot_listen(const fs::path &socket) {
  const std::string why = std::strerror(errno);
  throw Error(ErrorKind::io, {.where = {.file = socket}, .message = "no socket can be made here: " + why});
}

sockaddr_un address_of(const fs::path &socket) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  if (socket.string().size() >= sizeof out.sun_path) {
    errno = ENAMETOOLONG;
    cannot_listen(socket);
  }
  std::memcpy(out.sun_path, socket.c_str(), socket.string().size());
  return out;
}

void refuse_open_folder(const fs::path &folder) {
  const auto status = file::status_of(folder, file::Links::no_follow);
  std::string problem = "it is not there";
  if (status) problem = status->is_folder() ? file::problem_of_private(*status) : "it is not a folder";
  if (problem.empty()) return;
  throw Error(ErrorKind::unsafe, {.where = {.file = folder},
                                  .message = "the source's disks are not served here: " + problem,
                                  .advice = "Remove it if it is yours, and try again."});
}

}  // namespace

DiskDoor::DiskDoor(const fs::path &socket, std::shared_ptr<Reader> reader)
    : path_(socket), reader_(std::move(reader)), listening_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const sockaddr_un address = address_of(socket);
  refuse_open_folder(socket.parent_path());
  unlink(socket.c_str());
  if (!listening_ || ::bind(listening_.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 ||
      ::listen(listening_.get(), SOMAXCONN) != 0)
    cannot_listen(socket);
  thread_ = std::thread([this] { let_in(); });
}

DiskDoor::~DiskDoor() {
  ::shutdown(listening_.get(), SHUT_RDWR);  // wakes accept()
  thread_.join();
}

void DiskDoor::let_in() {
  for (;;) {
    file::Descriptor client(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (!client) return;
    if (!reader_) continue;
    try {
      reader_->take_client(std::move(client));
    } catch (const std::exception &error) {
      const std::lock_guard lock(guard_);
      problem_ = error.what();
    }
  }
}

std::string DiskDoor::problem() {
  std::string now;
  try {
    if (reader_) now = reader_->serving().problem;
  } catch (const std::exception &error) {
    now = error.what();
  }
  const std::lock_guard lock(guard_);
  if (!problem_.empty()) return std::exchange(problem_, {});
  if (now == told_) return {};
  return told_ = now;
}

bool is_open_door(const fs::path &socket) {
  const sockaddr_un address = address_of(socket);
  const file::Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return probe && ::connect(probe.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0;
}

}  // namespace ferry::migration
