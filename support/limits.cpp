// SPDX-License-Identifier: Apache-2.0
#include "support/limits.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/resource.h>

namespace ferry::limits {
namespace {

constexpr std::size_t kUnknown = 256;                 // what every system grants
constexpr std::size_t kMost = std::size_t{1} << 20U;  // "unlimited" is a number to reckon with

struct OpenFiles {
  std::size_t before = 0, now = kUnknown;
};

OpenFiles raise() {
  OpenFiles out;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return out;
  const rlim_t soft = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (soft < limit.rlim_max && setrlimit(RLIMIT_NOFILE, &limit) == 0) {
    out.before = static_cast<std::size_t>(soft);
  } else {
    limit.rlim_cur = soft;
  }
  out.now = static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, kMost));
  return out;
}

const OpenFiles &raised() {
  static const OpenFiles kOnce = raise();
  return kOnce;
}

}  // namespace

std::size_t open_files() { return raised().now; }

std::size_t open_files_before() { return raised().before; }

std::string why_no_process(int error) {
  std::string said = std::generic_category().message(error);
  rlimit limit{};
  if (error != EAGAIN || getrlimit(RLIMIT_NPROC, &limit) != 0) return said;
  return "the limit on processes and threads is reached (" + said + "); it is " +
         (limit.rlim_cur == RLIM_INFINITY
              ? "the control group's or the system's, 'ulimit -u' being unlimited"
              : "'ulimit -u' " + std::to_string(limit.rlim_cur) + ", or the control group's");
}

Error as_error(const std::system_error &error, const std::filesystem::path &file) {
  if (error.code() != std::errc::resource_unavailable_try_again)
    return {ErrorKind::io, {.where = {.file = file}, .message = error.what()}};
  return {ErrorKind::io,
          {.where = {.file = file},
           .message = "no thread can be started: " + why_no_process(EAGAIN),
           .advice = kMoreProcesses}};
}

}  // namespace ferry::limits
