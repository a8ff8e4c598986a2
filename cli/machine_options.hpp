// SPDX-License-Identifier: Apache-2.0
// The options that plan, migrate and batch share: migration/option_values.hpp's list as CLI11 options.
#pragma once

#include <set>
#include <string>

#include "migration/options.hpp"

namespace CLI {
class App;
}

namespace ferry::cli {

// What virsh connects to when it is not told: $LIBVIRT_DEFAULT_URI, else the user's session.
[[nodiscard]] std::string default_connection();
// `only`: their names; empty: all.
void add_machine_options(CLI::App &command, migration::Options &options, const std::set<std::string> &only = {});
// --jobs N
void add_jobs_option(CLI::App &command, unsigned &jobs, const char *help);

// --state DIR
void add_state_option(CLI::App &command);

}  // namespace ferry::cli
