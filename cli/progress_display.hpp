// SPDX-License-Identifier: Apache-2.0
// Progress on stderr: a bar on a terminal, JSON lines for programs.
#pragma once

#include <memory>
#include <string>

#include "converters/progress.hpp"

namespace CLI {
class App;
}

namespace ferry::cli {

void add_progress_option(CLI::App &command, std::string &mode);

// mode: auto (a bar when stderr is a terminal, else nothing), bar, json, none. May give null. `machine` is put into
// what is shown.
[[nodiscard]] std::unique_ptr<Progress> make_progress(const std::string &mode, const std::string &machine);

}  // namespace ferry::cli
