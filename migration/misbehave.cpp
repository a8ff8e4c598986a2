// SPDX-License-Identifier: Apache-2.0
#include "migration/misbehave.hpp"

#ifdef FERRY_MISBEHAVE
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <string>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "support/error.hpp"
#include "support/file.hpp"
#include "support/text.hpp"
#endif

namespace ferry::migration {

#ifndef FERRY_MISBEHAVE

void misbehave_when_told() {}
worker::Patience patience() { return {}; }

#else

namespace {

int error_of(long result) { return result < 0 ? errno : 0; }

int try_to(const std::string &what, const std::string &with) {
  if (what == "read") return error_of(file::Descriptor(open(with.c_str(), O_RDONLY | O_CLOEXEC)).get());
  if (what == "write")
    return error_of(file::Descriptor(open(with.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)).get());
  if (what == "remove") return error_of(unlink(with.c_str()));
  if (what == "connect") return error_of(socket(AF_INET, SOCK_STREAM, 0));
  if (what == "fork") return error_of(fork());
  if (what == "trace") return error_of(ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr));
  if (what == "signal") return error_of(kill(getppid(), SIGTERM));
  if (what == "run") {
    std::string program = with;
    char *const words[] = {program.data(), nullptr};
    return error_of(execve(program.c_str(), words, words));
  }
  if (what == "crash") raise(SIGSEGV);
  if (what == "abort") abort();
  if (what == "spin") {
    for (volatile unsigned turns = 0;;) turns = turns + 1;
  }
  if (what == "sleep") {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
  return EINVAL;
}

}  // namespace

void misbehave_when_told() {
  const char *told = std::getenv("VIRT_FERRY_MISBEHAVE");
  if (told == nullptr) return;
  const std::string words = told;
  const std::size_t blank = std::min(words.find(' '), words.size());
  const int error = try_to(words.substr(0, blank), words.substr(std::min(blank + 1, words.size())));
  throw Error(ErrorKind::io,
              {.message = "a worker misbehaved", .found = error == 0 ? "nothing" : std::strerror(error)});
}

worker::Patience patience() {
  const char *told = std::getenv("VIRT_FERRY_PATIENCE");
  if (told == nullptr) return {};
  const std::chrono::milliseconds longest(static_cast<std::int64_t>(text::parse_u64(told).value_or(0)));
  return {.computing = longest, .waiting = 5 * longest, .stopping = longest};
}

#endif

}  // namespace ferry::migration
