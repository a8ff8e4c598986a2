// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "exporters/libvirt/host/connection.hpp"

namespace ferry::cli {
namespace {

struct HostCommand {
  std::string connect = "qemu:///session";
  OutputOptions output;
};

}  // namespace

void setup_host(CLI::App &app, Context &context) {
  auto command = std::make_shared<HostCommand>();
  CLI::App *sub =
      app.add_subcommand("host", "Record what libvirt says of this host, for 'plan --host-profile' elsewhere.");
  sub->add_option("--connect", command->connect, "libvirt connection [qemu:///session]")->option_text("URI");
  sub->add_option("-o,--output", command->output.file, "write to FILE instead of stdout")->option_text("FILE");
  sub->callback([command, &context] {
    write_output(command->output, libvirt::host_profile_json(libvirt::Connection(command->connect).probe()));
    context.exit_code = 0;
  });
}

}  // namespace ferry::cli
