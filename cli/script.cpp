// SPDX-License-Identifier: Apache-2.0
#include "migration/script.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <string>

#include "cli/command.hpp"
#include "cli/interrupts.hpp"
#include "cli/machine_options.hpp"
#include "cli/output.hpp"
#include "cli/progress_display.hpp"
#include "migration/option_values.hpp"
#include "migration/remote_source.hpp"
#include "migration/source.hpp"

#include "support/text.hpp"

namespace ferry::cli {
namespace {

namespace fs = std::filesystem;

struct ScriptCommand {
  std::string machine, file;
  std::string progress = "auto";
  unsigned jobs = 0;
  migration::Options options;
};

bool is_file(const std::string &name) {
  std::error_code error;
  return name.find('/') != std::string::npos || fs::exists(name, error);
}

// A machine of the connection, unless the word names a file; then one of this host's other platforms.
std::optional<migration::ScriptResult> of_connection(const ScriptCommand &command) {
  migration::refuse_remote(command.machine, "'virt-ferry script'", "Migrate the machine, and give the new one's name.");
  if (is_file(command.machine)) return std::nullopt;
  try {
    return migration::script_of_machine(command.machine, command.options.connect, command.file);
  } catch (const Error &unreachable) {
    if (unreachable.kind() != ErrorKind::unreachable && unreachable.kind() != ErrorKind::usage) throw;
    try {
      (void)migration::find_source(command.machine);
    } catch (const Error &) {
      throw Error(unreachable);  // why nothing is known of the name
    }
    return std::nullopt;
  }
}

migration::ScriptResult of_source(ScriptCommand &command, const std::stop_token &stop) {
  if (command.file.empty()) {
    (void)migration::find_source(command.machine);  // that there is none is to be said first
    throw Error(ErrorKind::usage,
                {.message = "the disks of a source are converted beside the script, which needs a file",
                 .advice = "Name the script's file with -o."});
  }
  command.options.threads = command.jobs;
  const Making making;
  const auto progress = make_progress(command.progress, {.name = command.machine});
  return migration::script_of_source(command.machine, command.options, command.file, progress.get(), stop);
}

void print_findings(const std::vector<Finding> &findings) {
  for (const Finding &finding : findings) {
    std::cerr << to_string(finding.severity) << ": " << finding.id << ": " << text::printable(finding.message) << "\n";
    if (!finding.advice.empty()) std::cerr << "  " << text::printable(finding.advice) << "\n";
  }
}

void refuse_existing(const ScriptCommand &command) {
  std::error_code error;
  if (command.file.empty() || command.options.overwrite || !fs::exists(fs::symlink_status(command.file, error))) return;
  throw Error(ErrorKind::conflict, {.where = {.file = command.file},
                                    .message = "the file already exists",
                                    .advice = "Name another one with -o, or replace it with --overwrite."});
}

int run(ScriptCommand &command, const std::stop_token &stop) {
  if (command.file == "-") command.file.clear();
  refuse_existing(command);
  auto result = of_connection(command);
  if (!result) result = of_source(command, stop);
  print_findings(result->findings);
  print_findings(result->script.findings);
  if (command.file.empty()) {
    std::cout << result->script.text << std::flush;
    return 0;
  }
  migration::write_script_file(command.file, result->script.text, command.options.overwrite);
  if (!result->run.empty()) std::cerr << "'virt-ferry undo " << result->run << "' removes the disks again.\n";
  return 0;
}

// Those of a migration, but for what a script has no use for.
std::set<std::string> options_of_script() {
  std::set<std::string> out;
  for (const migration::OptionSpec &spec : migration::option_specs()) out.insert(std::string(spec.name));
  for (const char *name : {"dest", "no-define", "start", "start-now", "pull-limit", "show-values"}) out.erase(name);
  return out;
}

}  // namespace

void setup_script(CLI::App &app, Context &context) {
  auto command = std::make_shared<ScriptCommand>();
  context.state.push_back(command);
  CLI::App *sub = app.add_subcommand("script", "A machine as a shell script that runs without libvirt.");
  sub->add_option("MACHINE", command->machine,
                  "a machine of the connection by name or UUID, or a source as 'migrate' takes it")
      ->required();
  sub->add_option("-o,--output", command->file, "write the script to FILE, and a source's disks beside it [stdout]")
      ->option_text("FILE");
  add_jobs_option(*sub, command->jobs, "threads [one for each processor]");
  add_machine_options(*sub, command->options, options_of_script());
  add_progress_option(*sub, command->progress);
  sub->footer(
      std::string("A machine of the connection keeps its images: run it by the script or by libvirt, not by both.\n\n"
                  "Examples:\n"
                  "  virt-ferry script web -o web.sh                the domain 'web' of the session\n"
                  "  virt-ferry script lab.ova -o lab/lab.sh        a source, converted into lab/\n"
                  "  ./web.sh -snapshot                             QEMU's own options may follow\n\n") +
      kExitCodes);
  sub->callback([command, &context] { context.exit_code = run(*command, context.stop); });
}

}  // namespace ferry::cli
