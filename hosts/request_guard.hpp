// SPDX-License-Identifier: Apache-2.0
// What a worker may ask an SFTP server: a worker reads what others wrote, and SFTP gives all that the user may do on
// the far side. So each question passes the program, which lets through what reads the source and nothing else; answers
// go to the worker directly.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/file.hpp"

namespace ferry::hosts {

// Of one host, with the host in front.
struct Readable {
  std::vector<std::filesystem::path> read;  // files, and folders with all that is below
  std::vector<std::filesystem::path> list;  // folders, to see what is in them and below
};

// Of a file or folder that is not to be read: answered as if it were not there.
inline constexpr std::string_view kOutside = "a file outside of what it may read";
// Whether that file, with the host in front, may be read.
[[nodiscard]] bool may_read(const std::filesystem::path &file, const Readable &readable);
// Why a question (its bytes after the length) may not be asked; empty: it may.
[[nodiscard]] std::string problem_of_request(std::span<const std::uint8_t> packet, const std::string &authority,
                                             const Readable &readable);

class RequestGuard {
 public:
  // Passes on what comes from `asks` (a socket) to `to` (a socket), until either is gone or a question is refused. One
  // about what is outside becomes one about what no host has, so that the answer comes from the server, too.
  RequestGuard(file::Descriptor asks, file::Descriptor to, std::string authority, Readable readable);
  ~RequestGuard();
  RequestGuard(const RequestGuard &) = delete;
  RequestGuard &operator=(const RequestGuard &) = delete;

 private:
  void run();

  file::Descriptor asks_, to_;
  std::string authority_;
  Readable readable_;
  std::thread thread_;
};

}  // namespace ferry::hosts
