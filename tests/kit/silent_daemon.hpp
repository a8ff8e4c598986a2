// SPDX-License-Identifier: Apache-2.0
// A libvirt daemon that was stopped: the kernel takes the connection, and nobody answers, for as long as a test wants.
#pragma once

#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace ferry::test {

class SilentDaemon {
 public:
  explicit SilentDaemon(const std::filesystem::path &path)
      : path_(path), socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (bind(socket_, reinterpret_cast<sockaddr *>(&address), sizeof(address)) != 0 || listen(socket_, 4) != 0)
      throw std::runtime_error("no socket at " + path.string());
  }
  ~SilentDaemon() {
    if (connection_ >= 0) close(connection_);
    close(socket_);
  }
  SilentDaemon(const SilentDaemon &) = delete;
  SilentDaemon &operator=(const SilentDaemon &) = delete;

  [[nodiscard]] std::string uri() const { return "qemu+unix:///system?socket=" + path_.string(); }
  // Somebody has connected, and waits.
  bool is_asked() {
    if (connection_ < 0) connection_ = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    return connection_ >= 0;
  }

 private:
  std::filesystem::path path_;
  int socket_, connection_ = -1;
};

}  // namespace ferry::test
