// SPDX-License-Identifier: Apache-2.0
// What the operating system lets this process use.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>

#include "support/error.hpp"

namespace ferry::limits {

// How many files may be open at once. The first call raises the soft limit to the hard one: the soft one (mostly 1024)
// protects programs that use select(), which we do not, and a machine with many snapshots has more images than that.
std::size_t open_files();

// The soft limit as it was before: what a child is given, which may use select(). 0: it was never raised.
[[nodiscard]] std::size_t open_files_before();

// What to do where no more threads or processes may be made (EAGAIN of fork, clone and pthread_create; fork(2)).
inline constexpr const char *kMoreProcesses =
    "Raise the limit on processes and threads ('ulimit -u', or TasksMax, pids.max, of the session's control group), or "
    "end other programs.";

// Why fork() failed with `error`, a clause: names the limit, where one is the cause.
[[nodiscard]] std::string why_no_process(int error);

// What the operating system refused while `file` was worked on, as an Error io. What thread creation throws at a limit
// (EAGAIN) names the limit and what to do.
[[nodiscard]] Error as_error(const std::system_error &error, const std::filesystem::path &file = {});

}  // namespace ferry::limits
