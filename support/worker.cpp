// SPDX-License-Identifier: Apache-2.0
#include "support/worker.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/again.hpp"
#include "support/error.hpp"
#include "support/limits.hpp"

namespace ferry::worker {

namespace {

// ---- a cage's rules as a message: a letter and a path each, ended by NUL ----

std::string as_message(const cage::Rules &rules) {
  std::string out;
  const auto add = [&out](char letter, const std::vector<std::filesystem::path> &paths) {
    for (const auto &path : paths) out.append(1, letter).append(path.string()).push_back('\0');
  };
  add('l', rules.list);
  add('r', rules.read);
  add('w', rules.write);
  add('x', rules.execute);
  return out;
}

cage::Rules rules_of(std::string_view message) {
  cage::Rules out;
  while (!message.empty()) {
    const std::string_view one = message.substr(0, message.find('\0'));
    message.remove_prefix(std::min(one.size() + 1, message.size()));
    if (one.empty()) continue;
    auto &list = one.front() == 'l'   ? out.list
                 : one.front() == 'r' ? out.read
                 : one.front() == 'w' ? out.write
                                      : out.execute;
    list.emplace_back(one.substr(1));
  }
  return out;
}

// ---- in the worker ----

#ifndef FERRY_SANITIZED
// Above what a conversion of any disk needs, and below what makes a desktop unusable.
constexpr rlim_t kMostMemory = rlim_t{8} << 30U;  // bytes
#endif

void set_limit(decltype(RLIMIT_CORE) resource, rlim_t value) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0) return;
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > value) limit.rlim_cur = value;
  limit.rlim_max = limit.rlim_cur;
  setrlimit(resource, &limit);
}

// Nothing of it reaches the terminal, and it has nothing open but its socket, which becomes descriptor 3.
void keep_only(int socket) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int standard = 0; standard <= 2; ++standard) dup2(null, standard);
  if (socket != 3) dup2(socket, 3);
  fcntl(3, F_SETFD, FD_CLOEXEC);
  if (syscall(SYS_close_range, 4U, ~0U, 0U) == 0) return;
  for (int other = 4; other < 4096; ++other) close(other);
}

[[noreturn]] void be_worker(int socket, pid_t parent, Serve serve) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  keep_only(socket);
  set_limit(RLIMIT_CORE, 0);
#ifndef FERRY_SANITIZED
  set_limit(RLIMIT_DATA, kMostMemory);
#endif
  // A crash is a crash, also where a library of the program's has a handler.
  for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS}) signal(number, SIG_DFL);
  Channel channel{file::Descriptor(3)};
  const auto rules = channel.receive();
  if (!rules) _exit(0);
  std::string said;
  try {
    const cage::Cage cage(rules_of(rules->bytes), cage::Calls::worker);
    if (const int error = cage.apply(); error != 0) said = std::strerror(error);
  } catch (const std::exception &error) {
    said = error.what();
  }
  if (!channel.send(said) || !said.empty()) _exit(1);
  serve(channel);
  _exit(0);
}

// ---- in the process that workers are forked from ----

class Nursery {
 public:
  Nursery(file::Descriptor control, Serve serve)
      : control_socket_(control.get()), control_(std::move(control)), serve_(serve) {
    // What the terminal says is meant for the program itself, which tells its workers.
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ}) signal(number, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, nullptr);
    deaths_ = file::Descriptor(signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!deaths_) _exit(1);
  }

  [[noreturn]] void run() {
    for (;;) {
      std::vector<pollfd> waits{{control_socket_, POLLIN, 0}, {deaths_.get(), POLLIN, 0}};
      std::vector<pid_t> children;
      for (const auto &[child, ended] : workers_) {
        if (!ended) continue;
        waits.push_back({ended.get(), 0, 0});
        children.push_back(child);
      }
      if (poll(waits.data(), waits.size(), -1) < 0) {
        if (errno != EINTR) _exit(1);
        continue;
      }
      for (std::size_t i = 0; i < children.size(); ++i) {
        if (waits[i + 2].revents != 0) end(children[i]);
      }
      if (waits[1].revents != 0) bury();
      if (waits[0].revents == 0) continue;
      auto wanted = control_.receive();
      if (!wanted || wanted->descriptors.size() != 2) _exit(0);  // the program has ended, and so do all workers
      raise(wanted->descriptors[0].get(), std::move(wanted->descriptors[1]));
    }
  }

 private:
  void raise(int socket, file::Descriptor ended) {
    const pid_t self = getpid();
    const pid_t child = fork();
    if (child == 0) {
      sigset_t none;
      sigemptyset(&none);
      sigprocmask(SIG_SETMASK, &none, nullptr);
      be_worker(socket, self, serve_);
    }
    const pid_t number = child < 0 ? -errno : child;  // what says why there is none is below zero
    static_cast<void>(write(ended.get(), &number, sizeof number) == 0);
    if (child < 0) return;
    workers_[child] = std::move(ended);
  }

  // Its owner is gone, and it may be one that does not look up any more.
  void end(pid_t child) {
    kill(child, SIGKILL);
    workers_[child].reset();
  }

  void bury() {
    signalfd_siginfo ignored{};
    while (read(deaths_.get(), &ignored, sizeof ignored) > 0) {
    }
    int status = 0;
    for (pid_t child = 0; (child = waitpid(-1, &status, WNOHANG)) > 0;) {
      const auto found = workers_.find(child);
      if (found == workers_.end()) continue;
      if (found->second) static_cast<void>(write(found->second.get(), &status, sizeof status) == 0);
      workers_.erase(found);
    }
  }

  int control_socket_;
  Channel control_;
  Serve serve_;
  file::Descriptor deaths_;
  std::map<pid_t, file::Descriptor> workers_;  // where their status goes
};

// ---- in the program ----

const Channel *&nursery() {
  static const Channel *control = nullptr;
  return control;
}

std::string &reason() {
  static std::string why;
  return why;
}

std::mutex &reason_lock() {
  static std::mutex lock;
  return lock;
}

void set_reason(std::string why) {
  const std::scoped_lock lock(reason_lock());
  reason() = std::move(why);
}

std::string no_process(int error) { return "no process can be started: " + limits::why_no_process(error); }

// A worker that takes nothing in any more holds nobody up.
void limit_sending(int socket) {
  const timeval longest{10, 0};  // seconds
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
}

bool make_pair(file::Descriptor &ours, file::Descriptor &theirs) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return false;
  ours.reset(ends[0]);
  theirs.reset(ends[1]);
  return true;
}

}  // namespace

void begin(Serve serve) {
  file::Descriptor ours, theirs;
  if (!cage::offered().seccomp) return set_reason("this kernel has no seccomp filters");
  if (!make_pair(ours, theirs)) return set_reason(no_process(errno));
  const pid_t child = fork();
  if (child < 0) return set_reason(no_process(errno));
  if (child == 0) {
    // What the program was started with is none of a worker's business. The order keeps the one that is needed.
    const int kept = fcntl(theirs.get(), F_DUPFD_CLOEXEC, 3);
    if (kept < 0) _exit(1);  // it could not even be told that the program has ended
    const auto beyond = static_cast<unsigned>(kept) + 1U;
    if (kept > 3) syscall(SYS_close_range, 3U, static_cast<unsigned>(kept) - 1U, 0U);
    syscall(SYS_close_range, beyond, ~0U, 0U);
    static_cast<void>(theirs.release());
    static_cast<void>(ours.release());
    Nursery(file::Descriptor(kept), serve).run();
  }
  nursery() = new Channel(std::move(ours));  // for as long as the program runs
}

void limit_work(std::chrono::seconds processor, [[maybe_unused]] std::uint64_t memory) {
  set_limit(RLIMIT_CPU, static_cast<rlim_t>(processor.count()));
#ifndef FERRY_SANITIZED
  set_limit(RLIMIT_DATA, static_cast<rlim_t>(memory));
#endif
}

bool available() { return nursery() != nullptr; }

std::string why_none() {
  const std::scoped_lock lock(reason_lock());
  return reason();
}

std::unique_ptr<Worker> Worker::start(const cage::Rules &rules) {
  if (!available()) return nullptr;
  file::Descriptor ours, theirs, ended, ends;
  if (!make_pair(ours, theirs) || !make_pair(ended, ends)) {
    set_reason(no_process(errno));
    return nullptr;
  }
  if (!nursery()->send("", {theirs.get(), ends.get()})) {
    set_reason("the process that starts others has ended");
    return nullptr;
  }
  theirs.reset();
  ends.reset();
  limit_sending(ours.get());
  std::unique_ptr<Worker> out(new Worker(std::move(ours), std::move(ended)));
  const auto reply = out->channel_.send(as_message(rules)) ? out->channel_.receive() : std::nullopt;
  const auto process = out->number();
  if (!reply || !process || *process <= 0) {
    set_reason(process && *process < 0 ? no_process(-*process) : "the process that was started ended at once");
    return nullptr;
  }
  out->process_ = *process;
  if (reply->bytes.empty()) return out;
  throw Error(ErrorKind::internal,
              {.message = "the process that reads the source could not be locked in", .found = reply->bytes});
}

std::optional<int> Worker::number() const {
  constexpr int kLongest = 5000;  // ms: it is there as soon as the worker's end of the channel is gone
  pollfd wait{ended_.get(), POLLIN, 0};
  if (again([&] { return poll(&wait, 1, kLongest); }) <= 0) return std::nullopt;
  int out = 0;
  const ssize_t got = again([&] { return recv(ended_.get(), &out, sizeof out, MSG_WAITALL); });
  return got == sizeof out ? std::optional(out) : std::nullopt;
}

std::string Worker::how_it_ended() const {
  const auto ended = number();
  if (!ended) return "it closed its socket";
  if (WIFSIGNALED(*ended))
    return "signal " + std::to_string(WTERMSIG(*ended)) + " (" + strsignal(WTERMSIG(*ended)) + ")";
  return "exit status " + std::to_string(WEXITSTATUS(*ended));
}

}  // namespace ferry::worker
