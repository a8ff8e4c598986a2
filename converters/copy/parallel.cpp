// SPDX-License-Identifier: Apache-2.0
#include "converters/copy/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "support/error.hpp"

namespace ferry::copy {

void throw_if_stopped(const std::stop_token &stop) {
  if (stop.stop_requested()) throw Error(ErrorKind::cancelled, {.message = "the work was stopped"});
}

unsigned thread_count(unsigned wanted) {
  if (wanted != 0) return std::min(wanted, 256U);
  return std::clamp(std::thread::hardware_concurrency(), 1U, 16U);
}

std::uint64_t window_size(std::uint64_t total, std::uint32_t unit, std::size_t states, unsigned threads, bool sharing) {
  constexpr std::uint64_t kLargest = 16U << 20U, kLargestShared = 1U << 30U, kSmallest = 4U << 20U, kUnits = 4096;
  std::uint64_t size = std::min<std::uint64_t>(sharing ? kLargestShared : kLargest, kUnits * unit * (sharing ? 4 : 1));
  while (size > kSmallest && (size / unit * states > 4 * kUnits || (!sharing && size * threads * 16 > total)))
    size /= 2;
  return std::max<std::uint64_t>(size, unit);
}

void for_each_window(unsigned threads, std::uint64_t total, std::uint64_t window, const std::stop_token &stop,
                     const std::function<WindowWork()> &make) {
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr first;
  std::mutex first_guard;

  const auto run = [&] {
    try {
      const WindowWork work = make();
      for (;;) {
        // A window that was taken is always worked on: others may wait for their turn behind it.
        throw_if_stopped(stop);
        if (failed) return;
        const std::uint64_t begin = next.fetch_add(window);
        if (begin >= total) return;
        work(begin, std::min(begin + window, total));
      }
    } catch (...) {
      const std::lock_guard lock(first_guard);
      if (!first) first = std::current_exception();
      failed = true;
    }
  };

  {
    const std::uint64_t windows = (total + window - 1) / window;
    std::vector<std::jthread> helpers;
    try {
      for (unsigned i = 1; i < threads && i < windows; ++i) helpers.emplace_back(run);
    } catch (const std::system_error &) {
      // The system gives no more threads; those that are there do the work.
    }
    run();
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace ferry::copy
