// SPDX-License-Identifier: Apache-2.0
// A server of the NBD protocol over extent maps: what QEMU cannot read by itself (a chain across formats, a compressed
// archive) is a raw disk to it. Read-only, "fixed newstyle", structured replies, base:allocation, many connections.
// What a client says is as little believed as what is in an image.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "converters/images/image.hpp"
#include "converters/serve/wire.hpp"

namespace ferry::serve {

struct Export {
  std::string name;
  std::shared_ptr<const image::Chain> disk;
};

// What was done, for all clients together; thread-safe.
class Account {
 public:
  void add_bytes(std::uint64_t bytes) { bytes_ += bytes; }
  void add_problem(const std::string &what);

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // of the disks, that were sent
  [[nodiscard]] std::string last_problem() const;               // of a read; empty: there was none

 private:
  std::atomic<std::uint64_t> bytes_ = 0;
  mutable std::mutex guard_;
  std::string problem_;
};

// What a client and we agreed on.
struct Agreed {
  const Export *disk = nullptr;
  bool structured = false;
  bool allocation = false;  // it may ask for base:allocation
};

// The handshake. The default export (an empty name) is the only one, where there is only one. nullopt: the client
// went, or said what makes no sense.
[[nodiscard]] std::optional<Agreed> negotiate(Wire &wire, std::span<const Export> exports);
// Answers requests until the client goes, or says what makes no sense.
void transmit(Wire &wire, const Agreed &agreed, Account &account);

// Both, with one client. Throws nothing but std::bad_alloc.
void serve_client(Wire &wire, std::span<const Export> exports, Account &account);

}  // namespace ferry::serve
