// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/deadline.hpp"

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

void detail::give_up(ErrorKind kind, const std::string &uri, const std::string &what,
                     std::chrono::milliseconds deadline) {
  gave_up = true;
  throw Unanswered(kind,
                   {.message = "libvirt does not answer at " + text::printable(uri) + ": it was asked " + what,
                    .found = "no answer within " + seconds(deadline),
                    .advice = "Check that its daemon runs and is not stopped (virsh -c " + text::printable(uri) +
                              " version), restart it and try again; or use --no-define, which needs no libvirt."});
}

}  // namespace ferry::libvirt
