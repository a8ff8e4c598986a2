// SPDX-License-Identifier: Apache-2.0
#include "support/file_users.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <system_error>
#include <unistd.h>

#include "support/file.hpp"
#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::file_users {
namespace {

namespace fs = std::filesystem;

// QEMU locks single bytes: that of permission n at 100 + n (block/file-posix.c, RAW_LOCK_PERM_BASE). Writing is the
// second permission, resizing the fourth; a reader holds neither.
constexpr off_t kQemuWrite = 101;
constexpr off_t kQemuResize = 103;

// The lock of another that one of `type` would meet. `length` 0: to the end of the file.
std::optional<struct flock> lock_in_the_way(int descriptor, short type, off_t start, off_t length) {
  struct flock query {};
  query.l_type = type;
  query.l_whence = SEEK_SET;
  query.l_start = start;
  query.l_len = length;
  if (::fcntl(descriptor, F_OFD_GETLK, &query) != 0 || query.l_type == F_UNLCK) return std::nullopt;
  return query;
}

std::string holder_of(const struct flock &lock) {
  if (lock.l_pid > 0) return "a lock of process " + std::to_string(lock.l_pid);
  return "a lock of QEMU, or of a similar program";
}

std::string read_small(const fs::path &file) {
  constexpr std::size_t kMost = 65536;
  std::ifstream in(file, std::ios::binary);
  std::string out(kMost, '\0');
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  out.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return out;
}

bool runs_machines(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kNames{"VirtualBox", "VBoxHeadless", "VBoxSDL",
                                                          "vmware-vmx", "qemu-",        "kvm"};
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view known) { return name.starts_with(known); });
}

// "flags:\t0100002" of /proc/PID/fdinfo/FD: open()'s, octal.
bool is_written(const fs::path &info) {
  const std::string text = read_small(info);
  const std::size_t at = text.find("flags:");
  if (at == std::string::npos) return false;
  const std::string_view digits = text::trim(std::string_view(text).substr(at + 6, text.find('\n', at) - at - 6));
  unsigned flags = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), flags, 8);
  return (flags & static_cast<unsigned>(O_ACCMODE)) != O_RDONLY;
}

std::vector<Process::File> written_by(const fs::path &process) {
  std::vector<Process::File> out;
  std::error_code failed;
  for (fs::directory_iterator at(process / "fd", failed), end; !failed && at != end; at.increment(failed)) {
    const auto status = file::status_of(at->path());
    if (status && status->is_regular() && is_written(process / "fdinfo" / at->path().filename()))
      out.push_back({status->device, status->inode});
  }
  return out;
}

std::string comm_of(const fs::path &process) { return std::string(text::trim(read_small(process / "comm"))); }

// A lock of either kind, a reader's or a writer's, on any byte.
bool is_locked(const fs::path &file) {
  const file::Descriptor probe(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!probe) return false;
  if (lock_in_the_way(probe.get(), F_WRLCK, 0, 0)) return true;
  return ::flock(probe.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

enum class Hold { none, reads, writes };

// How a process has the file open. What cannot be looked at (another user's) holds nothing.
Hold hold_on(const fs::path &process, const file::Status &wanted) {
  Hold out = Hold::none;
  std::error_code failed;
  for (fs::directory_iterator at(process / "fd", failed), end; !failed && at != end; at.increment(failed)) {
    const auto status = file::status_of(at->path());
    if (!status || !status->same_file(wanted)) continue;
    if (is_written(process / "fdinfo" / at->path().filename())) return Hold::writes;
    out = Hold::reads;
  }
  return out;
}

// A file system that only this host writes to.
bool is_local(const fs::path &path) {
  static constexpr std::array<unsigned long, 7> kOfNetworks{
      0x6969,     0x517B,     0xFF534D42, 0xFE534D42,
      0x65735546, 0x01021997, 0x00C36400};  // NFS, SMB, CIFS, SMB2, FUSE, 9p, Ceph
  struct statfs status {};
  if (::statfs(path.c_str(), &status) != 0) return false;
  const auto type = static_cast<unsigned long>(status.f_type) & 0xFFFFFFFFUL;
  return std::find(kOfNetworks.begin(), kOfNetworks.end(), type) == kOfNetworks.end();
}

// "MACHINE PID-TIME(PROGRAM) NUMBER X ..." (open-vm-tools, lib/file/fileLock*.c: its names for the members of a lock).
VmwareLock read_lock(const fs::path &file) {
  VmwareLock out;
  out.file = file;
  constexpr std::size_t kMost = 65536;  // bytes
  std::string content;
  try {
    content = on_host::is_remote(file) ? file::read_start(file, kMost) : read_small(file);
  } catch (const Error &error) {
    if (error.kind() == ErrorKind::unreachable) throw;  // else it was taken away, or may not be read: it is a lock
  }
  const std::size_t blank = content.find(' ');
  if (blank != std::string::npos) {
    out.machine = content.substr(0, blank);
    const std::string_view rest = std::string_view(content).substr(blank + 1);
    std::uint32_t pid = 0;
    if (std::from_chars(rest.data(), rest.data() + rest.size(), pid).ec == std::errc{}) out.pid = pid;
  }
  return out;
}

}  // namespace

std::optional<std::string> lock_on(const fs::path &file) {
  const file::Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!descriptor) return std::nullopt;  // so it is for one of another host, whose locks nobody sees from here
  // A reader's lock would meet a writer's anywhere.
  if (const auto found = lock_in_the_way(descriptor.get(), F_RDLCK, 0, 0)) return holder_of(*found);
  for (const off_t byte : {kQemuWrite, kQemuResize}) {
    if (const auto found = lock_in_the_way(descriptor.get(), F_WRLCK, byte, 1)) return holder_of(*found);
  }
  return std::nullopt;
}

std::optional<std::string> user_of(const fs::path &file) {
  const auto wanted = file::status_of(file, file::Links::no_follow);
  if (!wanted || !wanted->is_regular()) return std::nullopt;
  const bool locked = is_locked(file);
  std::error_code failed;
  for (fs::directory_iterator at("/proc", failed), end; !failed && at != end; at.increment(failed)) {
    const std::string pid = at->path().filename().string();
    if (!text::parse_u64(pid) || pid == std::to_string(::getpid())) continue;
    const Hold hold = hold_on(at->path(), *wanted);
    if (hold == Hold::none || (hold == Hold::reads && !locked)) continue;
    const std::string name = comm_of(at->path());
    return "the process " + pid + (name.empty() ? "" : " (" + text::printable(name) + ")") +
           (hold == Hold::writes ? " has it open for writing" : " has it open and locked");
  }
  if (locked) return "a process has locked it";
  return std::nullopt;
}

std::vector<Process> machine_processes() {
  std::vector<Process> out;
  std::error_code failed;
  for (fs::directory_iterator at("/proc", failed), end; !failed && at != end; at.increment(failed)) {
    const auto pid = text::parse_u64(at->path().filename().string());
    if (!pid) continue;
    std::string name = comm_of(at->path());
    if (!runs_machines(name)) continue;
    std::string command = read_small(at->path() / "cmdline");
    std::replace(command.begin(), command.end(), '\0', ' ');
    out.push_back({static_cast<std::uint32_t>(*pid), std::move(name), std::move(command), written_by(at->path())});
  }
  return out;
}

std::vector<VmwareLock> vmware_locks(const fs::path &lock) {
  std::vector<VmwareLock> out;
  std::error_code failed;
  if (on_host::is_regular_file(lock, failed)) {
    out.push_back(read_lock(lock));
  } else if (on_host::is_directory(lock, failed)) {
    for (const on_host::Entry &entry : on_host::list(lock, failed)) {
      // M1234.lck is held; E1234.lck is of one that waits, D1234 a folder of one that is choosing its number.
      if (entry.is_file && entry.path.filename().string().starts_with("M")) out.push_back(read_lock(entry.path));
    }
  }
  return out;
}

bool is_left_over(const VmwareLock &lock) {
  return lock.pid && is_local(lock.file) &&
         read_small("/proc/" + std::to_string(*lock.pid) + "/comm").find("vm") == std::string::npos;
}

}  // namespace ferry::file_users
