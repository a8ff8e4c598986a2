// SPDX-License-Identifier: Apache-2.0
#include "hosts/known_hosts.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <set>
#include <sys/socket.h>

#include "hosts/control_folder.hpp"
#include "hosts/remote_file.hpp"
#include "hosts/ssh_process.hpp"
#include "hosts/zero_map.hpp"

namespace ferry::hosts {
namespace {

struct Known {
  std::mutex guard;
  Connect connect;
  bool every = false;  // without allow()
  std::set<std::string, std::less<>> allowed;
  std::map<std::string, std::shared_ptr<on_host::Host>, std::less<>> hosts;
};

// Until the end: what is destroyed with the program may still ask.
Known &known() {
  static Known *all = new Known;
  return *all;
}

std::shared_ptr<on_host::Host> find(std::string_view authority) {
  const std::lock_guard lock(known().guard);
  if (authority.empty() || (!known().every && !known().allowed.contains(authority))) return nullptr;
  auto &host = known().hosts[std::string(authority)];
  if (!host) host = ssh_host(std::string(authority), known().connect);
  return host;
}

bool is_allowed(const std::string &authority) {
  const std::lock_guard lock(known().guard);
  return known().allowed.contains(authority);
}

// The programs on a host that say where the zeros of files are.
class ZeroPrograms {
 public:
  explicit ZeroPrograms(std::string authority) : authority_(std::move(authority)) {}

  // As Streams::zeros_of.
  file::Descriptor start(const std::filesystem::path &file) {
    constexpr std::size_t kMost = 8;  // at once: the oldest is done, or was given up with its file
    try {
      auto process = std::make_unique<SshProcess>(authority_, Far::shell);
      const std::string script = zero_script(name_there(file));
      const file::Descriptor to = process->take_to();
      file::Descriptor said = process->take_from();
      if (send(to.get(), script.data(), script.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(script.size()))
        return file::Descriptor{};
      if (fcntl(said.get(), F_SETFL, O_NONBLOCK) != 0) return file::Descriptor{};
      const std::lock_guard lock(guard_);
      processes_.push_back(std::move(process));
      if (processes_.size() > kMost) processes_.pop_front();
      return said;
    } catch (const Error &) {  // then all of the file is read
      return file::Descriptor{};
    }
  }

 private:
  std::string authority_;
  std::mutex guard_;
  std::deque<std::unique_ptr<SshProcess>> processes_;
};

std::optional<Streams> connect_by_ssh(const std::string &authority) {
  if (!is_allowed(authority)) return std::nullopt;
  auto process = std::make_shared<SshProcess>(authority);
  Streams out;
  out.from = process->take_from();
  out.to = process->take_to();
  out.why = [process] { return process->why(); };
  out.zeros_of = [programs = std::make_shared<ZeroPrograms>(authority)](const auto &file) {
    return programs->start(file);
  };
  return out;
}

// Ends in this order: the process, then what writes to it.
struct Loan {
  std::unique_ptr<RequestGuard> guard;
  std::shared_ptr<SshProcess> process;
};

}  // namespace

void speak_by_ssh() {
  known().connect = connect_by_ssh;
  on_host::set_finder(find);
}

void speak_by(Connect connect) {
  known().connect = std::move(connect);
  known().every = true;
  known().hosts.clear();
  on_host::set_finder(find);
}

void allow(const std::string &authority) {
  const std::lock_guard lock(known().guard);
  known().allowed.insert(authority);
}

void end_all() {
  {
    const std::lock_guard lock(known().guard);
    known().hosts.clear();
  }
  end_control();
}

std::optional<Lent> lend(const std::string &authority, Readable readable) {
  if (!is_allowed(authority)) return std::nullopt;
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw Error(ErrorKind::unreachable, {.message = "no connection to the host '" + authority + "' can be made",
                                         .found = std::strerror(errno)});
  }
  file::Descriptor theirs(ends[0]), ours(ends[1]);
  auto loan = std::make_shared<Loan>();
  loan->process = std::make_shared<SshProcess>(authority);
  Lent out;
  out.from = loan->process->take_from();
  out.to = std::move(theirs);
  loan->guard = std::make_unique<RequestGuard>(std::move(ours), loan->process->take_to(), authority, readable);
  out.why = [process = loan->process] { return process->why(); };
  out.zeros_of = [programs = std::make_shared<ZeroPrograms>(authority), readable = std::move(readable),
                  authority](const std::filesystem::path &file) {
    const bool may = on_host::authority_of(file) == authority && may_read(file, readable);
    return may ? programs->start(file) : file::Descriptor{};
  };
  out.keeps = std::move(loan);
  return out;
}

}  // namespace ferry::hosts
