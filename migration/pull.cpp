// SPDX-License-Identifier: Apache-2.0
#include "migration/pull.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "converters/qemu_img.hpp"
#include "migration/host.hpp"
#include "migration/journal.hpp"
#include "migration/keeper.hpp"
#include "migration/pull_calls.hpp"

#include "support/error.hpp"
#include "support/identity.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

std::string pulled_line(const target::BackedDisk &disk) {
  // Of what is served, or a part of a file, the name says nothing to people.
  const bool is_file = disk.backing.starts_with('/');
  return disk.name + ": " + disk.file + " no longer reads " + (is_file ? disk.backing : "its source");
}

target::MachineFacts machine_for_pull(const std::string &name, const PullOptions &options) {
  if (!is_own_session(options.connect)) {
    throw Error(ErrorKind::usage, {.where = {.path = "--connect"},
                                   .message = "machines are filled in your own session only",
                                   .found = text::printable(options.connect),
                                   .expected = "qemu:///session"});
  }
  const auto machines = machines_at(options.connect);
  auto facts = machines->machine_named(name);
  if (!facts && Uuid::parse(name)) facts = machines->machine_of(name);
  if (facts) return std::move(*facts);
  throw Error(ErrorKind::missing, {.message = "no machine is called \"" + text::printable(name) + "\" at " +
                                              text::printable(options.connect),
                                   .advice = "'virsh list --all' shows those that there are."});
}

// A snapshot within an image reads what is below the image as its present state does; filling makes that one whole, and
// the snapshot would lose what it has from there.
void refuse_snapshots(const std::vector<std::string> &snapshots, const std::string &whose) {
  if (snapshots.empty()) return;
  throw Error(ErrorKind::conflict,
              {.message = whose + " has snapshots, which would lose what they have of the other image",
               .found = text::printable(snapshots.front()) +
                        (snapshots.size() > 1 ? " and " + std::to_string(snapshots.size() - 1) + " more" : ""),
               .advice = "Delete them first, if they are not needed, with 'virsh snapshot-delete'."});
}

// While the machine runs, QEMU copies, and libvirt says how far it is.
class RunningPull {
 public:
  RunningPull(std::string machine, const PullOptions &options, std::stop_token stop)
      : machine_(std::move(machine)),
        options_(options),
        stop_(std::move(stop)),
        calls_(pull_calls_at(options.connect)) {}

  void run(PullResult &out) {
    for (const target::BackedDisk &disk : calls_->backed_disks(machine_)) {
      if (!calls_->progress(machine_, disk.name)) begin(disk.name);
      wait(disk.name);
      for (const target::BackedDisk &still : calls_->backed_disks(machine_)) {
        if (still.name != disk.name) continue;
        throw Error(ErrorKind::libvirt, {.message = "the pull of " + disk.name + " ended before it was done",
                                         .advice = "Run the same command again: it goes on where it was."});
      }
      out.pulled.push_back(pulled_line(disk));
    }
  }

 private:
  // The machine's keeper may do so at the same time.
  void begin(const std::string &disk) {
    try {
      calls_->begin(machine_, disk, options_.limit);
    } catch (const Error &) {
      if (!calls_->progress(machine_, disk)) throw;
    }
  }

  void wait(const std::string &disk) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    while (const auto percent = calls_->progress(machine_, disk)) {
      if (options_.progress) options_.progress(disk, *percent);
      if (stop_.stop_requested()) {
        throw Error(ErrorKind::cancelled, {.message = "the wait was interrupted; the pull of " + disk + " goes on",
                                           .advice = "The same command waits for it again."});
      }
      never.wait_for(lock, stop_, std::chrono::seconds(1), [] { return false; });
    }
  }

  std::string machine_;
  const PullOptions &options_;
  std::stop_token stop_;
  std::unique_ptr<PullCalls> calls_;
};

void pull_off(const target::MachineFacts &facts, const PullOptions &options, const std::stop_token &stop,
              PullResult &out) {
  const auto machines = machines_at(options.connect);
  for (target::BackedDisk disk : file_disks(machines->save(facts.name).document)) {
    if (disk.format != "qcow2") continue;
    const qemu_img::Info info = qemu_img::info({.format = ImageFormat::qcow2, .range = {.file = disk.file}});
    if (!info.backing_file) continue;
    refuse_snapshots(info.snapshots, "the image " + text::printable(disk.file));
    disk.backing = *info.backing_file;
    const auto told = [&](unsigned percent) {
      if (options.progress) options.progress(disk.name, percent);
    };
    qemu_img::fill(disk.file, told, {.stop = stop});
    out.pulled.push_back(pulled_line(disk));
  }
}

// What its run left to be copied behind it, where that is not done yet.
std::optional<RunRecord> run_behind(const target::MachineFacts &facts) {
  if (facts.run.empty()) return std::nullopt;
  try {
    RunRecord record = read_run(facts.run);
    if (record.reads_source()) return record;
  } catch (const Error &error) {
    if (error.kind() != ErrorKind::missing) throw;  // made by somebody who has the journal elsewhere
  }
  return std::nullopt;
}

}  // namespace

PullResult pull(const std::string &name, const PullOptions &options, const std::stop_token &stop) {
  const target::MachineFacts facts = machine_for_pull(name, options);
  PullResult out{.machine = facts.name, .pulled = {}};
  if (facts.suspended) {
    throw Error(ErrorKind::conflict, {.message = "the machine \"" + text::printable(facts.name) +
                                                 "\" is suspended, and its disks are those of a machine that runs",
                                      .advice = "Start it first."});
  }
  refuse_snapshots(facts.snapshots, "the machine \"" + text::printable(facts.name) + "\"");
  const std::optional<RunRecord> record = run_behind(facts);
  if (record) start_keeper(*record);
  if (facts.running) {
    RunningPull(facts.name, options, stop).run(out);
  } else {
    pull_off(facts, options, stop, out);
  }
  if (record) {
    forget_backing(*machines_at(options.connect), facts.name, record->pull->disks);
    mark_pulled(record->run);
  }
  return out;
}

}  // namespace ferry::migration
