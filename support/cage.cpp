// SPDX-License-Identifier: Apache-2.0
#include "support/cage.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <memory>
#include <seccomp.h>
#include <sstream>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/error.hpp"

namespace ferry::cage {

namespace {

// ---- Landlock. Debian 12's headers know version 2 only; the numbers are the kernel's own and never change. ----

constexpr std::uint64_t kExecute = 1U << 0U, kWriteFile = 1U << 1U, kReadFile = 1U << 2U, kReadFolder = 1U << 3U;
// Bits 4 and 5 are removing, 7, 8 and 12 making folders, files and links.
constexpr std::uint64_t kMakeDevice = 1U << 6U, kMakeSocket = 1U << 9U, kMakeFifo = 1U << 10U, kMakeBlock = 1U << 11U;
constexpr std::uint64_t kRefer = 1U << 13U;     // version 2: renames and links between folders
constexpr std::uint64_t kTruncate = 1U << 14U;  // version 3
constexpr std::uint64_t kDevices = 1U << 15U;   // version 5: ioctl on devices
constexpr std::uint64_t kFirstVersion = (1U << 13U) - 1;
constexpr std::uint64_t kTcp = 0b11;     // version 4: bind and connect
constexpr std::uint64_t kScopes = 0b11;  // version 6: abstract sockets and signals to processes outside

struct RulesetAttributes {
  std::uint64_t files, network, scopes;
};
struct __attribute__((packed)) PathRule {
  std::uint64_t allowed;
  std::int32_t parent;
};

constexpr long kCreateRuleset = 444, kAddRule = 445, kRestrictSelf = 446;  // the same on every architecture
constexpr unsigned kAskVersion = 1, kPathBeneath = 1;

int landlock_version() {
  return std::max(0, static_cast<int>(syscall(kCreateRuleset, nullptr, std::size_t{0}, kAskVersion)));
}

[[noreturn]] void refused(const char *what) {
  throw Error(ErrorKind::internal,
              {.message = std::string("the kernel refused ") + what + ": " + std::strerror(errno)});
}

std::uint64_t all_rights(int version) {
  std::uint64_t out = kFirstVersion;
  if (version >= 2) out |= kRefer;
  if (version >= 3) out |= kTruncate;
  if (version >= 5) out |= kDevices;
  return out;
}

void allow(int ruleset, const std::filesystem::path &path, std::uint64_t rights) {
  const file::Descriptor parent(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!parent) return;
  struct stat status {};
  if (fstat(parent.get(), &status) != 0) return;
  // Rights that only make sense for a folder are refused for a file.
  constexpr std::uint64_t kOfFiles = kExecute | kWriteFile | kReadFile | kTruncate | kDevices;
  if (!S_ISDIR(status.st_mode)) rights &= kOfFiles;
  if (rights == 0) return;
  const PathRule rule{rights, parent.get()};
  if (syscall(kAddRule, ruleset, kPathBeneath, &rule, 0U) != 0) refused("a rule of Landlock's");
}

file::Descriptor make_ruleset(const Rules &rules) {
  const int version = landlock_version();
  if (version == 0) return file::Descriptor();
  const std::uint64_t handled = all_rights(version);
  const RulesetAttributes attributes{handled, kTcp, kScopes};
  const std::size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;  // bytes that this version knows
  file::Descriptor ruleset(static_cast<int>(syscall(kCreateRuleset, &attributes, size, 0U)));
  if (!ruleset) refused("a set of Landlock's rules");
  constexpr std::uint64_t kNever = kMakeDevice | kMakeBlock | kMakeSocket | kMakeFifo | kExecute | kDevices;
  for (const auto &path : rules.list) allow(ruleset.get(), path, kReadFolder);
  for (const auto &path : rules.read) allow(ruleset.get(), path, kReadFile | kReadFolder);
  for (const auto &path : rules.write) allow(ruleset.get(), path, handled & ~kNever);
  for (const auto &path : rules.execute) allow(ruleset.get(), path, kReadFile | kReadFolder | kExecute);
  return ruleset;
}

// ---- seccomp ----

struct Release {
  void operator()(void *context) const { seccomp_release(context); }
};
using Filter = std::unique_ptr<void, Release>;

void rule(const Filter &filter, std::uint32_t action, const std::string &name) {
  const int number = seccomp_syscall_resolve_name(name.c_str());
  if (number == __NR_SCMP_ERROR) return;  // newer than this libseccomp: it stays with the default
  const int error = seccomp_rule_add(filter.get(), action, number, 0);
  if (error != 0 && error != -EACCES) refused("a rule of seccomp's");  // EACCES: it is the default action already
}

// The same action for each of a list of names with blanks between them.
void rules(const Filter &filter, std::uint32_t action, std::string_view names) {
  for (std::istringstream words{std::string(names)}; !words.eof();) {
    std::string name;
    words >> name;
    rule(filter, action, name);
  }
}

// What the number-th argument of a call must be; with MASKED_EQ, first is the mask. libseccomp's own macros for it are
// C's compound literals, which clang does not take in C++.
scmp_arg_cmp argument(unsigned number, scmp_compare how, scmp_datum_t first, scmp_datum_t second = 0) {
  return {.arg = number, .op = how, .datum_a = first, .datum_b = second};
}

void rule(const Filter &filter, std::uint32_t action, const char *name, scmp_arg_cmp condition) {
  if (seccomp_rule_add_array(filter.get(), action, seccomp_syscall_resolve_name(name), 1, &condition) != 0)
    refused("a rule of seccomp's");
}

// What reading, inflating, hashing, copying and writing files on many threads takes, and the C library's own needs.
constexpr std::string_view kWorkerCalls =
    "read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek close close_range "
    "open openat openat2 creat fstat stat lstat newfstatat statx statfs fstatfs access faccessat "
    "faccessat2 readlink readlinkat getdents getdents64 getcwd chdir fchdir fcntl flock dup dup2 dup3 "
    "pipe pipe2 fallocate ftruncate truncate fsync fdatasync sync_file_range syncfs fadvise64 readahead "
    "copy_file_range sendfile splice rename renameat renameat2 link linkat symlink symlinkat unlink "
    "unlinkat mkdir mkdirat rmdir chmod fchmod fchmodat umask utimensat utimes getxattr lgetxattr "
    "fgetxattr listxattr flistxattr memfd_create "
    // memory, threads, signals
    "mmap mprotect munmap mremap madvise msync mincore brk futex futex_waitv set_robust_list "
    "get_robust_list rseq set_tid_address sched_yield sched_getaffinity sched_setaffinity sched_getparam "
    "sched_getscheduler membarrier exit exit_group rt_sigaction rt_sigprocmask rt_sigreturn "
    "rt_sigtimedwait sigaltstack restart_syscall arch_prctl getrlimit getrusage times sysinfo uname "
    "getpid getppid gettid getuid geteuid getgid getegid getpgrp getrandom getcpu "
    // time and waiting
    "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time poll ppoll select pselect6 "
    "epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 timerfd_create timerfd_settime "
    "timerfd_gettime "
    // on the socket to the parent, which is there already
    "sendmsg recvmsg sendto recvfrom shutdown getsockopt";

// What a program of the host that only reads and writes images has no business with.
constexpr std::string_view kProgramsNever =
    "bind listen ptrace process_vm_readv process_vm_writev process_madvise "
    "pidfd_getfd pidfd_open kcmp mount umount2 move_mount open_tree fsopen fsmount fspick pivot_root "
    "chroot unshare setns bpf perf_event_open keyctl add_key request_key init_module finit_module "
    "delete_module kexec_load kexec_file_load reboot swapon swapoff userfaultfd io_uring_setup "
    "io_uring_enter io_uring_register open_by_handle_at name_to_handle_at setuid setgid setreuid setregid "
    "setresuid setresgid setgroups acct quotactl syslog sethostname setdomainname settimeofday "
    "clock_settime adjtimex";

Filter worker_filter() {
  Filter filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) refused("a filter of seccomp's");
  rules(filter, SCMP_ACT_ALLOW, kWorkerCalls);
  // Threads, not processes. clone3 hides its flags behind a pointer: without it the C library takes clone.
  rule(filter, SCMP_ACT_ALLOW, "clone", argument(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
  rule(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3");
  // Signals to itself alone (abort), limits of itself alone, names of its threads.
  rule(filter, SCMP_ACT_ALLOW, "tgkill", argument(0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid())));
  rule(filter, SCMP_ACT_ALLOW, "prlimit64", argument(0, SCMP_CMP_EQ, 0));
  rule(filter, SCMP_ACT_ALLOW, "prctl", argument(0, SCMP_CMP_EQ, PR_SET_NAME));
  // Sharing blocks; never a terminal's (TIOCSTI types into it).
  for (const unsigned long request : {0UL + FICLONE, 0UL + FICLONERANGE, 0UL + FIONREAD, 0UL + BLKGETSIZE64})
    rule(filter, SCMP_ACT_ALLOW, "ioctl", argument(1, SCMP_CMP_EQ, request));
  return filter;
}

Filter program_filter(Calls calls) {
  Filter filter(seccomp_init(SCMP_ACT_ALLOW));
  if (!filter) refused("a filter of seccomp's");
  rules(filter, SCMP_ACT_ERRNO(EPERM), kProgramsNever);
  if (calls == Calls::client) {
    rule(filter, SCMP_ACT_ERRNO(EPERM), "socket", argument(0, SCMP_CMP_NE, AF_UNIX));
  } else {
    rules(filter, SCMP_ACT_ERRNO(EPERM), "socket connect");
  }
  if (calls != Calls::server) rules(filter, SCMP_ACT_ERRNO(EPERM), "accept accept4");
  rule(filter, SCMP_ACT_ERRNO(EPERM), "ioctl", argument(1, SCMP_CMP_EQ, TIOCSTI));
  return filter;
}

std::vector<std::uint64_t> compiled(const Filter &filter) {
  const file::Descriptor memory(memfd_create("seccomp", MFD_CLOEXEC));
  if (!memory || seccomp_export_bpf(filter.get(), memory.get()) != 0) refused("a filter of seccomp's");
  const file::Status status = file::status_of(memory.get(), "seccomp filter");
  static_assert(sizeof(sock_filter) == sizeof(std::uint64_t));
  std::vector<std::uint64_t> out(status.size / sizeof(sock_filter));
  const auto bytes = static_cast<ssize_t>(out.size() * sizeof(sock_filter));
  if (pread(memory.get(), out.data(), static_cast<std::size_t>(bytes), 0) != bytes) refused("a filter of seccomp's");
  return out;
}

}  // namespace

Offer offered() { return {.landlock = landlock_version(), .seccomp = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0}; }

Cage::Cage(const Rules &rules, Calls calls)
    : ruleset_(make_ruleset(rules)),
      filter_(compiled(calls == Calls::worker ? worker_filter() : program_filter(calls))) {}

int Cage::apply() const {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  if (ruleset_ && syscall(kRestrictSelf, ruleset_.get(), 0U) != 0) return errno;
  sock_fprog program{};
  program.len = static_cast<unsigned short>(filter_.size());
  // The kernel reads it only.
  program.filter = reinterpret_cast<sock_filter *>(const_cast<std::uint64_t *>(filter_.data()));
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) return errno;
  return 0;
}

}  // namespace ferry::cage
