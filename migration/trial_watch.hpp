// SPDX-License-Identifier: Apache-2.0
// Looks at a machine that runs until its fate is known: what its agent answers, what stands on its screen, what its
// serial port says.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "exporters/report/report.hpp"
#include "exporters/target.hpp"

namespace ferry::migration {

struct WatchRequest {
  std::string name;
  int console = -1;  // the file that the serial port is written to; -1: none
  std::chrono::milliseconds timeout{};
  std::chrono::milliseconds pause = std::chrono::seconds(2);   // between two looks
  std::chrono::milliseconds settle = std::chrono::seconds(6);  // without a change, before a failure is believed
};

// Throws Error libvirt, cancelled.
[[nodiscard]] report::Test watch(const target::Machines &machines, const WatchRequest &request,
                                 const std::stop_token &stop);

}  // namespace ferry::migration
