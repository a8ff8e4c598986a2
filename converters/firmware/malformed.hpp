// SPDX-License-Identifier: Apache-2.0
// How the readers of firmware state refuse bytes that are not what their format says.
#pragma once

#include <string>
#include <utility>

#include "support/error.hpp"

namespace ferry::firmware {

// Throws Error(malformed) that names the place, what stands there and what was expected.
[[noreturn]] inline void malformed(const Place &where, std::string message, std::string found, std::string expected) {
  throw Error(
      ErrorKind::malformed,
      {.where = where, .message = std::move(message), .found = std::move(found), .expected = std::move(expected)});
}

}  // namespace ferry::firmware
