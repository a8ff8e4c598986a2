// SPDX-License-Identifier: Apache-2.0
// A worker that was taken over, for the test that proves its cage: in debug builds, VIRT_FERRY_MISBEHAVE says what it
// does ("read FILE", "write FILE", "connect", "run PROGRAM", "fork", "trace", "signal", "crash", "abort", "forbidden").
// In others nothing of it is there.
#pragma once

namespace ferry::migration {

// Throws Error io with what the kernel said ("Operation not permitted"; "nothing" when it was allowed).
void misbehave_when_told();

}  // namespace ferry::migration
