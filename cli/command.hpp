// SPDX-License-Identifier: Apache-2.0
// A command of virt-ferry: setup_NAME() declares its options on its CLI11 subcommand and sets what runs it.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace ferry::cli {

inline constexpr auto kExitCodes =
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused (the report says why),\n"
    "4 a batch finished, but some machines did not, 5 likewise, and running it\n"
    "again may help, 130 interrupted.";

struct Context {
  int exit_code = 0;
  std::stop_token stop;                      // requested by SIGINT and SIGTERM
  std::string command;                       // as it was typed, without what may be secret
  std::vector<std::shared_ptr<void>> state;  // what options are parsed into: as long as the options
};

void setup_inspect(CLI::App &app, Context &context);
void setup_plan(CLI::App &app, Context &context);
void setup_migrate(CLI::App &app, Context &context);
void setup_batch(CLI::App &app, Context &context);
void setup_list(CLI::App &app, Context &context);
void setup_runs(CLI::App &app, Context &context);
void setup_report(CLI::App &app, Context &context);
void setup_undo(CLI::App &app, Context &context);
void setup_script(CLI::App &app, Context &context);
void setup_test(CLI::App &app, Context &context);
void setup_finish(CLI::App &app, Context &context);
void setup_pull(CLI::App &app, Context &context);
void setup_resume(CLI::App &app, Context &context);
void setup_serve(CLI::App &app, Context &context);
void setup_disk(CLI::App &app, Context &context);
void setup_host(CLI::App &app, Context &context);

}  // namespace ferry::cli
