// SPDX-License-Identifier: Apache-2.0
// All clients of a server, each with a thread of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "converters/serve/nbd_server.hpp"

#include "support/file.hpp"

namespace ferry::serve {

class Clients {
 public:
  static constexpr std::size_t kMost = 64;

  explicit Clients(std::vector<Export> exports);
  // Hangs up on all of them.
  ~Clients();
  Clients(const Clients &) = delete;
  Clients &operator=(const Clients &) = delete;

  // Speaks with the client at the other end of a connected socket, from now on. False when there are kMost already, or
  // no thread can be started. Thread-safe.
  [[nodiscard]] bool take(file::Descriptor connection);

  [[nodiscard]] std::size_t count() const;  // of those that are connected now
  [[nodiscard]] const Account &account() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ferry::serve
