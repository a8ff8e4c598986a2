// SPDX-License-Identifier: Apache-2.0
// Whether a worker that says nothing still does something. A parser in an endless loop computes, and neither reads nor
// writes; a disk that does not answer is waited for, which may end well.
#include <algorithm>
#include <ctime>
#include <fstream>
#include <string>

#include "support/worker.hpp"

namespace ferry::worker {

namespace {

using std::chrono::milliseconds;

// /proc/PID/io, proc(5): what all threads read and wrote, from caches too.
std::optional<std::uint64_t> bytes_of(int process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/io");
  std::uint64_t sum = 0, value = 0;
  int found = 0;
  for (std::string key; in >> key >> value;) {
    if (key != "rchar:" && key != "wchar:") continue;
    sum += value;
    ++found;
  }
  return found == 2 ? std::optional(sum) : std::nullopt;
}

std::optional<milliseconds> processor_of(int process) {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &used) != 0) return std::nullopt;
  return milliseconds(static_cast<std::int64_t>(used.tv_sec) * 1000 + used.tv_nsec / 1'000'000);
}

}  // namespace

std::optional<Worker::Work> Worker::work() const {
  const auto bytes = bytes_of(process_);
  const auto processor = processor_of(process_);
  if (!bytes || !processor) return std::nullopt;
  return Work{*bytes, *processor};
}

Watch::Verdict Watch::look(bool told_to_stop) {
  constexpr milliseconds kLongestStep = std::chrono::seconds(1);  // more than that between two looks: nobody looked
  const auto now = Clock::now();
  const auto step = std::min(std::chrono::duration_cast<milliseconds>(now - looked_), kLongestStep);
  looked_ = now;
  stopping_ += told_to_stop ? step : milliseconds(0);
  if (stopping_ > patience_.stopping) return Verdict::does_not_stop;
  const auto work = worker_.work();
  if (!work) return Verdict::goes_on;  // hours of reading in silence, for a digest of a large package, look the same
  if (silent_ == milliseconds(0) || work->bytes != known_.bytes) {
    known_ = *work;
    silent_ = milliseconds(1);
    return Verdict::goes_on;
  }
  silent_ += step;
  // More than a tenth of the time on a processor, which others may want too: it does not wait.
  if (silent_ > patience_.computing && 10 * (work->processor - known_.processor) > silent_) return Verdict::computes;
  if (silent_ > patience_.waiting) return Verdict::waits;
  return Verdict::goes_on;
}

}  // namespace ferry::worker
