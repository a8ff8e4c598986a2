// SPDX-License-Identifier: Apache-2.0
// Workers: processes of this program's own that do the reading of foreign files, locked into a cage (support/cage.hpp).
//
// They are forked from a process that main() forks before it has threads, connections or anything else worth having.
// So a worker has a copy of nothing, and no lock in it is held by a thread that it does not have. Over a socket it gets
// messages and descriptors and answers; who listens to it believes none of it unchecked.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/cage.hpp"
#include "support/file.hpp"

namespace ferry::worker {

struct Message {
  std::string bytes;
  std::vector<file::Descriptor> descriptors;
};

inline constexpr std::size_t kLargestMessage = std::size_t{512} << 20U;  // bytes
inline constexpr std::size_t kMostDescriptors = 250;                     // of one message; the kernel's limit is 253

// One end of a connection. send() may be called by many threads, receive() by one at a time.
class Channel {
 public:
  explicit Channel(file::Descriptor socket) : socket_(std::move(socket)) {}

  // False when the other end is gone.
  [[nodiscard]] bool send(std::string_view bytes, const std::vector<int> &descriptors = {}) const;
  // Waits. nullopt when the other end is gone, or sent what is no message.
  [[nodiscard]] std::optional<Message> receive() const;

 private:
  file::Descriptor socket_;
  mutable std::mutex sending_;
};

// What a worker does, locked in already, until the other end of the channel is gone. It must not throw.
using Serve = void (*)(Channel &channel);

// Forks the process that workers come from. To be called once, by main(), while there is one thread.
void begin(Serve serve);
// Whether there are workers here: begin() was called, the kernel has seccomp, and processes can be made.
[[nodiscard]] bool available();

// A running worker. It ends with this object.
class Worker {
 public:
  // nullptr where no process could be started. Throws Error internal when it could not be locked in.
  [[nodiscard]] static std::unique_ptr<Worker> start(const cage::Rules &rules);

  [[nodiscard]] const Channel &channel() const { return channel_; }
  // When its end of the channel is gone: "signal 11 (Segmentation fault)", "exit status 1".
  [[nodiscard]] std::string how_it_ended() const;

 private:
  Worker(file::Descriptor socket, file::Descriptor ended) : channel_(std::move(socket)), ended_(std::move(ended)) {}
  [[nodiscard]] std::optional<int> status() const;  // as waitpid() has it; nullopt: it never was

  Channel channel_;
  file::Descriptor ended_;  // its status comes from here
};

}  // namespace ferry::worker
