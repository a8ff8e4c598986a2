// SPDX-License-Identifier: Apache-2.0
// The options that plan, migrate and batch share: migration/option_values.hpp's list as CLI11 options.
#pragma once

#include "migration/options.hpp"

namespace CLI {
class App;
}

namespace ferry::cli {

void add_machine_options(CLI::App &command, migration::Options &options);
// --jobs N
void add_jobs_option(CLI::App &command, unsigned &jobs, const char *help);

}  // namespace ferry::cli
