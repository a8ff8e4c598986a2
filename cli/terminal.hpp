// SPDX-License-Identifier: Apache-2.0
// What a terminal says of itself.
#pragma once

#include <cstddef>

namespace ferry::cli {

// Columns; 80 where the descriptor is no terminal or does not say.
[[nodiscard]] std::size_t terminal_width(int descriptor);

}  // namespace ferry::cli
