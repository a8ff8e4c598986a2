// SPDX-License-Identifier: Apache-2.0
// Workers: processes of this program's own that do the reading of foreign files, locked into a cage (support/cage.hpp).
//
// They are forked from a process that main() forks before it has threads, connections or anything else worth having.
// So a worker has a copy of nothing, and no lock in it is held by a thread that it does not have. Over a socket it gets
// messages and descriptors and answers; who listens to it believes none of it unchecked.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
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
  // Waits. nullopt when the other end is gone, or sent what is no message, or `goes_on`, which is asked five times a
  // second, says no.
  [[nodiscard]] std::optional<Message> receive(const std::function<bool()> &goes_on = {}) const;

 private:
  file::Descriptor socket_;
  mutable std::mutex sending_;
};

// What a worker does, locked in already, until the other end of the channel is gone. It must not throw.
using Serve = void (*)(Channel &channel);

// Forks the process that workers come from. To be called once, by main(), while there is one thread.
void begin(Serve serve);
// Lets the worker that calls it use no more than this, from now on: it is killed (SIGXCPU), or gets no memory.
void limit_work(std::chrono::seconds processor, std::uint64_t memory);
// Whether there are workers here: begin() was called, the kernel has seccomp, and processes can be made.
[[nodiscard]] bool available();
// Why the process that workers come from was not made, or the last worker that was asked for could not be started: a
// clause without a full stop. Empty where begin() was never called, and where all went well.
[[nodiscard]] std::string why_none();

// A running worker. It ends with this object, and is killed where it does not do so by itself.
class Worker {
 public:
  // nullptr where no process could be started. Throws Error internal when it could not be locked in.
  [[nodiscard]] static std::unique_ptr<Worker> start(const cage::Rules &rules);

  [[nodiscard]] const Channel &channel() const { return channel_; }
  // When its end of the channel is gone: "signal 11 (Segmentation fault)", "exit status 1".
  [[nodiscard]] std::string how_it_ended() const;

  // What it has done so far, as the kernel says.
  struct Work {
    std::uint64_t bytes = 0;  // read and written
    std::chrono::milliseconds processor{0};
  };
  [[nodiscard]] std::optional<Work> work() const;  // nullopt: the kernel does not say

 private:
  Worker(file::Descriptor socket, file::Descriptor ended) : channel_(std::move(socket)), ended_(std::move(ended)) {}
  [[nodiscard]] std::optional<int> number() const;  // the next one from where its process number and status come

  Channel channel_;
  file::Descriptor ended_;  // its process number comes from here, and in the end its status, as waitpid() has it
  int process_ = 0;
};

// How long a worker may say nothing.
struct Patience {
  std::chrono::milliseconds computing = std::chrono::seconds(60);  // while it reads and writes nothing either
  std::chrono::milliseconds waiting = std::chrono::minutes(15);    // for a disk that does not answer
  std::chrono::milliseconds stopping = std::chrono::seconds(10);   // after it was told to stop
};

// Looks at a worker that is to answer. Time in which this process was stopped (Ctrl-Z) does not count.
class Watch {
 public:
  enum class Verdict { goes_on, computes, waits, does_not_stop };

  Watch(const Worker &worker, const Patience &patience) : worker_(worker), patience_(patience) {}
  // A message came.
  void heard() { silent_ = std::chrono::milliseconds(0); }
  // To be called a few times a second.
  [[nodiscard]] Verdict look(bool told_to_stop);

 private:
  using Clock = std::chrono::steady_clock;

  const Worker &worker_;
  Patience patience_;
  Clock::time_point looked_ = Clock::now();
  std::chrono::milliseconds silent_{0}, stopping_{0};
  Worker::Work known_;  // at the last sign of life
};

}  // namespace ferry::worker
