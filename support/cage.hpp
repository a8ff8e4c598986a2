// SPDX-License-Identifier: Apache-2.0
// What a process may still do after it has given up the rest: the cages around everything that reads foreign files.
//
// Landlock (Linux 5.13 and later) says which paths may be read, written and executed, and that nothing may be connected
// to; seccomp (always there) says which system calls are left. Neither needs root, and neither can be taken off again.
// Facts: landlock(7), seccomp(2), and the kernel's Documentation/userspace-api/landlock.rst.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "support/file.hpp"

namespace ferry::cage {

// What this host can do.
struct Offer {
  int landlock = 0;  // version of Landlock's interface; 0: the kernel has none, or it is switched off
  bool seccomp = false;
};
[[nodiscard]] Offer offered();

// What is left to a process. A folder stands for all below it; what is not there is passed over.
struct Rules {
  std::vector<std::filesystem::path> list;     // what is in these folders, and in those below
  std::vector<std::filesystem::path> read;     // listed too
  std::vector<std::filesystem::path> write;    // read, made, changed, renamed and removed
  std::vector<std::filesystem::path> execute;  // programs (and the loader that they name), read too
};

enum class Calls {
  worker,   // a fork of ours: files, memory, threads and time; no sockets, no programs, no other processes
  program,  // a program that is started in the cage: all but sockets, tracing, mounts, modules and keys
  server,   // the same, and it may accept connections on a socket that it was given
  client,   // a program that may connect to this host's sockets with names (AF_UNIX), and to nothing else
};

// A cage, made ready before fork(), so that apply() is safe between fork() and exec(). A worker's is made in the worker
// itself: signals are left to the process that made it alone.
class Cage {
 public:
  // Throws Error internal when the kernel refuses a rule of ours.
  Cage(const Rules &rules, Calls calls);

  // Locks this thread in; threads that it starts are in it too. Only system calls: safe after fork(). Returns 0, or the
  // errno of what the kernel refused; the process must not go on then.
  [[nodiscard]] int apply() const;

 private:
  file::Descriptor ruleset_;           // Landlock's; none where the kernel has no Landlock
  std::vector<std::uint64_t> filter_;  // seccomp's program: struct sock_filter, eight bytes each
};

}  // namespace ferry::cage
