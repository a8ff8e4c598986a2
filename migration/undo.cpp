// SPDX-License-Identifier: Apache-2.0
#include "migration/undo.hpp"

#include <algorithm>
#include <memory>

#include "migration/host.hpp"
#include "migration/machine_files.hpp"
#include "migration/take_back.hpp"

#include "support/error.hpp"
#include "support/file.hpp"
#include "support/file_users.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

void refuse_while_alive(const RunRecord &record) {
  if (!record.alive) return;
  throw Error(ErrorKind::conflict,
              {.where = {.file = record.source},
               .message = "the run " + record.run + " is still in progress",
               .advice = "Wait for it to finish, or stop it with Ctrl-C: it then removes what it made."});
}

[[noreturn]] void refuse_used(Place where, std::string message, std::string found = {}) {
  throw Error(ErrorKind::conflict, {.where = std::move(where),
                                    .message = std::move(message),
                                    .found = std::move(found),
                                    .advice = "Use --force to remove the machine and its files all the same."});
}

// What the user's guest or the user wrote is not ours to throw away unasked.
void refuse_used_files(const RunRecord &record) {
  const auto refuse_changed = [](const MadeFile &made) {
    if (state_of(made) == MadeState::changed)
      refuse_used({.file = made.file},
                  "the file has been written to since the run made it, and undoing would lose that");
  };
  for (const MadeFile &made : record.published) {
    refuse_changed(made);
    const MadeState state = state_of(made);
    if (state != MadeState::ours) continue;
    if (const auto user = file_users::user_of(made.file)) refuse_used({.file = made.file}, "the file is in use", *user);
  }
  for (const MadeFile &made : record.state) refuse_changed(made);
}

void refuse_used_domain(const RunRecord &record, const target::MachineFacts &own) {
  const Place where{.path = record.connect};
  const std::string machine = "the machine \"" + own.name + "\" ";
  if (own.running) refuse_used(where, machine + "is running");
  if (own.suspended) refuse_used(where, machine + "is suspended: its memory is saved");
  if (record.domain.empty()) return;  // defined by hand: the journal does not say with what
  for (const std::string &snapshot : own.snapshots) {
    if (std::ranges::find(record.snapshots, snapshot) == record.snapshots.end())
      refuse_used(where, machine + "has a snapshot that the run did not make", snapshot);
  }
  for (const fs::path &disk : own.files.disks) {
    if (std::ranges::find(record.disks, disk) == record.disks.end())
      refuse_used(where, machine + "has a disk that the run did not make", disk.string());
  }
}

// A clone's overlay lies on the image, perhaps.
void refuse_files_of_other_machines(const RunRecord &record, const target::Machines &machines) {
  for (const target::MachineFacts &domain : machines.machines()) {
    const bool replaced = record.replaced && domain.uuid == record.replaced->uuid;  // and not yet gone
    // By the UUID, too: a clone has the mark of the machine that it was made of.
    const bool own = domain.run == record.run && domain.uuid == record.domain_uuid;
    if (own || replaced) continue;
    const MachineFiles files(domain);
    for (const MadeFile &made : record.published) {
      const MadeState state = state_of(made);
      if (state != MadeState::ours && state != MadeState::changed) continue;
      if (files.contains(made.file))
        refuse_used({.file = made.file}, "the file is used by another machine", domain.name);
    }
  }
}

// Without the target there is no machine to be found, unless the run says that there is.
std::unique_ptr<target::Machines> machines_for(const RunRecord &record) {
  if (record.domain_uuid.empty() && !needs_target(record)) return nullptr;
  try {
    return machines_at(record.connect);
  } catch (const Error &) {
    if (needs_target(record)) throw;
    return nullptr;
  }
}

}  // namespace

UndoResult undo_run(const std::string &run, bool force) {
  const RunRecord record = read_run(run);
  if (record.undone) {
    throw Error(ErrorKind::missing, {.where = {.file = journal_folder() / (run + ".jsonl")},
                                     .message = "nothing is left of this run: it failed, or was undone already",
                                     .advice = "'virt-ferry undo --list' shows the runs that can be undone."});
  }
  refuse_while_alive(record);
  const auto machines = machines_for(record);
  if (!force) {
    if (machines) {
      if (const auto own = machine_of_run(record, *machines)) refuse_used_domain(record, *own);
      refuse_files_of_other_machines(record, *machines);
    }
    refuse_used_files(record);
  }
  UndoResult out;
  take_back(record, machines.get(), out);
  if (out.failed.empty()) mark_undone(run);
  return out;
}

}  // namespace ferry::migration
