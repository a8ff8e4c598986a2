// SPDX-License-Identifier: Apache-2.0
#include "hosts/ssh_process.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hosts/control_folder.hpp"
#include "hosts/ssh_configuration.hpp"
#include "hosts/url.hpp"
#include "support/subprocess.hpp"
#include "support/text.hpp"

namespace ferry::hosts {
namespace {

constexpr std::size_t kMostSaid = 8192;  // bytes of stderr that are kept: the end of it
constexpr int kPipeBytes = 1 << 20;      // what an unprivileged process may have
constexpr auto kMomentToEnd = std::chrono::seconds(2);

[[noreturn]] void cannot_start(const std::string &authority, const std::string &why, const std::string &advice) {
  throw Error(ErrorKind::unreachable, {.message = "no connection to the host '" + authority + "' can be started",
                                       .found = why,
                                       .expected = "the program ssh (OpenSSH)",
                                       .advice = advice});
}

void make_pipe(file::Descriptor &read_end, file::Descriptor &write_end, const std::string &authority) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    cannot_start(authority, std::strerror(errno), "Raise the limit on open files (ulimit -n).");
  read_end.reset(ends[0]);
  write_end.reset(ends[1]);
}

void make_sockets(file::Descriptor &ours, file::Descriptor &theirs, const std::string &authority) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    cannot_start(authority, std::strerror(errno), "Raise the limit on open files (ulimit -n).");
  ours.reset(ends[0]);
  theirs.reset(ends[1]);
}

// In our process group: a password is read from the terminal, which a program in the background may not.
pid_t spawn(const std::string &program, std::vector<std::string> words, const std::array<int, 3> &standard,
            int &error) {
  std::vector<char *> argv;
  for (std::string &word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int i = 0; i < 3; ++i) posix_spawn_file_actions_adddup2(&actions, standard[static_cast<std::size_t>(i)], i);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&defaults, number);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t out = -1;
  error = posix_spawn(&out, program.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? out : -1;
}

}  // namespace

std::vector<std::string> ssh_arguments(const std::string &authority, const std::string &control_path,
                                       const std::string &ciphers, Far far) {
  // As sftp(1) starts it; what the user's configuration forwards or runs is not for this.
  std::vector<std::string> out{"-oForwardX11=no", "-oForwardAgent=no", "-oPermitLocalCommand=no",
                               "-oClearAllForwardings=yes"};
  if (!control_path.empty()) {
    out.emplace_back("-oControlMaster=auto");
    out.emplace_back("-oControlPersist=60");
    out.push_back("-oControlPath=" + control_path);
  }
  if (!ciphers.empty()) out.push_back("-oCiphers=" + ciphers);
  out.emplace_back(far == Far::sftp ? "-s" : "-oBatchMode=yes");
  for (std::string &word : destination_of(authority)) out.push_back(std::move(word));
  out.emplace_back(far == Far::sftp ? "sftp" : "sh");
  return out;
}

SshProcess::SshProcess(const std::string &authority, Far far) : authority_(authority) {
  const std::string program = subprocess::find_program("ssh").string();
  if (program.empty())
    cannot_start(authority, "no such program in PATH", "Install OpenSSH's client (on Debian: openssh-client).");
  file::Descriptor input, output, error_output;
  make_sockets(to_, input, authority);
  make_pipe(from_, output, authority);
  make_pipe(errors_, error_output, authority);
  static_cast<void>(fcntl(from_.get(), F_SETPIPE_SZ, kPipeBytes));
  stop_.reset(eventfd(0, EFD_CLOEXEC));
  std::vector<std::string> words =
      ssh_arguments(authority, control_path_for(authority), preferred_ciphers(authority), far);
  words.insert(words.begin(), "ssh");
  int error = 0;
  process_ = spawn(program, std::move(words), {input.get(), output.get(), error_output.get()}, error);
  if (process_ < 0) cannot_start(authority, std::strerror(error), "Raise the limit on processes (ulimit -u).");
  collector_ = std::thread([this] { collect(); });
}

SshProcess::~SshProcess() {
  to_.reset();
  from_.reset();
  if (process_ > 0) {
    kill(process_, SIGTERM);
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  const std::uint64_t one = 1;
  static_cast<void>(write(stop_.get(), &one, sizeof one) == 0);
  if (collector_.joinable()) collector_.join();
}

void SshProcess::collect() {
  std::array<char, 1024> buffer{};
  for (;;) {
    std::array<pollfd, 2> wait{{{errors_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
    if (poll(wait.data(), wait.size(), -1) < 0) {
      if (errno == EINTR) continue;
      break;
    }
    if (wait[1].revents != 0) break;
    const ssize_t count = read(errors_.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    const std::lock_guard lock(guard_);
    said_.append(buffer.data(), static_cast<std::size_t>(count));
    if (said_.size() > kMostSaid) said_.erase(0, said_.size() - kMostSaid);
  }
  {
    const std::lock_guard lock(guard_);
    ended_ = true;
  }
  changed_.notify_all();
}

ErrorDetail SshProcess::why() {
  std::unique_lock lock(guard_);
  changed_.wait_for(lock, kMomentToEnd, [this] { return ended_; });
  return said_by_ssh(authority_, said_);
}

ErrorDetail said_by_ssh(const std::string &authority, const std::string &text) {
  ErrorDetail out;
  std::string last;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text::trim(std::string_view(text).substr(at, end - at));
    if (!line.empty()) last = line;
    at = end + 1;
  }
  if (last.empty()) return out;
  const auto says = [&text](std::string_view words) { return text.find(words) != std::string::npos; };
  const std::string host = parts_of(authority).host;
  out.found = text::excerpt(last, 300);
  if (says("subsystem request failed")) {
    out.advice =
        "Its SSH server has no SFTP: add 'Subsystem sftp internal-sftp' to sshd_config there, or mount its "
        "folder with sshfs if that is not yours to do.";
  } else if (says("Host key verification failed") || says("REMOTE HOST IDENTIFICATION HAS CHANGED")) {
    out.advice = "Connect once with 'ssh " + host + "', and compare the key with the one that the host has.";
  } else if (says("no matching ")) {
    out.advice =
        "The host knows old algorithms only: add what it offers for that Host to ~/.ssh/config "
        "(KexAlgorithms +..., HostKeyAlgorithms +ssh-rsa, PubkeyAcceptedAlgorithms +ssh-rsa).";
  } else if (says("Permission denied")) {
    out.advice = "Check that 'ssh " + host + "' lets you in; name the user as in ssh://USER@" + host + "/PATH.";
  }
  return out;
}

}  // namespace ferry::hosts
