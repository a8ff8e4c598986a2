// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupts.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <mutex>
#include <signal.h>
#include <thread>
#include <unistd.h>

#include "cli/progress_display.hpp"

namespace ferry::cli {
namespace {

struct State {
  std::mutex guard;
  int making = 0;            // how many Making objects live
  const char *message = "";  // the outermost one's
  int signal = 0;            // that asked first
  int terminated = kInterrupted;
  std::stop_source stop;
};

// Never destroyed: the thread that waits for signals is still there when main() has returned.
State &state() {
  static auto *const kKept = new State;  // NOLINT(cppcoreguidelines-owning-memory)
  return *kKept;
}

int code_of(const State &shared) { return shared.signal == SIGTERM ? shared.terminated : kInterrupted; }

void take_stop(int number) {
  State &shared = state();
  const std::lock_guard lock(shared.guard);
  shared.signal = number;
  clear_progress_line();
  if (shared.making == 0) {  // held locked: nobody begins to make anything meanwhile
    std::fputs("virt-ferry: interrupted; nothing was started\n", stderr);
    _exit(code_of(shared));
  }
  std::fprintf(stderr, "virt-ferry: %s\n", shared.message);
  shared.stop.request_stop();
}

void wait_for_signals(const sigset_t &signals) {
  for (bool stopping = false;;) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (number == SIGWINCH) {
      redraw_progress();
    } else if (stopping) {
      _exit(kInterrupted);
    } else {
      stopping = true;
      take_stop(number);
    }
  }
}

}  // namespace

Interrupts::Interrupts() {
  // Writing to a pipe that nobody reads any more, or beyond the limit of a file's size, is an error of write().
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGWINCH);
  // A closed terminal ends the program as Ctrl-C does; nohup has it ignored, and blocking would undo that.
  struct sigaction hangup {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  (void)state();
  std::thread([signals] { wait_for_signals(signals); }).detach();
}

std::stop_token Interrupts::token() const { return state().stop.get_token(); }

int code_of_stop() {
  const std::lock_guard lock(state().guard);
  return code_of(state());
}

void set_code_of_terminated(int code) {
  const std::lock_guard lock(state().guard);
  state().terminated = code;
}

Making::Making(const char *message) {
  const std::lock_guard lock(state().guard);
  if (state().making++ == 0) state().message = message;
}

Making::~Making() {
  const std::lock_guard lock(state().guard);
  --state().making;
}

void open_standard_descriptors() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest number that is free, so this one; nothing can be done where even that fails.
    if (open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY) != descriptor) _exit(1);
  }
}

}  // namespace ferry::cli
