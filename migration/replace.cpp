// SPDX-License-Identifier: Apache-2.0
#include "migration/replace.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

#include "migration/host.hpp"
#include "migration/machine_files.hpp"
#include "migration/saved_domain.hpp"
#include "migration/tpm_place.hpp"

#include "support/error.hpp"
#include "support/file.hpp"
#include "support/file_users.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxState = std::uint64_t{64} << 20U;  // bytes of a file that changes its file system

Error conflict(const fs::path &file, std::string message, std::string found = {}, std::string advice = {}) {
  return {ErrorKind::conflict,
          {.where = {.file = file},
           .message = std::move(message),
           .found = std::move(found),
           .advice = advice.empty() ? "Choose another --name or --dest." : std::move(advice)}};
}

bool is_made_by_a_run(const fs::path &file, const file::Status &status, const std::vector<RunRecord> &runs) {
  return std::any_of(runs.begin(), runs.end(), [&](const RunRecord &run) {
    return std::any_of(run.published.begin(), run.published.end(),
                       [&](const MadeFile &made) { return made.file == file && made.status.inode == status.inode; });
  });
}

// By what it is, not by its name: the same file may have several.
bool is_file_of_source(const file::Status &status, const std::vector<SourceFile> &source) {
  return std::any_of(source.begin(), source.end(), [&status](const SourceFile &file) {
    const auto now = file::status_of(file.file);
    return now && now->same_file(status);
  });
}

bool is_in_folder_of_source(const fs::path &file, const std::vector<SourceFile> &source) {
  return std::any_of(source.begin(), source.end(), [&file](const SourceFile &of_source) {
    std::error_code error;
    return fs::equivalent(file.parent_path(), of_source.file.parent_path(), error) && !error;
  });
}

void refuse_target_of_others(const fs::path &file, const MachinePlan &plan, const std::vector<RunRecord> &runs) {
  const auto status = file::status_of(file, file::Links::no_follow);
  if (!status) return;
  if (fs::is_directory(fs::symlink_status(file))) throw conflict(file, "there is a folder where the file is to go");
  const auto target = file::status_of(file);  // of what a symbolic link leads to
  if (is_file_of_source(*status, plan.source_files) || (target && is_file_of_source(*target, plan.source_files)))
    throw conflict(file, "the target is a file of the source, which is never replaced");
  if (is_in_folder_of_source(file, plan.source_files) && !is_made_by_a_run(file, *status, runs)) {
    throw conflict(file,
                   "the target lies in a folder of the source and was not made by virt-ferry, so it is not replaced",
                   "", "Choose another --dest, or move the file away.");
  }
  if (const auto user = file_users::user_of(file)) {
    throw conflict(file, "the file is in use, so it is not replaced", *user,
                   "Shut down what uses it, or choose another --name or --dest.");
  }
}

// Noted, then done. Into another file system a copy goes first.
void move_aside(const fs::path &file, const fs::path &kept, Journal &journal) {
  const auto status = file::status_of(file, file::Links::no_follow);
  if (!status) return;
  journal.aside({file, kept, status->inode, status->changed});
  std::error_code error = file::rename_new(file, kept);
  if (error == std::errc::cross_device_link) {
    const auto bytes = file::read_range({.file = file}, kMaxState);
    file::write_new(kept, {reinterpret_cast<const char *>(bytes.data()), bytes.size()});
    file::sync_folder(kept.parent_path());
    error = unlink(file.c_str()) == 0 ? std::error_code{} : std::error_code{errno, std::generic_category()};
  }
  if (!error) return;
  throw Error(ErrorKind::io,
              {.where = {.file = file},
               .message = "what stands where the new machine is to go cannot be moved aside: " + error.message()});
}

// An earlier run's file is still as that run left it, though moving it changed its ctime.
void note_for_its_run(const SetAside &aside) {
  for (const RunRecord &run : all_runs()) {
    if (run.undone || run.alive) continue;
    for (const MadeFile &made : run.published) {
      if (made.file != aside.file || made.status.inode != aside.inode || made.status.changed != aside.changed) continue;
      try {
        mark_moved(run.run, made_file(made.file, made.file, true));
      } catch (const Error &) {
        return;  // undoing that run asks for --force then
      }
    }
  }
}

}  // namespace

void refuse_targets_of_others(const MachinePlan &plan, const std::vector<RunRecord> &runs) {
  for (const fs::path &file : plan.files) refuse_target_of_others(file, plan, runs);
}

void refuse_machines_in_use(const MachinePlan &plan, const target::Machines &machines) {
  for (const target::MachineFacts &domain : machines.machines()) {
    if (domain.name == plan.name) {
      if (domain.running) {
        throw Error(ErrorKind::conflict,
                    {.message = "the machine \"" + domain.name + "\" that --overwrite would replace is running",
                     .advice = "Shut it down first, or choose another --name."});
      }
      if (domain.suspended) {
        throw Error(ErrorKind::conflict,
                    {.message = "the machine \"" + domain.name +
                                "\" that --overwrite would replace is suspended: its memory is saved",
                     .advice = "Start it and shut it down, or choose another --name."});
      }
      continue;
    }
    const MachineFiles files(domain);
    for (const fs::path &file : plan.files) {
      if (files.contains(file))
        throw conflict(file, "the file belongs to the machine \"" + domain.name + "\", so it is not replaced");
    }
  }
}

void set_aside(const MachinePlan &plan, const fs::path &staging, const target::Machines *machines, Journal &journal) {
  const fs::path folder = staging / "replaced";
  file::make_private_folders(folder);
  std::vector<std::string> uuids;
  if (!plan.tpm_state.empty() || plan.has_tpm) uuids.push_back(plan.domain_uuid.text());
  if (const auto old = machines != nullptr ? machines->machine_named(plan.name) : std::nullopt) {
    write_saved_domain(folder / "domain.json", machines->save(old->name));
    file::sync_folder(folder);
    journal.replace({old->name, old->uuid, folder / "domain.json"});
    if (uuids.empty() || old->uuid != uuids.front()) uuids.push_back(old->uuid);
  }
  for (const fs::path &file : plan.files) move_aside(file, folder / file.filename(), journal);
  if (machines != nullptr && has_tpm_folders(journal.record().connect)) {
    for (const std::string &uuid : uuids) {
      for (const fs::path &file : tpm_files(tpm_folders() / uuid))
        move_aside(file, folder / (uuid + "-" + file.filename().string()), journal);
    }
  }
  if (machines == nullptr && !plan.tpm_folder.empty()) {  // of a script's machine
    for (const fs::path &file : tpm_files(plan.tpm_folder)) move_aside(file, folder / file.filename(), journal);
  }
  file::sync_folder(folder);
  file::sync_folder(plan.dest);
}

void bring_back(const SetAside &aside, UndoResult &out) {
  const auto status = file::status_of(aside.file, file::Links::no_follow);
  if (status && status->inode == aside.inode) return;  // it never left
  const auto kept = file::status_of(aside.kept, file::Links::no_follow);
  if (!kept) return;  // it came back before, or is gone
  if (status) {
    out.failed.push_back(aside.file.string() + " (there is another file now; what was there before is in " +
                         aside.kept.string() + ")");
    return;
  }
  std::error_code error = file::rename_new(aside.kept, aside.file);
  if (error == std::errc::cross_device_link) {
    file::publish_private(aside.file, file::read_range({.file = aside.kept}, kMaxState));
    error = {};
  }
  if (error) {
    out.failed.push_back(aside.file.string() + " (it cannot be brought back from " + aside.kept.string() + ": " +
                         error.message() + ")");
    return;
  }
  file::sync_folder(aside.file.parent_path());
  note_for_its_run(aside);
  out.restored.push_back(aside.file.string());
}

void bring_back(const ReplacedDomain &domain, target::Machines &machines, UndoResult &out) {
  const auto saved = read_saved_domain(domain.saved);
  if (!saved) return;  // killed before it was written: nothing was taken away
  const auto there = machines.machine_of(domain.uuid);
  if (there && there->snapshots.size() >= saved->snapshots.size()) return;
  try {
    machines.restore(domain.name, *saved);
    out.restored.push_back("domain " + domain.name);
  } catch (const Error &error) {
    out.failed.push_back("domain " + domain.name + " (" + error.detail().message + ")");
  }
}

}  // namespace ferry::migration
