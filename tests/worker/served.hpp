// SPDX-License-Identifier: Apache-2.0
// The tests' workers: they serve as the program's do, and do what a test says where a message begins with kEcho.
#pragma once

namespace ferry::test {

inline constexpr char kEcho = '!';

}  // namespace ferry::test
