// SPDX-License-Identifier: Apache-2.0
#include "support/file_use.hpp"

#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <sys/file.h>
#include <unistd.h>

#include "support/file.hpp"
#include "support/text.hpp"

namespace ferry::file {

namespace {

namespace fs = std::filesystem;

bool is_locked(const fs::path &file) {
  const Descriptor probe(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!probe) return false;
  struct flock lock {};
  lock.l_type = F_WRLCK;  // conflicts with every lock, of either kind, on any byte
  lock.l_whence = SEEK_SET;
  if (fcntl(probe.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK) return true;
  if (flock(probe.get(), LOCK_EX | LOCK_NB) == 0) return false;
  return errno == EWOULDBLOCK;
}

// "flags:\t0100002" of /proc/PID/fdinfo/FD, octal: the last digit's two low bits are the access mode.
bool is_open_for_writing(const fs::path &info) {
  std::ifstream in(info);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("flags:") || line.back() < '0') continue;
    return ((line.back() - '0') & O_ACCMODE) != O_RDONLY;
  }
  return false;
}

std::string name_of(const fs::path &process) {
  std::ifstream in(process / "comm");
  std::string name;
  std::getline(in, name);
  return "the process " + process.filename().string() + (name.empty() ? "" : " (" + text::printable(name) + ")");
}

struct Holder {
  std::string name;
  bool writes = false;
};

// Whether one of a process's descriptors is the file. What cannot be looked at (another user's) holds nothing.
std::optional<Holder> holder(const fs::path &process, const Status &wanted) {
  std::error_code error;
  std::optional<Holder> out;
  for (fs::directory_iterator at(process / "fd", error), end; !error && at != end; at.increment(error)) {
    const auto status = status_of(at->path());
    if (!status || !status->same_file(wanted)) continue;
    const bool writes = is_open_for_writing(process / "fdinfo" / at->path().filename());
    if (!out) out = Holder{name_of(process), writes};
    out->writes = out->writes || writes;
  }
  return out;
}

}  // namespace

std::optional<std::string> user_of(const fs::path &file) {
  const auto wanted = status_of(file, Links::no_follow);
  if (!wanted || !wanted->is_regular()) return std::nullopt;
  const bool locked = is_locked(file);
  const std::string own = std::to_string(getpid());
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name == own || name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto found = holder(at->path(), *wanted);
    if (found && found->writes) return found->name + " has it open for writing";
    if (found && locked) return found->name + " has it open and locked";
  }
  if (locked) return "a process has locked it";
  return std::nullopt;
}

}  // namespace ferry::file
