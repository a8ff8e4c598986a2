// SPDX-License-Identifier: Apache-2.0
// Signals that ask the program to stop, and those that would end it without a word.
#pragma once

#include <stop_token>

namespace ferry::cli {

// SIGINT, SIGTERM and SIGHUP ask work to stop that has something to clean up, and end the program at once when there
// is none; a second one ends it in any case. SIGPIPE and SIGXFSZ become errors of the call that wrote. Made once, first
// of all in main(), before any thread is started.
class Interrupts {
 public:
  Interrupts();
  [[nodiscard]] std::stop_token token() const;
};

// While one lives, something is being made that must be removed when the work is stopped. Nestable, from any thread.
class Making {
 public:
  // What is said when the first signal comes.
  explicit Making(const char *message = "stopping; what was started is removed");
  ~Making();
  Making(const Making &) = delete;
  Making &operator=(const Making &) = delete;
};

// The shells' code for a program that SIGINT ended.
inline constexpr int kInterrupted = 130;

// With which code a command ends that was told to stop: kInterrupted, or what set_code_of_terminated() said for SIGTERM
// (a cluster that wants the host back, not a person).
[[nodiscard]] int code_of_stop();
void set_code_of_terminated(int code);

// 0, 1 and 2 are open when this returns: where one was closed, /dev/null is. Otherwise the next file that is opened,
// an image or a journal, would be taken for standard error and written to.
void open_standard_descriptors();

}  // namespace ferry::cli
