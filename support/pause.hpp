// SPDX-License-Identifier: Apache-2.0
// Waiting for something that nobody announces: one looks now and then.
#pragma once

#include <chrono>
#include <stop_token>

namespace ferry {

// Comes back after `time`, or when `stop` is requested.
void pause_for(std::chrono::milliseconds time, const std::stop_token &stop);

}  // namespace ferry
