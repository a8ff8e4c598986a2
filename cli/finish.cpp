// SPDX-License-Identifier: Apache-2.0
#include "migration/finish.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "cli/command.hpp"
#include "cli/interrupts.hpp"
#include "cli/machine_options.hpp"
#include "cli/output.hpp"
#include "cli/progress_display.hpp"

#include "support/columns.hpp"
#include "support/file_names.hpp"
#include "support/text.hpp"

namespace ferry::cli {
namespace {

constexpr int kNotSwitched = 3;
constexpr std::size_t kFinishWidth = 80;  // columns

struct FinishCommand {
  std::string machine;
  bool prepare = false, change_over = false, undo = false;
  std::string disks = "scsi", cards = "virtio", drivers;
  unsigned timeout = 0;  // seconds; 0: the usual
  migration::FinishOptions options;
};

std::string devices_text(const char *what, const std::vector<target::VirtioState::Device> &devices) {
  std::string out;
  for (const target::VirtioState::Device &one : devices)
    out += "  " + text::padded(what, 8) + text::printable(one.name) + " on " +
           (one.model.empty() ? "the default model" : text::printable(one.model)) +
           (one.is_virtio ? "" : ", not virtio") + "\n";
  return out;
}

std::string result_text(const migration::FinishResult &result) {
  std::string out = text::printable(result.machine) + "\n";
  out += devices_text("disk", result.state.disks) + devices_text("card", result.state.cards);
  out += std::string("  agent   ") + (result.state.has_agent ? "has a channel" : "has no channel") + "\n";
  if (!result.phases.empty()) {
    out += "  done   ";
    for (const std::string &phase : result.phases) out += " --" + phase;
    out += " ('--undo' takes the last one back)\n";
  }
  if (result.test) {
    report::TestDocument document;
    document.machine = "on virtio";
    document.test = result.test;
    out += "\n" + report::test_text(document);
  }
  if (!result.done.empty()) out += "\n";
  for (const std::string &sentence : result.done) out += text::wrapped(sentence, 0, kFinishWidth);
  if (!result.steps.empty()) out += "\nNext:\n";
  for (const std::string &step : result.steps) out += text::wrapped(step, 2, kFinishWidth);
  return out;
}

target::VirtioChoice choice_of(const FinishCommand &command) {
  target::VirtioChoice out;
  if (command.disks == "blk") out.disks = target::VirtioDisks::blk;
  if (command.disks == "keep") out.disks = target::VirtioDisks::keep;
  if (command.cards == "keep") out.cards = target::VirtioCards::keep;
  return out;
}

void check_drivers(FinishCommand &command) {
  if (command.drivers.empty()) return;
  std::error_code error;
  const std::filesystem::path file = std::filesystem::canonical(names::as_spelt(command.drivers), error);
  if (error || !std::filesystem::is_regular_file(file, error)) {
    throw Error(ErrorKind::usage, {.where = {.path = "--virtio-win"},
                                   .message = "the value cannot be understood",
                                   .found = '"' + text::printable(command.drivers) + '"',
                                   .expected = "an existing file"});
  }
  command.options.drivers = file;
}

int run(FinishCommand &command, const std::stop_token &stop) {
  check_drivers(command);
  command.options.choice = choice_of(command);
  if (command.timeout != 0) command.options.trial.timeout = std::chrono::seconds(command.timeout);
  command.options.trial.started = [](std::chrono::seconds time, bool) {
    print_beside_progress("virt-ferry: the machine runs on overlays and virtio, for at most " +
                          std::to_string(time.count()) + " seconds\n");
  };
  const Making making;
  const migration::FinishResult result = command.prepare ? migration::finish_prepare(command.machine, command.options)
                                         : command.change_over
                                             ? migration::finish_switch(command.machine, command.options, stop)
                                         : command.undo ? migration::finish_undo(command.machine, command.options)
                                                        : migration::finish_state(command.machine, command.options);
  std::fputs(result_text(result).c_str(), stdout);
  return result.switched ? 0 : kNotSwitched;
}

void add_phases(CLI::App &command, FinishCommand &finish) {
  CLI::Option *prepare = command.add_flag(
      "--prepare", finish.prepare, "add a spare disk and card on virtio, so that the guest takes its drivers in use");
  CLI::Option *change =
      command.add_flag("--switch", finish.change_over,
                       "shut the guest down, boot it on virtio on overlays, and switch when it was seen to boot");
  CLI::Option *undo = command.add_flag("--undo", finish.undo, "take the last phase back");
  for (CLI::Option *option : {prepare, change, undo}) option->group("Phases");
  prepare->excludes(change)->excludes(undo);
  change->excludes(undo);
}

}  // namespace

void setup_finish(CLI::App &app, Context &context) {
  auto command = std::make_shared<FinishCommand>();
  context.state.push_back(command);
  command->options.connect = default_connection();
  CLI::App *sub = app.add_subcommand("finish", "From the old controllers to virtio, in two phases, with a way back.");
  sub->add_option("MACHINE", command->machine, "a machine of the connection by name or UUID")->required();
  sub->add_option("--connect", command->options.connect, "libvirt connection [qemu:///session]")->option_text("URI");
  add_phases(*sub, *command);
  sub->add_option("--disk", command->disks, "scsi: virtio-scsi, sdX stays; blk: virtio-blk, vdX; keep [scsi]")
      ->option_text("BUS")
      ->check(CLI::IsMember(std::vector<std::string>{"scsi", "blk", "keep"}).description(""));
  sub->add_option("--nic", command->cards, "virtio: same MAC, same slot; keep [virtio]")
      ->option_text("MODEL")
      ->check(CLI::IsMember(std::vector<std::string>{"virtio", "keep"}).description(""));
  sub->add_option("--virtio-win", command->drivers, "the CD image with Windows' virtio drivers, for --prepare")
      ->option_text("FILE");
  sub->add_option("--timeout", command->timeout, "the test's, at most so long [180, without KVM 900]")
      ->option_text("SECONDS")
      ->check(CLI::Range(1, 86400).description(""));
  sub->add_flag("--force", command->options.force,
                "switch also when nobody can tell whether it boots; undo also what was changed since");
  sub->footer(
      std::string("Without a phase it says what is there and what comes next, and changes nothing. A Linux guest whose "
                  "initial RAM disk has the drivers can be switched at once (docs/finish.md).\n\n"
                  "Examples:\n"
                  "  virt-ferry finish web\n"
                  "  virt-ferry finish web --switch\n"
                  "  virt-ferry finish win11 --prepare --virtio-win virtio-win.iso\n\n") +
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not switched, or refused,\n130 interrupted.");
  sub->callback([command, &context] { context.exit_code = run(*command, context.stop); });
}

}  // namespace ferry::cli
