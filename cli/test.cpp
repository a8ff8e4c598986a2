// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "cli/command.hpp"
#include "cli/interrupts.hpp"
#include "cli/machine_options.hpp"
#include "cli/output.hpp"
#include "cli/progress_display.hpp"
#include "migration/option_values.hpp"
#include "migration/remote_source.hpp"
#include "migration/source.hpp"
#include "migration/trial.hpp"

#include "support/text.hpp"

namespace ferry::cli {
namespace {

constexpr int kSeenToFail = 3, kCannotTell = 1;

struct TestCommand {
  std::string machine;
  unsigned timeout = 0;  // seconds; 0: the usual
  migration::Options options;
  OutputOptions output;
};

bool names_a_file(const std::string &word) {
  std::error_code error;
  return word.find('/') != std::string::npos || std::filesystem::exists(word, error);
}

migration::TrialOptions trial_options(const TestCommand &command) {
  migration::TrialOptions out;
  if (command.timeout != 0) out.timeout = std::chrono::seconds(command.timeout);
  out.started = [machine = command.machine, given = command.timeout != 0](std::chrono::seconds time, bool emulated) {
    std::string line = "virt-ferry: " + text::printable(machine) + " runs on overlays, for at most " +
                       std::to_string(time.count()) + " seconds";
    if (emulated && !given) line += " (without KVM: five times as long as with it)";
    print_beside_progress(line + "\n");
  };
  return out;
}

// A machine of the connection, unless the word names a file; then one of this host's other platforms.
report::TestDocument tested(const TestCommand &command, const std::stop_token &stop) {
  migration::refuse_remote(command.machine, "'virt-ferry test'", "Migrate the machine, and test the new one.");
  const migration::TrialOptions trial = trial_options(command);
  if (!names_a_file(command.machine)) {
    if (auto found = migration::try_machine(command.machine, command.options.connect, trial, stop))
      return std::move(*found);
    try {
      (void)migration::find_source(command.machine);
    } catch (const Error &) {
      throw Error(ErrorKind::missing,
                  {.message = "no machine is called \"" + text::printable(command.machine) + "\" at " +
                              text::printable(command.options.connect) + ", nor on any other platform of this host",
                   .advice = "'virsh list --all' and 'virt-ferry list' show those that there are."});
    }
  }
  return migration::try_source(command.machine, command.options, trial, stop);
}

void write_test(const OutputOptions &output, report::TestDocument &document) {
  report::Document origin;
  stamp(output, origin);
  document.tool = origin.tool;
  document.made = origin.made;
  document.command = origin.command;
  write_output(output, output.format == "json"   ? report::test_json(document)
                       : output.format == "html" ? report::test_html(document)
                                                 : report::test_text(document, text_form(output)));
}

int code_of(const report::Test &test) {
  switch (test.verdict) {
    case report::Test::Verdict::booted: return 0;
    case report::Test::Verdict::failed: return kSeenToFail;
    case report::Test::Verdict::unknown: return kCannotTell;
  }
  return kCannotTell;
}

int run(TestCommand &command, const std::stop_token &stop) {
  check_output(command.output, {});
  const Making making;
  try {
    report::TestDocument document = tested(command, stop);
    write_test(command.output, document);
    return code_of(*document.test);
  } catch (const OutputRefused &) {
    throw;
  } catch (const Error &error) {
    // What was not started was not seen to fail: 3 would say so.
    print_error(error);
    report::TestDocument document;
    document.machine = command.machine;
    document.refusal = report::Refusal{error.kind(), error.detail()};
    if (command.output.format != "text" || !command.output.file.empty()) write_test(command.output, document);
    if (stop.stop_requested()) return kInterrupted;
    return error.kind() == ErrorKind::usage ? exit_code(ErrorKind::usage) : kCannotTell;
  }
}

std::set<std::string> options_of_test() {
  return {"connect",   "search",   "allow-outside",       "allow-in-use",      "input-format",
          "set",       "base",     "virtualbox-registry", "machine",           "newest-state",
          "skip-disk", "disk-bus", "discard-saved-state", "ovf-configuration", "ovf-property",
          "seed"};
}

}  // namespace

void setup_test(CLI::App &app, Context &context) {
  auto command = std::make_shared<TestCommand>();
  context.state.push_back(command);
  CLI::App *sub = app.add_subcommand("test", "Boot a machine on overlays and say what was seen; touches nothing.");
  sub->add_option("MACHINE", command->machine,
                  "a machine of the connection by name or UUID, or a source as 'migrate' takes it")
      ->required();
  sub->add_option("--timeout", command->timeout, "at most so long [180, without KVM 900]")
      ->option_text("SECONDS")
      ->check(CLI::Range(1, 86400).description(""));
  add_machine_options(*sub, command->options, options_of_test());
  add_output_options(*sub, command->output, true);
  sub->footer(
      std::string("The machine runs under another name, on overlays over its disks, with copies of its firmware "
                  "variables and TPM state, its cables out and nothing shared with this host. It is judged by its "
                  "guest agent, the text on its screen and its serial port (docs/test.md).\n\n"
                  "Examples:\n"
                  "  virt-ferry test web                            a machine that was migrated\n"
                  "  virt-ferry test old.vbox --timeout 600         one that was not\n"
                  "  virt-ferry test web --format html -o web.html  with the picture\n\n") +
      "Exit codes: 0 seen to boot, 1 nobody can tell, 2 wrong usage, 3 seen to fail,\n130 interrupted.");
  sub->callback([command, &context] {
    command->output.command = context.command;
    context.exit_code = run(*command, context.stop);
  });
}

}  // namespace ferry::cli
