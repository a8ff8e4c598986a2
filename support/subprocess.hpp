// SPDX-License-Identifier: Apache-2.0
// Other programs: the one place that starts a process. No shell is ever involved.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "support/cage.hpp"

namespace ferry::subprocess {

// What a child may use. 0 means no limit.
struct Limits {
  std::chrono::milliseconds deadline{0};            // wall time until it is killed
  std::uint64_t address_space = 0;                  // bytes (RLIMIT_AS)
  std::uint64_t data = 0;                           // bytes that it may write to, threads' stacks too (RLIMIT_DATA)
  std::uint64_t cpu_seconds = 0;                    // RLIMIT_CPU
  std::size_t max_output = std::size_t{16} << 20U;  // bytes of stdout; a child that says more is killed
  std::size_t max_errors = std::size_t{16} << 10U;  // bytes of stderr that are kept: the first and the last half of it
};

struct Command {
  std::string program;                 // a path, or a name that is looked up in PATH
  std::vector<std::string> arguments;  // without argv[0]; NUL is refused
  Limits limits;
  bool bare_environment = false;                // LC_ALL=C and nothing of ours
  std::shared_ptr<const cage::Cage> locked_in;  // of cage::Calls::program or server; null: it may do all that we may
  int listening = -1;                           // a socket for it to serve, as sd_listen_fds(3) has it; -1: none
  // Called for each piece of stdout that ends in CR or LF (not included), as it comes. When it is set, stdout is
  // not kept in Result::output and max_output holds for one line. It must not throw.
  std::function<void(std::string_view)> on_line;
};

struct Result {
  int exit_code = 0;  // -1 when a signal ended it
  int signal = 0;     // 0: it exited by itself
  std::string output;
  std::string errors;  // with "[...]" where the middle was left out

  [[nodiscard]] bool ok() const { return signal == 0 && exit_code == 0; }
  // "exit status 1", "signal 11 (Segmentation fault)".
  [[nodiscard]] std::string how() const;
};

// A regular file that this user may execute.
[[nodiscard]] bool is_program(const std::filesystem::path &file);

// Where `program` is: itself when it holds a slash, else the first executable file of that name in PATH; empty
// when there is none.
[[nodiscard]] std::filesystem::path find_program(std::string_view program);

// Runs a program and waits for it. The child has our environment with LC_ALL=C, an empty stdin, a process group of its
// own and no file descriptor of ours but `listening`; it dies when we do. A status that is not 0 is a Result, not an
// error. Throws Error: missing (the program is not installed), subprocess (it could not be started, or said too much),
// cancelled (deadline, or `stop` was requested). On any throw the child and what it started are gone: they are asked to
// end (SIGTERM), then killed.
[[nodiscard]] Result run(const Command &command, const std::stop_token &stop = {});

}  // namespace ferry::subprocess
