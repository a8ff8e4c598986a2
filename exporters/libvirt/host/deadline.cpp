// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/deadline.hpp"

#include <algorithm>
#include <atomic>

#include "support/text.hpp"

namespace ferry::libvirt {
namespace {

std::atomic<bool> gave_up = false;

std::string seconds(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + " s" : std::to_string(time.count()) + " ms";
}

}  // namespace

bool gave_up_on_libvirt() { return gave_up; }

void detail::wait_for_answer(const Patience &patience, ErrorKind kind, const std::string &uri, const std::string &what,
                             const std::function<bool(std::chrono::milliseconds)> &is_there) {
  using Clock = std::chrono::steady_clock;
  constexpr auto kLook = std::chrono::milliseconds(20);
  // A daemon that is well answers in milliseconds. What is asked after the stop takes back what was made.
  constexpr auto kAfterStop = std::chrono::milliseconds(600);
  constexpr auto kTakingBack = std::chrono::seconds(5);
  const bool was_stopped = patience.stop.stop_requested();
  auto until = Clock::now() + patience.deadline;
  if (was_stopped) until = std::min(until, Clock::now() + kTakingBack);
  for (bool stopped = was_stopped;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    const bool can_stop = patience.stop.stop_possible() && !stopped;
    if (is_there(std::max(can_stop ? std::min<std::chrono::milliseconds>(left, kLook) : left, {}))) return;
    if (can_stop && patience.stop.stop_requested()) {
      stopped = true;
      until = std::min(until, Clock::now() + kAfterStop);
    }
    if (Clock::now() >= until) break;
  }
  gave_up = true;
  const std::string asked = "libvirt does not answer at " + text::printable(uri) + ": it was asked " + what;
  if (patience.stop.stop_requested())
    throw Unanswered(ErrorKind::cancelled, {.message = asked + ", and this was interrupted"});
  throw Unanswered(kind,
                   {.message = asked,
                    .found = "no answer within " + seconds(patience.deadline),
                    .advice = "Check that its daemon runs and is not stopped (virsh -c " + text::printable(uri) +
                              " version), restart it and try again; or use --no-define, which needs no libvirt."});
}

}  // namespace ferry::libvirt
