// SPDX-License-Identifier: Apache-2.0
#include "migration/resume.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "migration/host.hpp"
#include "migration/keeper.hpp"
#include "migration/pull_calls.hpp"
#include "migration/run_record.hpp"
#include "migration/take_back.hpp"

#include "support/error.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

constexpr std::chrono::seconds kSettles{5};  // a machine that still cannot read stops again within a moment
constexpr std::chrono::seconds kCopies{10};  // until its keeper has begun to copy, and is seen to do so

[[noreturn]] void refuse(ErrorKind kind, const RunRecord &record, const std::string &message,
                         const std::string &advice = {}) {
  throw Error(kind, {.where = {.file = record.source}, .message = message, .advice = advice});
}

void refuse_what_cannot_go_on(const RunRecord &record) {
  const std::string run = "the run " + record.run + " ";
  if (record.undone) refuse(ErrorKind::conflict, record, run + "was undone, and its machine is gone");
  if (!record.pull) refuse(ErrorKind::usage, record, run + "has nothing that is copied behind its machine");
  if (record.alive)
    refuse(ErrorKind::conflict, record, run + "is still in progress", "Wait for it to finish, then try again.");
  if (!record.done && !record.started)
    refuse(ErrorKind::conflict, record, run + "was cut off before its machine was started",
           "The same 'virt-ferry migrate' command, run again, finishes it; 'virt-ferry undo " + record.run +
               "' takes it back.");
}

// Waits for `holds` to be true twice in a row, for at most `time`.
template <class Holds>
bool comes_to_hold(const Holds &holds, std::chrono::seconds time, const std::stop_token &stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  const auto until = std::chrono::steady_clock::now() + time;
  for (int count = 0; std::chrono::steady_clock::now() < until && !stop.stop_requested();) {
    count = holds() ? count + 1 : 0;
    if (count == 2) return true;
    never.wait_for(lock, stop, std::chrono::milliseconds(300), [] { return false; });
  }
  return false;
}

// The copy goes on, or is at its end: QEMU reads.
bool is_copied(const RunRecord &record, const std::string &name, const std::stop_token &stop) {
  const auto calls = pull_calls_at(record.connect);
  const auto copies = [&] {
    std::size_t left = 0;
    for (const target::BackedDisk &disk : calls->backed_disks(name)) {
      if (std::find(record.pull->disks.begin(), record.pull->disks.end(), disk.file) == record.pull->disks.end())
        continue;
      if (calls->progress(name, disk.name)) return true;
      ++left;
    }
    return left == 0;
  };
  return comes_to_hold(copies, kCopies, stop);
}

void restart(target::Machines &machines, const std::string &name) {
  machines.switch_off(name);
  machines.start(name);
}

[[noreturn]] void refuse_to_switch_off(const RunRecord &record, const std::string &name) {
  refuse(ErrorKind::conflict, record,
         "the machine \"" + text::printable(name) + "\" runs, but its QEMU does not look for the source again",
         "Shut it down from inside and run this again, or let 'virt-ferry resume " + record.run +
             " --force' switch it off: its disks are then as after a power cut.");
}

}  // namespace

ResumeResult resume(const std::string &run, bool force, const std::stop_token &stop) {
  using Did = ResumeResult::Did;
  const RunRecord record = read_run(run);
  ResumeResult out{.run = run, .machine = record.machine};
  refuse_what_cannot_go_on(record);
  if (record.pulled) {
    out.did = Did::nothing_left;
    return out;
  }
  const auto machines = machines_at(record.connect);
  const auto own = machine_of_run(record, *machines);
  if (!own) {
    refuse(ErrorKind::missing, record, "the machine of the run " + run + " is gone",
           "'virt-ferry undo " + run + "' removes what else it made.");
  }
  out.machine = own->name;
  start_keeper(record);
  switch (machines->condition(own->name)) {
    case target::Condition::running:
      out.did = Did::served;
      if (is_copied(record, own->name, stop) || stop.stop_requested()) break;
      if (!force) refuse_to_switch_off(record, own->name);
      restart(*machines, own->name);
      out.did = Did::restarted;
      break;
    case target::Condition::off:
    case target::Condition::crashed:
      machines->start(own->name);
      out.did = Did::started;
      break;
    case target::Condition::paused: {
      machines->go_on(own->name);
      out.did = Did::went_on;
      const auto pauses = [&] { return machines->condition(own->name) == target::Condition::paused; };
      if (!comes_to_hold(pauses, kSettles, stop) && is_copied(record, own->name, stop)) break;
      restart(*machines, own->name);
      out.did = Did::restarted;
      break;
    }
  }
  return out;
}

}  // namespace ferry::migration
