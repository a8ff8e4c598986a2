// SPDX-License-Identifier: Apache-2.0
#include "migration/host.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/command.hpp"
#include "cli/machine_options.hpp"
#include "cli/output.hpp"
#include "migration/reader.hpp"

namespace ferry::cli {
namespace {

struct HostCommand {
  std::string connect = default_connection();
  OutputOptions output;
};

}  // namespace

void setup_host(CLI::App &app, Context &context) {
  auto command = std::make_shared<HostCommand>();
  context.state.push_back(command);
  CLI::App *sub =
      app.add_subcommand("host", "Record what libvirt says about this host, for 'plan --host-profile' elsewhere.");
  sub->add_option("--connect", command->connect, "libvirt connection [qemu:///session]")->option_text("URI");
  add_output_file(*sub, command->output);
  sub->callback([command, &context] {
    command->output.format = "json";
    command->output.what = Output::host_profile;
    check_output(command->output, {});
    write_output(command->output, migration::recorded_host(command->connect));
    for (const std::string &lacking : migration::lacking_cages())
      std::fprintf(stderr, "virt-ferry: %s\n", lacking.c_str());
    context.exit_code = 0;
  });
}

}  // namespace ferry::cli
