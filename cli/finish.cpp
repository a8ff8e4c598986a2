// SPDX-License-Identifier: Apache-2.0
#include "migration/finish/finish.hpp"

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
  bool prepare = false, change_over = false, repair = false, undo = false;
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

// "  proven  ...", further lines below the first.
std::string labelled(const std::string &label, const std::string &value) {
  constexpr std::size_t kIndent = 10;
  return "  " + text::padded(label, kIndent - 2) +
         text::wrapped(text::printable(value), kIndent, kFinishWidth).substr(kIndent);
}

std::string list_text(const char *heading, const std::vector<std::string> &lines) {
  std::string out = lines.empty() ? "" : std::string("\n") + heading + ":\n";
  for (const std::string &line : lines) out += text::wrapped(line, 2, kFinishWidth);
  return out;
}

std::string result_text(const migration::FinishResult &result) {
  std::string out = text::printable(result.machine) + "\n";
  out += devices_text("disk", result.state.disks) + devices_text("card", result.state.cards);
  out += labelled("agent", result.state.has_agent ? "has a channel" : "has no channel");
  for (const std::string &system : result.guest) out += labelled("guest", system);
  for (const migration::Proof &proof : result.proofs) out += labelled(migration::to_string(proof.kind), proof.text);
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
  return out + list_text("Next", result.steps) + list_text("In the guest, when it is on virtio", result.clean_up);
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

migration::FinishResult done(const FinishCommand &command, const std::stop_token &stop) {
  if (command.prepare) return migration::finish_prepare(command.machine, command.options, stop);
  if (command.change_over) return migration::finish_switch(command.machine, command.options, stop);
  if (command.repair) return migration::finish_repair(command.machine, command.options, stop);
  if (command.undo) return migration::finish_undo(command.machine, command.options);
  return migration::finish_state(command.machine, command.options, stop);
}

int run(FinishCommand &command, const std::stop_token &stop) {
  check_drivers(command);
  command.options.repair = command.repair;
  command.options.choice = choice_of(command);
  if (command.timeout != 0) command.options.trial.timeout = std::chrono::seconds(command.timeout);
  command.options.trial.started = [](std::chrono::seconds time, bool) {
    print_beside_progress("virt-ferry: the machine runs on overlays and virtio, for at most " +
                          std::to_string(time.count()) + " seconds\n");
  };
  const Making making;
  const migration::FinishResult result = done(command, stop);
  std::fputs(result_text(result).c_str(), stdout);
  return result.switched ? 0 : kNotSwitched;
}

void add_phases(CLI::App &command, FinishCommand &finish) {
  CLI::Option *prepare = command.add_flag(
      "--prepare", finish.prepare, "add a spare disk and card on virtio, so that the guest takes its drivers in use");
  CLI::Option *change =
      command.add_flag("--switch", finish.change_over,
                       "look for what the guest lacks, shut it down, boot it on virtio on overlays, and switch when it "
                       "was seen to boot");
  CLI::Option *repair =
      command.add_flag("--repair-initramfs", finish.repair,
                       "put virtio's drivers into the initial RAM disk of a Linux guest that runs, by its agent: this "
                       "writes in the guest; with --switch before it, where they are missing");
  CLI::Option *undo = command.add_flag("--undo", finish.undo, "take the last phase back");
  for (CLI::Option *option : {prepare, change, repair, undo}) option->group("Phases");
  prepare->excludes(change)->excludes(undo)->excludes(repair);
  change->excludes(undo);
  repair->excludes(undo);
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
  sub->add_option("--virtio-win", command->drivers,
                  "the CD image with Windows' virtio drivers, for --prepare [the host's, for Windows]")
      ->option_text("FILE");
  sub->add_option("--timeout", command->timeout, "the test's, at most so long [180, without KVM 900]")
      ->option_text("SECONDS")
      ->check(CLI::Range(1, 86400).description(""));
  sub->add_flag("--force", command->options.force,
                "switch also a guest that cannot be read, or that nobody can tell whether it boots; undo also what was "
                "changed since");
  sub->footer(
      std::string(
          "Without a phase it says what is there, what is proven and what is missing, and changes nothing: by a "
          "look at the disks, or by the guest's agent while it runs. A Linux guest whose initial RAM disk has the "
          "drivers can be switched at once (docs/finish.md).\n\n"
          "Examples:\n"
          "  virt-ferry finish web\n"
          "  virt-ferry finish web --switch\n"
          "  virt-ferry finish win11 --prepare --virtio-win virtio-win.iso\n\n") +
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not switched, or refused,\n130 interrupted.");
  sub->callback([command, &context] { context.exit_code = run(*command, context.stop); });
}

}  // namespace ferry::cli
