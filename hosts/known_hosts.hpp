// SPDX-License-Identifier: Apache-2.0
// The hosts that this process may speak with, and how. Nothing that a source says makes one known: the user names them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hosts/request_guard.hpp"
#include "hosts/ssh_host.hpp"

namespace ferry::hosts {

// The program's side: files of hosts that allow() names are read over ssh. Before the first thread.
void speak_by_ssh();
// The user named that host: "USER@HOST:PORT".
void allow(const std::string &authority);
// What ends with the program.
void end_all();

// A worker's side, and tests': files of all hosts are read over what `connect` gives. Before the first thread.
void speak_by(Connect connect);

// A connection for a worker: it may ask what `readable` allows.
struct Lent {
  file::Descriptor from, to;    // for the worker
  std::shared_ptr<void> keeps;  // as long as it is used
  std::function<ErrorDetail()> why;
  std::function<file::Descriptor(const std::filesystem::path &)> zeros_of;  // as Streams'; what may be read alone
};
// nullopt: nobody allowed that host. Throws Error unreachable.
[[nodiscard]] std::optional<Lent> lend(const std::string &authority, Readable readable);

}  // namespace ferry::hosts
