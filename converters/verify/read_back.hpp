// SPDX-License-Identifier: Apache-2.0
// --verify: reads a written image back through QEMU and compares it with the source as our readers see it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "converters/images/image.hpp"
#include "converters/progress.hpp"
#include "converters/verify/nbd_client.hpp"

#include "support/file.hpp"

namespace ferry::verify {

// Connected sockets of a server that nobody has spoken on; each is used once.
class Connections {
 public:
  // How many read_back() takes with so many threads: one for each, and two of its own.
  [[nodiscard]] static std::size_t wanted(unsigned threads);

  explicit Connections(std::vector<file::Descriptor> sockets) : sockets_(std::move(sockets)) {}
  // Thread-safe. Throws internal when there is none left.
  [[nodiscard]] std::unique_ptr<NbdClient> next();

 private:
  std::mutex guard_;
  std::vector<file::Descriptor> sockets_;
};

struct Request {
  std::filesystem::path target;            // that messages name
  std::optional<std::string> snapshot;     // of the target; the current state without it
  const image::Chain *expected = nullptr;  // nullptr: nothing to compare with, only the digest is wanted
  std::uint64_t virtual_size = 0;          // bytes; the target may have up to 511 more, which must be zeros
  bool size_may_differ = false;            // QEMU serves a snapshot with the current state's size
  bool digest = false;
  unsigned threads = 0;
  Progress *progress = nullptr;  // advanced by guest bytes
  std::stop_token stop;
};

// Returns the sha256 of the guest's `virtual_size` bytes, in hex, when it was asked for; else an empty string.
// Throws Error verify, naming the first guest offset that differs; as NbdClient and the source's readers do; cancelled.
std::string read_back(const Request &request, Connections &server);

}  // namespace ferry::verify
