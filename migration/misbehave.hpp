// SPDX-License-Identifier: Apache-2.0
// A worker that was taken over, for the test that proves its cage: in the program that tests/worker builds for itself,
// VIRT_FERRY_MISBEHAVE says what it does ("read FILE", "write FILE", "remove FILE", "connect", "run PROGRAM", "fork",
// "trace", "signal", "crash", "abort", "spin", "sleep"), and VIRT_FERRY_PATIENCE how many milliseconds the program
// bears with it. In the product nothing of it is there.
#pragma once

#include "support/worker.hpp"

namespace ferry::migration {

// How long a worker may be silent.
[[nodiscard]] worker::Patience patience();

// Throws Error io with what the kernel said ("Operation not permitted"; "nothing" when it was allowed).
void misbehave_when_told();

}  // namespace ferry::migration
