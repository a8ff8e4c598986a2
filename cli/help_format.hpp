// SPDX-License-Identifier: Apache-2.0
// How --help looks: at most 80 columns, names on the left, explanations wrapped beside them.
#pragma once

#include <cstddef>

namespace CLI {
class App;
}

namespace ferry::cli {

inline constexpr std::size_t kHelpWidth = 80;

// To be called before commands are added to `app`, which take the form over.
void set_help_format(CLI::App &app);

}  // namespace ferry::cli
