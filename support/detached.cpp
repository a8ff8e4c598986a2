// SPDX-License-Identifier: Apache-2.0
#include "support/detached.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/again.hpp"
#include "support/error.hpp"
#include "support/file.hpp"

namespace ferry::detached {
namespace {

[[noreturn]] void cannot_start(const std::filesystem::path &program, int error) {
  throw Error(ErrorKind::subprocess,
              {.where = {.file = program},
               .message = std::string("a process that stays cannot be started: ") + std::strerror(error)});
}

// All that is needed after fork(), made before: then only system calls are allowed.
struct Prepared {
  const char *program;
  char *const *arguments;
  int log, null, report;
};

[[noreturn]] void fail(const Prepared &with) {
  const int error = errno;
  static_cast<void>(write(with.report, &error, sizeof error) == 0);
  _exit(1);
}

[[noreturn]] void become(const Prepared &with) {
  if (chdir("/") != 0 || dup2(with.null, 0) < 0 || dup2(with.log, 1) < 0 || dup2(with.log, 2) < 0) fail(with);
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execv(with.program, with.arguments);
  fail(with);
}

}  // namespace

std::filesystem::path own_program() { return std::filesystem::read_symlink("/proc/self/exe"); }

void start(const std::filesystem::path &program, const std::vector<std::string> &arguments,
           const std::filesystem::path &log) {
  std::vector<std::string> words{program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char *> list;
  for (std::string &word : words) list.push_back(word.data());
  list.push_back(nullptr);
  const file::Descriptor to_log(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  const file::Descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
  std::array<int, 2> ends{};
  if (!to_log || !null || pipe2(ends.data(), O_CLOEXEC) != 0) cannot_start(log, errno);
  const file::Descriptor report(ends[0]);
  file::Descriptor reports(ends[1]);
  // All of ours are closed by exec: O_CLOEXEC is the rule of this program.
  const Prepared with{program.c_str(), list.data(), to_log.get(), null.get(), reports.get()};
  const pid_t child = fork();
  if (child < 0) cannot_start(program, errno);
  if (child == 0) {
    setsid();
    const pid_t second = fork();
    if (second < 0) fail(with);
    if (second > 0) _exit(0);  // its child is nobody's
    become(with);
  }
  again([&] { return static_cast<ssize_t>(waitpid(child, nullptr, 0)); });
  reports.reset();
  int error = 0;  // nothing comes where exec() closed the other end
  if (again([&] { return read(report.get(), &error, sizeof error); }) > 0) cannot_start(program, error);
}

}  // namespace ferry::detached
