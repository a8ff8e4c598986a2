// SPDX-License-Identifier: Apache-2.0
// The user's own ssh, which does all that is secret: his configuration, agent, keys, jump hosts, known hosts and what
// he types on the terminal are ssh's. What is said with the SFTP server goes through its pipes.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <sys/types.h>
#include <thread>
#include <vector>

#include "support/error.hpp"
#include "support/file.hpp"

namespace ferry::hosts {

// What is spoken with: its SFTP server, or a POSIX shell that reads what it is to do. For the latter ssh asks nobody
// for a password.
enum class Far { sftp, shell };

class SshProcess {
 public:
  // Starts ssh, found in PATH. `authority`: "USER@HOST:PORT". Throws Error unreachable when it cannot be started.
  explicit SshProcess(const std::string &authority, Far far = Far::sftp);
  // Ends it.
  ~SshProcess();
  SshProcess(const SshProcess &) = delete;
  SshProcess &operator=(const SshProcess &) = delete;

  // What the server says: a pipe. What it is asked: a socket. To be taken once each.
  [[nodiscard]] file::Descriptor take_from() { return std::move(from_); }
  [[nodiscard]] file::Descriptor take_to() { return std::move(to_); }

  // What it said of its failure; all empty when it said nothing. Waits a moment for it to end.
  [[nodiscard]] ErrorDetail why();

 private:
  void collect();  // what it says on stderr

  std::string authority_;
  file::Descriptor from_, to_, errors_, stop_;
  pid_t process_ = -1;
  std::mutex guard_;  // of all below
  std::condition_variable changed_;
  bool ended_ = false;  // it says nothing more
  std::string said_;    // the end of it
  std::thread collector_;
};

// What ssh is started with, after its own name. `control_path` and `ciphers` may be empty: as ssh does by itself.
[[nodiscard]] std::vector<std::string> ssh_arguments(const std::string &authority, const std::string &control_path,
                                                     const std::string &ciphers, Far far = Far::sftp);
// What people are told of a text of ssh's on stderr.
[[nodiscard]] ErrorDetail said_by_ssh(const std::string &authority, const std::string &text);

}  // namespace ferry::hosts
