// SPDX-License-Identifier: Apache-2.0
#include "migration/finish/finish.hpp"

#include <algorithm>
#include <array>
#include <unistd.h>
#include <utility>

#include "converters/qcow2/writer.hpp"
#include "migration/finish/advice.hpp"
#include "migration/finish/finish_record.hpp"
#include "migration/finish/guest_scripts.hpp"
#include "migration/finish/look.hpp"
#include "migration/finish/shut_down.hpp"
#include "migration/finish/virtio_document.hpp"
#include "migration/host.hpp"
#include "migration/look_inside.hpp"
#include "migration/next_steps.hpp"
#include "migration/target_names.hpp"

#include "support/error.hpp"
#include "support/file.hpp"
#include "support/identity.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSpareSize = std::uint64_t{64} << 20U;  // bytes: Windows offers nothing smaller to be formatted
constexpr std::chrono::minutes kRepairPatience{20};             // an emulated guest with several kernels
// Where Fedora's and RHEL's package has it.
constexpr std::array kDriverCds{"/usr/share/virtio-win/virtio-win.iso"};

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
    lock_.emplace(facts_.uuid, facts_.name);
    record_ = read_finish(facts_.uuid);
    record_.machine = facts_.name;
    record_.connect = options.connect;
    document_ = definition();
    settle_cut_off();
  }

  FinishResult state(const std::stop_token &stop) {
    look(stop);
    FinishResult out = result();
    say_next(out);
    if (!is_old(out.state)) out.clean_up = clean_up_steps(guest_, true);
    return out;
  }

  FinishResult prepare(const std::stop_token &stop) {
    refuse_suspended();
    const target::VirtioState before = virtio_state(document_);
    if (before.has_spares)
      throw Error(ErrorKind::conflict, {.message = "the machine " + in_quotes(facts_.name) + " is prepared already",
                                        .advice = "Use --switch, or take it back with --undo."});
    target::VirtioSpares spares{.disk = spare_file(), .cd = options_.drivers};
    if (before.is_windows && !spares.cd) spares.cd = cd_of_host();
    const std::string after = with_spares(document_, spares, options_.choice);
    FinishPhase phase{.phase = "prepare", .before = document_, .after = {}};
    if (options_.choice.disks != target::VirtioDisks::keep) phase.files = {spares.disk.string()};
    begin(phase);
    if (!phase.files.empty()) make_spare(spares.disk);
    define(after);
    look(stop);
    FinishResult out = result();
    out.done.emplace_back("The machine has a spare disk and a spare card on virtio, the card with its cable out.");
    if (spares.cd) out.done.push_back("Its CD with drivers is " + text::printable(spares.cd->string()) + ".");
    if (facts_.running)
      out.done.emplace_back("They are there from its next start on: it runs without them until then.");
    say_next(out);
    return out;
  }

  FinishResult repair(const std::stop_token &stop) {
    const std::string done = repair_initramfs(stop);
    look(stop);
    FinishResult out = result();
    out.done.push_back(done);
    say_next(out);
    return out;
  }

  FinishResult change_over(const std::stop_token &stop) {
    refuse_suspended();
    const std::string after = on_virtio(document_, options_.choice);
    look(stop);
    std::vector<std::string> done;
    if (options_.repair && is_missing(proofs())) {
      done.push_back(repair_initramfs(stop));
      look(stop);
    }
    // Windows lists what is there, and not what it would do with another device: its registry says that.
    if (lacks_drivers() && !guest_.devices) return with_done(refused(), done);
    if (facts_.running) {
      const GuestEvidence said = std::exchange(guest_, GuestEvidence());
      shut_guest_down(*machines_, facts_.name, stop);
      done.emplace_back("The guest was shut down.");
      look(stop);
      // What its agent said counts where the disks cannot be looked into.
      if (!guest_.says_something() && said.says_something()) guest_ = said;
    }
    return with_done(lacks_drivers() ? refused() : try_and_keep(after, stop), done);
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

  void look(const std::stop_token &stop) {
    guest_ = look_at_guest(*machines_, facts_.name, document_, stop);
    looked_ = true;
  }

  [[nodiscard]] std::string definition() const { return machines_->save(facts_.name).document; }

  // A phase that was cut off, or cut off as it was taken back: either the definition is the one from before, and
  // nothing of the phase is to stay, or all of it was done.
  void settle_cut_off() {
    if (record_.phases.empty()) return;
    FinishPhase &last = record_.phases.back();
    if (last.before == document_) {
      for (const std::string &file : last.files) remove_made(file);
      record_.phases.pop_back();
    } else if (last.after.empty()) {
      last.after = document_;
    } else {
      return;
    }
    write_finish(record_);
  }

  // Also what was not finished: copy::TargetFile's ".NAME.ferry-XXXXXX" beside it.
  static void remove_made(const fs::path &made) {
    unlink(made.c_str());
    const std::string begin = "." + made.filename().string() + ".ferry-";
    for (const fs::directory_entry &entry : file::entries_of(made.parent_path()))
      if (entry.path().filename().string().starts_with(begin)) unlink(entry.path().c_str());
  }

  // Whether it was defined all the same, only a look tells; where nobody answers, the next call looks.
  void settle_failed() {
    try {
      document_ = definition();
      settle_cut_off();
    } catch (const Error &) {
    }
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
      settle_failed();
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

  static std::optional<fs::path> cd_of_host() {
    std::error_code error;
    for (const char *file : kDriverCds)
      if (fs::is_regular_file(file, error)) return file;
    return std::nullopt;
  }

  // What was done, a sentence.
  std::string repair_initramfs(const std::stop_token &stop) {
    if (!facts_.running)
      throw Error(ErrorKind::conflict,
                  {.message = "the machine " + in_quotes(facts_.name) +
                              " does not run, and its initial RAM disk is made by its own programs",
                   .advice = "Start it, and wait until its guest agent answers."});
    const GuestAgent agent(*machines_, facts_.name);
    constexpr int kNeither = 3;
    const auto result = agent.answers() ? agent.run(repair_script(), kRepairPatience, stop) : std::nullopt;
    if (!result)
      throw Error(ErrorKind::unsupported, {.message = "no guest agent answers that runs programs (guest-exec)",
                                           .advice = "In the guest, as root: " + initramfs_command(guest_.observed)});
    if (result->code == kNeither)
      throw Error(ErrorKind::unsupported, {.message = "the guest has neither initramfs-tools nor dracut",
                                           .advice = "Put virtio_pci, virtio_scsi, virtio_blk and virtio_net into its "
                                                     "initial RAM disk by its own means."});
    if (result->code != 0)
      throw Error(ErrorKind::subprocess, {.message = "the guest's initial RAM disk could not be made anew",
                                          .found = "exit " + std::to_string(result->code) + ": " +
                                                   text::excerpt(text::trim(result->errors), 500)});
    return "The guest's initial RAM disks were made anew with virtio's drivers, which " +
           text::excerpt(text::trim(result->output), 200) +
           " names. They do no harm; to go back, take them out there "
           "and make the initial RAM disks again.";
  }

  static FinishResult with_done(FinishResult out, const std::vector<std::string> &before) {
    out.done.insert(out.done.begin(), before.begin(), before.end());
    return out;
  }

  [[nodiscard]] bool lacks_drivers() const { return !options_.force && is_missing(proofs()); }

  [[nodiscard]] SwitchTo aim() const {
    const target::VirtioState state = virtio_state(document_);
    SwitchTo out{.disks = options_.choice.disks != target::VirtioDisks::keep && any_to_move(state.disks),
                 .cards = options_.choice.cards != target::VirtioCards::keep && any_to_move(state.cards),
                 .blk = options_.choice.disks == target::VirtioDisks::blk};
    if (out.disks || out.cards) out.ids = virtio_ids(on_virtio(document_, options_.choice));
    return out;
  }

  [[nodiscard]] std::vector<Proof> proofs() const {
    const SwitchTo to = aim();
    return looked_ && (to.disks || to.cards) ? proofs_of(guest_, to) : std::vector<Proof>();
  }

  FinishResult try_and_keep(const std::string &after, const std::stop_token &stop) {
    report::Test test = try_document(*machines_, after, facts_, options_.trial, stop);
    if (test.verdict != report::Test::Verdict::booted && !options_.force) return seen_to_fail(std::move(test));
    FinishResult out = result();
    FinishPhase phase{.phase = "switch", .before = document_, .after = {}};
    begin(phase);
    define(after);
    out.state = virtio_state(document_);
    out.phases.push_back(phase.phase);
    out.test = std::move(test);
    out.done.emplace_back("The machine is on virtio; 'virt-ferry finish " + text::shell_word(facts_.name) +
                          " --undo' gives back the definition that it had.");
    out.steps.push_back(virsh_of(options_.connect) + " start " + text::shell_word(facts_.name));
    out.clean_up = clean_up_steps(guest_, options_.choice.cards != target::VirtioCards::keep);
    return out;
  }

  [[nodiscard]] FinishResult result() const {
    FinishResult out;
    out.machine = facts_.name;
    out.state = virtio_state(document_);
    out.guest = described(guest_.observed);
    out.proofs = proofs();
    for (const FinishPhase &phase : record_.phases) out.phases.push_back(phase.phase);
    return out;
  }

  [[nodiscard]] bool is_windows() const {
    return guest_.devices || !guest_.observed.windows.empty() ||
           (guest_.observed.linux_systems.empty() && virtio_state(document_).is_windows);
  }

  // What it lacks, and nothing was started.
  [[nodiscard]] FinishResult refused() const {
    FinishResult out = result();
    out.switched = false;
    out.done.emplace_back(
        "The machine was not switched, nor tried: its guest lacks what it needs on virtio. --force tries it all the "
        "same.");
    say_repair(out);
    return out;
  }

  [[nodiscard]] FinishResult seen_to_fail(report::Test test) const {
    FinishResult out = result();
    out.switched = false;
    out.done.emplace_back("The machine was not switched; nothing was changed.");
    if (test.verdict == report::Test::Verdict::unknown)
      out.steps.emplace_back(
          "Look at the picture. Without a guest agent or a login prompt nobody can tell: --force "
          "switches all the same.");
    else
      say_repair(out);
    out.test = std::move(test);
    return out;
  }

  [[nodiscard]] std::string command() const { return "virt-ferry finish " + text::shell_word(facts_.name); }

  void say_repair(FinishResult &out) const {
    if (is_windows()) {
      if (!out.state.has_spares) return out.steps.push_back(command() + " --prepare --virtio-win FILE");
      const std::vector<std::string> steps = windows_driver_steps();
      out.steps.insert(out.steps.end(), steps.begin(), steps.end());
    } else {
      out.steps.push_back("In the guest, as root: " + initramfs_command(guest_.observed));
      out.steps.push_back(command() + " --repair-initramfs    # the same by its agent, while it runs");
    }
    out.steps.push_back(command() + " --switch");
  }

  static bool any_to_move(const std::vector<target::VirtioState::Device> &devices) {
    return std::any_of(devices.begin(), devices.end(), [](const auto &one) { return one.is_to_move; });
  }
  static bool is_old(const target::VirtioState &state) { return any_to_move(state.disks) || any_to_move(state.cards); }

  void say_next(FinishResult &out) const {
    if (!is_old(out.state)) return;
    if (is_missing(out.proofs)) return say_repair(out);
    const bool proven = std::any_of(out.proofs.begin(), out.proofs.end(),
                                    [](const Proof &one) { return one.kind == Proof::Kind::proven; });
    if (is_windows() && !proven) return say_repair(out);
    out.steps.push_back(command() + " --switch");
  }

  const FinishOptions &options_;
  std::unique_ptr<target::Machines> machines_;
  target::MachineFacts facts_;
  std::optional<FinishLock> lock_;
  FinishRecord record_;
  std::string document_;  // the inactive definition, with its secrets
  GuestEvidence guest_;
  bool looked_ = false;
};

}  // namespace

FinishResult finish_state(const std::string &name, const FinishOptions &options, const std::stop_token &stop) {
  return Finish(name, options).state(stop);
}
FinishResult finish_prepare(const std::string &name, const FinishOptions &options, const std::stop_token &stop) {
  return Finish(name, options).prepare(stop);
}
FinishResult finish_repair(const std::string &name, const FinishOptions &options, const std::stop_token &stop) {
  return Finish(name, options).repair(stop);
}
FinishResult finish_switch(const std::string &name, const FinishOptions &options, const std::stop_token &stop) {
  return Finish(name, options).change_over(stop);
}
FinishResult finish_undo(const std::string &name, const FinishOptions &options) { return Finish(name, options).undo(); }

}  // namespace ferry::migration
