// SPDX-License-Identifier: Apache-2.0
#include "migration/resume.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "cli/command.hpp"
#include "cli/machine_options.hpp"
#include "migration/keeper.hpp"

#include "support/text.hpp"

namespace ferry::cli {
namespace {

using Did = migration::ResumeResult::Did;

const char *said(Did did) {
  switch (did) {
    case Did::nothing_left: return "all is copied; its machine does not need the source any more";
    case Did::served: return "runs, and the copy behind it goes on";
    case Did::started: return "is started, and the copy behind it goes on";
    case Did::went_on: return "was paused and goes on, and so does the copy behind it";
    case Did::restarted: return "could not read its disks any more and was started anew; the copy behind it goes on";
  }
  return "";
}

struct ResumeCommand {
  std::string run;
  bool force = false;
};

int run(const ResumeCommand &command, const std::stop_token &stop) {
  const migration::ResumeResult result = migration::resume(command.run, command.force, stop);
  const std::string name = text::printable(result.machine);
  std::printf("%s: %s\n", name.c_str(), said(result.did));
  if (result.did != Did::nothing_left)
    std::printf("  virt-ferry pull %s    # shows how far the copy is\n", text::shell_word(name).c_str());
  return 0;
}

}  // namespace

void setup_resume(CLI::App &app, Context &context) {
  auto command = std::make_shared<ResumeCommand>();
  context.state.push_back(command);
  CLI::App *sub = app.add_subcommand("resume", "Take up again the copy behind a machine that was started at once.");
  sub->add_option("RUN", command->run, "as 'migrate' reports it, and 'runs' lists it")->required();
  sub->add_flag("--force", command->force,
                "switch the machine off and start it again where its QEMU does not look for the source any more");
  add_state_option(*sub);
  sub->footer(std::string("A machine that 'migrate --start-now' started reads its source until the copy behind it is "
                          "whole. After a crash, or when this host was restarted, this serves the source again, starts "
                          "the machine where it is off, and the copy goes on where it was (docs/start-now.md).\n\n"
                          "Example:\n"
                          "  virt-ferry runs                        those that read their source\n"
                          "  virt-ferry resume 20261123-161105-e512\n\n") +
              kExitCodes);
  sub->callback([command, &context] { context.exit_code = run(*command, context.stop); });
}

void setup_serve(CLI::App &app, Context &context) {
  auto name = std::make_shared<std::string>();
  context.state.push_back(name);
  CLI::App *sub = app.add_subcommand("serve", "Serve a machine's source to it; 'migrate --start-now' starts this.");
  sub->group("");  // not for people: 'resume' is
  sub->add_option("RUN", *name, "as 'runs' lists it")->required();
  add_state_option(*sub);
  sub->footer(std::string("It stays until all is copied, and nothing is lost when it is killed: 'virt-ferry resume "
                          "RUN' starts it again.\n\n") +
              kExitCodes);
  sub->callback([name, &context] {
    migration::keep(
        *name,
        [](const std::string &line) {
          std::fputs(("virt-ferry: " + text::printable(line) + "\n").c_str(), stderr);
          std::fflush(stderr);
        },
        context.stop);
    context.exit_code = 0;
  });
}

}  // namespace ferry::cli
