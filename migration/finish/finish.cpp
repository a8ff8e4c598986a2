// SPDX-License-Identifier: Apache-2.0
#include "migration/finish.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <unistd.h>

#include "converters/qcow2/writer.hpp"
#include "migration/finish_record.hpp"
#include "migration/host.hpp"
#include "migration/target_names.hpp"
#include "migration/virtio_document.hpp"

#include "support/error.hpp"
#include "support/identity.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSpareSize = std::uint64_t{64} << 20U;  // bytes: Windows offers nothing smaller to be formatted
constexpr std::chrono::seconds kAgentPatience{60}, kAcpiPatience{180};

std::string in_quotes(const std::string &name) { return '"' + text::printable(name) + '"'; }

class Finish {
 public:
  Finish(const std::string &name, const FinishOptions &options) : options_(options), machines_(open(options.connect)) {
    auto facts = machines_->machine_named(name);
    if (!facts && Uuid::parse(name)) facts = machines_->machine_of(name);
    if (!facts) {
      throw Error(ErrorKind::missing,
                  {.message = "no machine is called " + in_quotes(name) + " at " + text::printable(options.connect),
                   .advice = "'virsh list --all' shows those that there are."});
    }
    facts_ = std::move(*facts);
    record_ = read_finish(facts_.uuid);
    record_.machine = facts_.name;
    record_.connect = options.connect;
    document_ = definition();
    settle_cut_off();
  }

  FinishResult state() {
    FinishResult out = result();
    say_next(out);
    return out;
  }

  FinishResult prepare() {
    refuse_suspended();
    if (virtio_state(document_).has_spares)
      throw Error(ErrorKind::conflict, {.message = "the machine " + in_quotes(facts_.name) + " is prepared already",
                                        .advice = "Use --switch, or take it back with --undo."});
    target::VirtioSpares spares{.disk = spare_file(), .cd = options_.drivers};
    const std::string after = with_spares(document_, spares, options_.choice);
    FinishPhase phase{.phase = "prepare", .before = document_, .after = {}};
    if (options_.choice.disks != target::VirtioDisks::keep) phase.files = {spares.disk.string()};
    begin(phase);
    if (!phase.files.empty()) make_spare(spares.disk);
    define(after);
    FinishResult out = result();
    out.done.emplace_back("The machine has a spare disk and a spare card on virtio, the card with its cable out.");
    say_next(out);
    return out;
  }

  FinishResult change_over(const std::stop_token &stop) {
    refuse_suspended();
    const std::string after = on_virtio(document_, options_.choice);
    shut_down(stop);
    report::Test test = try_document(*machines_, after, facts_, options_.trial, stop);
    if (test.verdict != report::Test::Verdict::booted && !options_.force) return refused(std::move(test));
    FinishPhase phase{.phase = "switch", .before = document_, .after = {}};
    begin(phase);
    define(after);
    FinishResult out = result();
    out.test = std::move(test);
    out.done.emplace_back("The machine is on virtio; 'virt-ferry finish " + text::shell_word(facts_.name) +
                          " --undo' gives back the definition that it had.");
    out.steps.push_back("virsh -c " + text::shell_word(options_.connect) + " start " + text::shell_word(facts_.name));
    return out;
  }

  FinishResult undo() {
    if (record_.phases.empty())
      throw Error(ErrorKind::missing, {.message = "nothing was done to the machine " + in_quotes(facts_.name) +
                                                  " that could be taken back"});
    const FinishPhase last = record_.phases.back();
    if (last.after != document_ && !options_.force) {
      throw Error(ErrorKind::conflict,
                  {.message = "the definition of " + in_quotes(facts_.name) + " was changed since, and would be lost",
                   .advice = "Use --force to have the definition from before all the same."});
    }
    machines_->restore(facts_.name, {.document = last.before, .snapshots = {}});
    for (const std::string &file : last.files) unlink(file.c_str());
    record_.phases.pop_back();
    write_finish(record_);
    document_ = definition();
    FinishResult out = result();
    out.done.push_back(
        "The definition is the one from before --" + last.phase +
        (facts_.running ? "; the machine that runs goes on with the other until it is shut down." : "."));
    return out;
  }

 private:
  static std::unique_ptr<target::Machines> open(const std::string &connect) {
    if (!is_own_session(connect)) {
      throw Error(ErrorKind::usage, {.where = {.path = "--connect"},
                                     .message = "machines are finished in your own session only",
                                     .found = text::printable(connect),
                                     .expected = "qemu:///session"});
    }
    return machines_at(connect);
  }

  // Its saved memory has the devices that it had.
  void refuse_suspended() const {
    if (!facts_.suspended) return;
    throw Error(ErrorKind::conflict, {.message = "the machine " + in_quotes(facts_.name) +
                                                 " is suspended, and goes on with the devices that it had",
                                      .advice = "Start it and shut it down first."});
  }

  [[nodiscard]] std::string definition() const { return machines_->save(facts_.name).document; }

  // A phase that was cut off: either nothing was defined yet, and there is nothing to take back, or all of it was.
  void settle_cut_off() {
    if (record_.phases.empty() || !record_.phases.back().after.empty()) return;
    FinishPhase &last = record_.phases.back();
    if (last.before == document_) {
      for (const std::string &file : last.files) unlink(file.c_str());
      record_.phases.pop_back();
    } else {
      last.after = document_;
    }
    write_finish(record_);
  }

  // What is done is noted before it is done.
  void begin(const FinishPhase &phase) {
    record_.phases.push_back(phase);
    write_finish(record_);
  }

  void define(const std::string &document) {
    try {
      machines_->define(document);
    } catch (const Error &) {
      settle_cut_off();  // nothing was defined
      throw;
    }
    document_ = definition();
    record_.phases.back().after = document_;
    write_finish(record_);
  }

  [[nodiscard]] fs::path spare_file() const {
    const fs::path folder = virtio_state(document_).folder;
    if (folder.empty())
      throw Error(ErrorKind::unsupported, {.message = "the machine " + in_quotes(facts_.name) +
                                                      " has no disk in a file, beside which a spare one could be"});
    return folder / (safe_name(facts_.name) + "-spare.qcow2");
  }

  static void make_spare(const fs::path &image) {
    copy::TargetFile file(image);
    qcow2::Writer writer(file, {.virtual_size = kSpareSize, .snapshots = {}});
    writer.finish();
    file.publish(true);
  }

  [[nodiscard]] bool is_off() const { return machines_->condition(facts_.name) == target::Condition::off; }

  bool is_off_within(std::chrono::seconds patience, const std::stop_token &stop) const {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!is_off()) {
      if (stop.stop_requested())
        throw Error(ErrorKind::cancelled, {.message = "the wait for the guest to shut down was interrupted"});
      if (std::chrono::steady_clock::now() >= until) return false;
      never.wait_for(lock, stop, std::chrono::milliseconds(500), [] { return false; });
    }
    return true;
  }

  // Its agent is asked, then its power button is pressed. It is never switched off.
  void shut_down(const std::stop_token &stop) {
    if (is_off()) return;
    try {
      machines_->shut_down(facts_.name, target::ShutDown::agent);
      if (is_off_within(kAgentPatience, stop)) return;
    } catch (const Error &error) {
      if (error.kind() != ErrorKind::libvirt) throw;  // it has none
    }
    machines_->shut_down(facts_.name, target::ShutDown::acpi);
    if (is_off_within(kAcpiPatience, stop)) return;
    throw Error(ErrorKind::conflict, {.message = "the guest of " + in_quotes(facts_.name) + " does not shut down",
                                      .advice = "Shut it down from inside, then run the same command again."});
  }

  [[nodiscard]] FinishResult result() const {
    FinishResult out;
    out.machine = facts_.name;
    out.state = virtio_state(document_);
    for (const FinishPhase &phase : record_.phases) out.phases.push_back(phase.phase);
    return out;
  }

  FinishResult refused(report::Test test) const {
    FinishResult out = result();
    out.switched = false;
    out.done.emplace_back("The machine was not switched; nothing was changed.");
    if (test.verdict == report::Test::Verdict::unknown)
      out.steps.emplace_back(
          "Look at the picture. Without a guest agent or a login prompt nobody can tell: --force "
          "switches all the same.");
    else if (out.state.has_spares)
      out.steps.emplace_back(
          "In a Linux guest, put the drivers into its initial RAM disk (virtio_scsi, virtio_blk, "
          "virtio_net, virtio_pci), then run the same command again.");
    else
      out.steps.emplace_back("Use --prepare first, and boot the machine once with the spares.");
    out.test = std::move(test);
    return out;
  }

  void say_next(FinishResult &out) const {
    const std::string finish = "virt-ferry finish " + text::shell_word(facts_.name);
    const auto is_old = [](const target::VirtioState::Device &one) { return !one.is_virtio; };
    const bool old = std::any_of(out.state.disks.begin(), out.state.disks.end(), is_old) ||
                     std::any_of(out.state.cards.begin(), out.state.cards.end(), is_old);
    if (!old) return;
    if (out.state.has_spares) {
      out.steps.emplace_back(out.state.is_windows
                                 ? "Boot the machine, run virtio-win-guest-tools.exe from the CD with Windows' virtio "
                                   "drivers, and wait until the spare disk is there in Disk Management."
                                 : "Boot the machine once. In a Linux guest, make sure that its initial RAM disk has "
                                   "virtio_scsi (update-initramfs, dracut): a driver that is loaded is no proof.");
      out.steps.push_back(finish + " --switch");
    } else if (out.state.is_windows) {
      out.steps.push_back(finish + " --prepare --virtio-win FILE");
    } else {
      out.steps.push_back(finish + " --switch");
    }
  }

  const FinishOptions &options_;
  std::unique_ptr<target::Machines> machines_;
  target::MachineFacts facts_;
  FinishRecord record_;
  std::string document_;  // the inactive definition, with its secrets
};

}  // namespace

FinishResult finish_state(const std::string &name, const FinishOptions &options) {
  return Finish(name, options).state();
}
FinishResult finish_prepare(const std::string &name, const FinishOptions &options) {
  return Finish(name, options).prepare();
}
FinishResult finish_switch(const std::string &name, const FinishOptions &options, const std::stop_token &stop) {
  return Finish(name, options).change_over(stop);
}
FinishResult finish_undo(const std::string &name, const FinishOptions &options) { return Finish(name, options).undo(); }

}  // namespace ferry::migration
