// SPDX-License-Identifier: Apache-2.0
#include "converters/serve/clients.hpp"

#include <condition_variable>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <sys/socket.h>
#include <system_error>
#include <thread>

namespace ferry::serve {

struct Clients::State {
  std::vector<Export> exports;
  Account account;
  std::mutex guard;
  std::condition_variable gone;
  std::map<std::uint64_t, int> sockets;  // by the client's number; a descriptor of its thread's
  std::uint64_t last = 0;

  void run(std::uint64_t number, file::Descriptor connection) {
    SocketWire wire(std::move(connection));
    try {
      serve_client(wire, exports, account);
    } catch (const std::exception &error) {  // no memory: this client goes, others stay
      account.add_problem(error.what());
    }
    const std::lock_guard lock(guard);  // before the descriptor is closed, so that nobody hangs up on another's
    sockets.erase(number);
    gone.notify_all();
  }
};

Clients::Clients(std::vector<Export> exports) : state_(std::make_unique<State>()) {
  state_->exports = std::move(exports);
}

Clients::~Clients() {
  std::unique_lock lock(state_->guard);
  for (const auto &[number, socket] : state_->sockets) ::shutdown(socket, SHUT_RDWR);
  state_->gone.wait(lock, [this] { return state_->sockets.empty(); });
}

bool Clients::take(file::Descriptor connection) {
  const std::lock_guard lock(state_->guard);
  if (state_->sockets.size() >= kMost) return false;
  const std::uint64_t number = ++state_->last;
  const int socket = connection.get();
  state_->sockets.emplace(number, socket);
  try {
    std::thread([this, number, connection = std::move(connection)]() mutable {
      state_->run(number, std::move(connection));
    }).detach();
  } catch (const std::system_error &) {
    state_->sockets.erase(number);
    return false;
  }
  return true;
}

std::size_t Clients::count() const {
  const std::lock_guard lock(state_->guard);
  return state_->sockets.size();
}

const Account &Clients::account() const { return state_->account; }

}  // namespace ferry::serve
