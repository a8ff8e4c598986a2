// SPDX-License-Identifier: Apache-2.0
#include "migration/pull.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "cli/command.hpp"
#include "cli/interrupts.hpp"
#include "cli/machine_options.hpp"
#include "cli/progress_display.hpp"

#include "support/text.hpp"

namespace ferry::cli {
namespace {

struct PullCommand {
  std::string machine;
  migration::PullOptions options;
};

// A line for each tenth of the way.
class Tenths {
 public:
  void operator()(const std::string &disk, unsigned percent) {
    if (disk == disk_ && percent / 10 == tenth_) return;
    disk_ = disk;
    tenth_ = percent / 10;
    print_beside_progress("virt-ferry: " + text::printable(disk) + ": " + std::to_string(percent) + " %\n");
  }

 private:
  std::string disk_;
  unsigned tenth_ = 0;
};

int run(PullCommand &command, const std::stop_token &stop) {
  const Making making;
  command.options.progress = Tenths();
  const migration::PullResult result = migration::pull(command.machine, command.options, stop);
  const std::string name = text::printable(result.machine);
  if (result.pulled.empty()) std::printf("%s: its disks read no other image\n", name.c_str());
  for (const std::string &line : result.pulled) std::printf("%s: %s\n", name.c_str(), text::printable(line).c_str());
  return 0;
}

}  // namespace

void setup_pull(CLI::App &app, Context &context) {
  auto command = std::make_shared<PullCommand>();
  context.state.push_back(command);
  command->options.connect = default_connection();
  CLI::App *sub = app.add_subcommand("pull", "Fill the disks of a machine that still reads its source.");
  sub->add_option("MACHINE", command->machine, "a machine of the connection by name or UUID")->required();
  sub->add_option("--connect", command->options.connect, "libvirt connection [qemu:///session]")->option_text("URI");
  sub->add_option("--limit", command->options.limit, "MiB a second, while the machine runs [as fast as it goes]")
      ->option_text("MIB")
      ->check(CLI::Range(1, 1000000).description(""));
  sub->footer(
      std::string(
          "A machine that was migrated with '--disk-mode overlay' runs at once and reads its source. This copies "
          "what is missing, while it runs or when it is off; then the source is no longer needed. It can be "
          "interrupted and run again.\n\n"
          "Examples:\n"
          "  virt-ferry migrate web.vbox --disk-mode overlay --snapshots flatten --start\n"
          "  virt-ferry pull web\n\n") +
      kExitCodes);
  sub->callback([command, &context] { context.exit_code = run(*command, context.stop); });
}

}  // namespace ferry::cli
