// SPDX-License-Identifier: Apache-2.0
// The files of another host by SFTP: on_host::Host. A connection that is lost is made anew, and reading goes on where
// it was, if the file is still the same.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "hosts/sftp_connection.hpp"
#include "support/on_host.hpp"

namespace ferry::hosts {

// What a connection is spoken over.
struct Streams {
  file::Descriptor from, to;  // what the server says; what it is asked
  // Why it ended, as far as the program that made it (ssh) said; may be empty or null. Asked once it has ended.
  std::function<ErrorDetail()> why = {};
  // What a program on that host says of the zeros of a file (hosts/zero_map.hpp), to be read without waiting; an
  // invalid descriptor where there is none. May be null. Never throws.
  std::function<file::Descriptor(const std::filesystem::path &file)> zeros_of = {};
};
// Makes one. nullopt: nobody allowed this host to be spoken with. Throws Error unreachable.
using Connect = std::function<std::optional<Streams>(const std::string &authority)>;

struct SshSettings {
  sftp::Patience patience{};
  unsigned tries = 4;                              // to connect again after a connection was lost
  std::chrono::milliseconds pause{1000};           // before the second of them; then twice that, and so on
  std::size_t memory = std::size_t{48} << 20U;     // bytes that are read ahead and kept, of all files
  std::size_t most_ahead = std::size_t{8} << 20U;  // bytes that are asked for ahead of a reader
};

// `authority`: "USER@HOST:PORT". Nothing is connected before something is asked.
[[nodiscard]] std::shared_ptr<on_host::Host> ssh_host(std::string authority, Connect connect,
                                                      const SshSettings &settings = {});

}  // namespace ferry::hosts
