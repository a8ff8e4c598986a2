// SPDX-License-Identifier: Apache-2.0
// Boost.Process's v1 API, header only from Boost 1.74 to 1.88 (v2 needs a compiled library from 1.86). Its wait_for is
// not used: it is unreliable with SIGCHLD; one timer watches exit, deadline and stop instead.
#include "support/subprocess.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#if __has_include(<boost/process/v1/child.hpp>)
#include <boost/process/v1/args.hpp>
#include <boost/process/v1/async_pipe.hpp>
#include <boost/process/v1/child.hpp>
#include <boost/process/v1/exe.hpp>
#include <boost/process/v1/extend.hpp>
#include <boost/process/v1/io.hpp>
namespace bp = boost::process::v1;
#else
#include <boost/process/args.hpp>
#include <boost/process/async_pipe.hpp>
#include <boost/process/child.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/io.hpp>
namespace bp = boost::process;
#endif
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "support/error.hpp"
#include "support/limits.hpp"
#include "support/text.hpp"

namespace ferry::subprocess {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

namespace {

// How often exit, deadline and stop are looked at: quick for short programs, easy on long ones.
constexpr auto kFirstTick = std::chrono::milliseconds(1);
constexpr auto kLongestTick = std::chrono::milliseconds(25);
// What is left in the pipes of a program that has exited; only a grandchild can keep them open longer.
constexpr auto kDrainTime = std::chrono::milliseconds(500);
// Between SIGTERM and SIGKILL.
constexpr auto kEndTime = std::chrono::seconds(2);

// As it was before we raised ours: it may be a program that uses select().
void limit_open_files(std::size_t files) {
  rlimit both{};
  if (files == 0 || ::getrlimit(RLIMIT_NOFILE, &both) != 0) return;
  both.rlim_cur = static_cast<rlim_t>(files);
  ::setrlimit(RLIMIT_NOFILE, &both);
}

void limit(decltype(RLIMIT_AS) resource, std::uint64_t value) {
  if (value == 0) return;
  const rlimit both{static_cast<rlim_t>(value), static_cast<rlim_t>(value)};
  ::setrlimit(resource, &both);
}

// In the child: the socket becomes descriptor 3, and the digits of LISTEN_PID say that this process is meant.
void hand_over(int listening, std::span<char> digits) {
  constexpr int kFirst = 3;  // SD_LISTEN_FDS_START
  if (listening == kFirst) {
    ::fcntl(kFirst, F_SETFD, 0);
  } else {
    ::dup2(listening, kFirst);
  }
  auto rest = static_cast<unsigned>(::getpid());
  for (std::size_t i = digits.size(); i-- > 0; rest /= 10) digits[i] = static_cast<char>('0' + rest % 10);
}

// Runs in the child between fork and exec: only calls that are safe there.
void prepare_child(const Limits &limits, std::size_t open_files, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) ::signal(number, SIG_DFL);
  limit(RLIMIT_AS, limits.address_space);
  limit(RLIMIT_DATA, limits.data);
  limit(RLIMIT_CPU, limits.cpu_seconds);
  limit(RLIMIT_CORE, 0);
  limit_open_files(open_files);
  // Pipes of other children that are being started in other threads, and whatever a library opened without
  // O_CLOEXEC. Linux 5.11; older kernels leave them open, as everybody does.
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
}

void lock_in(const cage::Cage *locked_in) {
  if (locked_in == nullptr || locked_in->apply() == 0) return;
  constexpr std::string_view kWords = "the program could not be locked in (Landlock, seccomp) and was not started\n";
  static_cast<void>(::write(STDERR_FILENO, kWords.data(), kWords.size()) == 0);
  ::_exit(126);
}

// The first and the last half of what a program says, however much it is.
class Excerpt {
 public:
  explicit Excerpt(std::size_t limit) : half_(std::max<std::size_t>(limit / 2, 1)) {}
  void add(std::string_view piece) {
    const std::size_t room = half_ - std::min(half_, head_.size());
    head_.append(piece.substr(0, room));
    tail_.append(piece.substr(std::min(room, piece.size())));
    if (tail_.size() > 4 * half_) cut();
  }
  std::string take() {
    cut();
    if (!left_out_) return head_ + tail_;
    // What is left begins and ends with whole characters.
    const auto begins =
        std::ranges::find_if(tail_, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
    std::size_t end = head_.size();
    while (end > 0 && (static_cast<unsigned char>(head_[end - 1]) & 0xC0U) == 0x80U)
      --end;                                                                    // a character's later bytes
    if (end > 0 && static_cast<unsigned char>(head_[end - 1]) >= 0xC0U) --end;  // and its first
    return (text::is_valid_utf8(head_) ? head_ : head_.substr(0, end)) + "[...]" + std::string(begins, tail_.end());
  }

 private:
  void cut() {
    if (tail_.size() <= half_) return;
    tail_.erase(0, tail_.size() - half_);
    left_out_ = true;
  }
  std::size_t half_;
  std::string head_, tail_;
  bool left_out_ = false;
};

// This process's environment, but for the language. Not a bp::environment: its operator[] reads past the end of every
// entry that is shorter than the name it looks for (Boost 1.74; AddressSanitizer and ThreadSanitizer say so).
class ChildEnvironment {
 public:
  ChildEnvironment(bool bare, bool listens) {
    for (char **entry = bare ? nullptr : ::environ; entry != nullptr && *entry != nullptr; ++entry) {
      const std::string_view text = *entry;
      const auto equals = text.find('=');
      if (equals == 0 || equals == std::string_view::npos) continue;
      const std::string_view key = text.substr(0, equals);
      if (key != "LANG" && key != "LANGUAGE" && !key.starts_with("LC_") && !key.starts_with("LISTEN_"))
        entries_.emplace_back(text);
    }
    entries_.emplace_back("LC_ALL=C");
    if (listens) {
      entries_.emplace_back("LISTEN_FDS=1");
      entries_.emplace_back(std::string(kPid) + "0000000000");  // no process has more digits
    }
    for (std::string &entry : entries_) pointers_.push_back(entry.data());
    pointers_.push_back(nullptr);
  }
  ChildEnvironment(const ChildEnvironment &) = delete;
  ChildEnvironment &operator=(const ChildEnvironment &) = delete;

  // As execve() takes it; as long as this lives.
  [[nodiscard]] char **entries() { return pointers_.data(); }
  // Of LISTEN_PID, which only the child knows.
  [[nodiscard]] std::span<char> digits() { return std::span(entries_.back()).subspan(kPid.size()); }

 private:
  static constexpr std::string_view kPid = "LISTEN_PID=";
  std::vector<std::string> entries_;
  std::vector<char *> pointers_;
};

class Run {
 public:
  Run(const Command &command, const std::stop_token &stop)
      : command_(command), stop_(stop), out_(io_), err_(io_), timer_(io_), excerpt_(command.limits.max_errors) {}

  Result run(const std::filesystem::path &program) {
    start(program);
    try {
      read(out_, out_buffer_, out_open_, [this](std::string_view piece) { take_output(piece); });
      read(err_, err_buffer_, err_open_, [this](std::string_view piece) { excerpt_.add(piece); });
      tick(kFirstTick);
      io_.run();
    } catch (...) {
      end_child();
      throw;
    }
    if (!exited_)
      end_child();
    else if (drained_late_)
      ::kill(-child_.id(), SIGKILL);  // what it started still holds its pipes
    if (failure_) throw Error(failure_kind_, *failure_);
    if (!line_.empty() && command_.on_line) command_.on_line(line_);
    return result();
  }

 private:
  void start(const std::filesystem::path &program) {
    std::error_code error;
    const pid_t parent = ::getpid();
    const Limits limits = command_.limits;
    const std::size_t open_files = limits::open_files_before();
    const cage::Cage *locked_in = command_.locked_in.get();
    const int listening = command_.listening;
    ChildEnvironment environment(command_.bare_environment, listening >= 0);
    child_ = bp::child(
        bp::exe = program.string(), bp::args = command_.arguments, bp::std_in<bp::null, bp::std_out> out_,
        bp::std_err > err_, error,
        bp::extend::on_setup = [&environment](auto &executor) { executor.env = environment.entries(); },
        bp::extend::on_exec_setup =
            [&, limits, open_files, parent, locked_in, listening](auto & /*executor*/) {
              prepare_child(limits, open_files, parent);
              if (listening >= 0) hand_over(listening, environment.digits());
              lock_in(locked_in);
            });
    if (error)
      throw Error(ErrorKind::subprocess,
                  {.where = {.file = program},
                   .message = "the program cannot be started: " + limits::why_no_process(error.value()),
                   .advice = error == std::errc::resource_unavailable_try_again ? limits::kMoreProcesses : ""});
    began_ = Clock::now();
  }

  template <class Take>
  void read(bp::async_pipe &pipe, std::array<char, 16384> &buffer, bool &open, Take take) {
    pipe.async_read_some(asio::buffer(buffer),
                         [this, &pipe, &buffer, &open, take](const auto &error, std::size_t size) {
                           if (size > 0) take(std::string_view(buffer.data(), size));
                           if (!error && !failure_) return read(pipe, buffer, open, take);
                           open = false;
                           if (!out_open_ && !err_open_) timer_.cancel();  // most likely it has exited: look at once
                         });
  }

  void take_output(std::string_view piece) {
    if (!command_.on_line) {
      output_.append(piece);
    } else {
      for (const char c : piece) {
        if (c != '\r' && c != '\n') {
          line_ += c;
        } else if (!line_.empty()) {
          command_.on_line(line_);
          line_.clear();
        }
      }
    }
    if (std::max(output_.size(), line_.size()) > command_.limits.max_output)
      fail(ErrorKind::subprocess, "the program printed too much",
           "more than " + text::human_bytes(command_.limits.max_output), {});
  }

  // Looks at exit, deadline and stop, and comes again until one of them is there.
  void tick(std::chrono::milliseconds next) {
    std::error_code error;
    if (!exited_ && !child_.running(error)) {
      exited_ = true;
      exited_at_ = Clock::now();
    }
    drained_late_ = exited_ && (out_open_ || err_open_);
    if (exited_ && (!drained_late_ || Clock::now() - exited_at_ > kDrainTime)) return finish();
    if (!exited_ && stop_.stop_requested()) fail(ErrorKind::cancelled, "the work was stopped", {}, {});
    const auto deadline = command_.limits.deadline;
    if (!exited_ && deadline.count() > 0 && Clock::now() - began_ > deadline)
      fail(ErrorKind::cancelled, "the program did not end in time and was stopped", {},
           std::to_string(deadline.count()) + " ms at most");
    if (failure_) return finish();
    timer_.expires_after(next);
    timer_.async_wait([this, next](const auto & /*cancelled or not*/) { tick(std::min(2 * next, kLongestTick)); });
  }

  void fail(ErrorKind kind, std::string message, std::string found, std::string expected) {
    if (failure_) return;
    failure_kind_ = kind;
    failure_ = ErrorDetail{.where = {.path = command_.program},
                           .message = std::move(message),
                           .found = std::move(found),
                           .expected = std::move(expected)};
  }

  void finish() {
    boost::system::error_code ignored;
    out_.close(ignored);
    err_.close(ignored);
  }

  // Asks the child and what it started to end, then kills them; afterwards the child has been reaped.
  void end_child() {
    const pid_t group = child_.id();
    std::error_code error;
    if (child_.running(error)) {
      ::kill(-group, SIGTERM);
      const auto until = Clock::now() + kEndTime;
      while (child_.running(error) && Clock::now() < until) {
        const timespec pause{0, 5'000'000};
        ::nanosleep(&pause, nullptr);
      }
    }
    ::kill(-group, SIGKILL);
    child_.wait(error);
  }

  Result result() {
    Result out;
    const int status = child_.native_exit_code();
    out.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    out.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    out.output = std::move(output_);
    out.errors = excerpt_.take();
    return out;
  }

  const Command &command_;
  const std::stop_token &stop_;
  asio::io_context io_;
  bp::async_pipe out_, err_;
  asio::steady_timer timer_;
  bp::child child_;
  std::array<char, 16384> out_buffer_{}, err_buffer_{};
  bool out_open_ = true, err_open_ = true, exited_ = false, drained_late_ = false;
  Clock::time_point began_, exited_at_;
  std::string output_, line_;
  Excerpt excerpt_;
  std::optional<ErrorDetail> failure_;
  ErrorKind failure_kind_ = ErrorKind::subprocess;
};

}  // namespace

bool is_program(const std::filesystem::path &file) {
  std::error_code error;
  return std::filesystem::is_regular_file(file, error) && ::access(file.c_str(), X_OK) == 0;
}

std::string Result::how() const {
  if (signal == 0) return "exit status " + std::to_string(exit_code);
  return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

std::filesystem::path find_program(std::string_view program) {
  if (program.find('/') != std::string_view::npos) return is_program(program) ? std::filesystem::path(program) : "";
  const char *path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!program.empty() && !rest.empty()) {
    const auto colon = std::min(rest.find(':'), rest.size());
    const std::filesystem::path folder(rest.substr(0, colon));
    // An empty or relative entry means the current folder, where anybody may have put a program.
    if (folder.is_absolute() && is_program(folder / program)) return folder / program;
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return {};
}

Result run(const Command &command, const std::stop_token &stop) {
  for (const auto &argument : command.arguments)
    if (argument.find('\0') != std::string::npos)
      throw Error(ErrorKind::usage,
                  {.message = "a program's argument contains a NUL character", .found = text::printable(argument)});
  const auto program = find_program(command.program);
  if (program.empty())
    throw Error(ErrorKind::missing, {.where = {.path = command.program}, .message = "the program is not installed"});
  if (stop.stop_requested()) throw Error(ErrorKind::cancelled, {.message = "the work was stopped"});
  return Run(command, stop).run(program);
}

}  // namespace ferry::subprocess
