// SPDX-License-Identifier: Apache-2.0
// What the operating system lets this process use.
#pragma once

#include <cstddef>

namespace ferry::limits {

// How many files may be open at once. The first call raises the soft limit to the hard one: the soft one (mostly 1024)
// protects programs that use select(), which we do not, and a machine with many snapshots has more images than that.
std::size_t open_files();

// The soft limit as it was before: what a child is given, which may use select(). 0: it was never raised.
[[nodiscard]] std::size_t open_files_before();

}  // namespace ferry::limits
