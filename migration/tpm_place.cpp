// SPDX-License-Identifier: Apache-2.0
#include "migration/tpm_place.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <unistd.h>

#include "converters/firmware/tpm_state.hpp"
#include "migration/host.hpp"

#include "support/error.hpp"
#include "support/file.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

fs::path state_of_plan(const MachinePlan &plan) { return plan.tpm_folder / firmware::swtpm_state_name(plan.tpm_kind); }
// The two that a TPM's content may lie in.
std::array<fs::path, 2> inner_folders(const fs::path &folder) {
  return {folder / firmware::swtpm_state_name(firmware::TpmKind::v2).parent_path(),
          folder / firmware::swtpm_state_name(firmware::TpmKind::old).parent_path()};
}
// Under this name until the journal knows the file.
std::string temporary_name(const std::string &run) { return ".virt-ferry-" + run; }

Error taken(const fs::path &file) {
  return {ErrorKind::conflict,
          {.where = {.file = file},
           .message = "there is the content of another machine's TPM where that of the new machine is to go",
           .found = "a folder for the same UUID, perhaps of a machine that was removed",
           .advice = "Move it away if that machine no longer exists, or use --overwrite or --uuid new."}};
}

void remove_file(const fs::path &file, UndoResult &out) {
  if (unlink(file.c_str()) == 0) {
    out.removed.push_back(file.string());
  } else if (errno != ENOENT) {
    out.failed.push_back(file.string() + " (" + std::strerror(errno) + ")");
  }
}

}  // namespace

bool has_tpm_folders(const std::string &connect) { return is_own_session(connect); }

fs::path tpm_folder(const MachinePlan &plan, const Options &options) {
  if (options.tpm_beside) return plan.dest / (plan.domain_uuid.text() + "-tpm");
  if (!options.define || !has_tpm_folders(options.connect)) return {};
  return tpm_folders() / plan.domain_uuid.text();
}

std::vector<fs::path> tpm_files(const fs::path &folder) {
  std::vector<fs::path> out;
  for (const fs::path &inner : inner_folders(folder)) {
    std::error_code error;
    for (fs::directory_iterator at(inner, error), end; !error && at != end; at.increment(error)) {
      const auto status = file::status_of(at->path(), file::Links::no_follow);
      if (status && status->is_regular()) out.push_back(at->path());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

void refuse_tpm_of_others(const MachinePlan &plan, const std::vector<RunRecord> &own) {
  if (plan.tpm_state.empty()) return;
  const fs::path file = state_of_plan(plan);
  const auto status = file::status_of(file, file::Links::no_follow);
  if (!status) return;
  for (const RunRecord &run : own) {
    for (const MadeFile &made : run.state) {
      if (made.file == file && made.status.inode == status->inode) return;
    }
  }
  throw taken(file);
}

void place_tpm_state(const MachinePlan &plan, Journal &journal) {
  if (!plan.has_tpm || plan.tpm_folder.empty()) return;
  const fs::path &folder = plan.tpm_folder;
  // Also where the TPM begins empty: what its use makes of the folder goes with the machine.
  if (!journal.record().state_folder) journal.state_folder({folder, !file::status_of(folder)});
  if (plan.tpm_state.empty()) return;
  const fs::path file = state_of_plan(plan);
  const auto there = file::status_of(file, file::Links::no_follow);
  for (const MadeFile &made : journal.record().state) {
    if (there && made.file == file && made.status.inode == there->inode) return;
  }
  if (there) throw taken(file);
  const std::string name = temporary_name(journal.run());
  fs::path made = file.parent_path() / name;
  unlink(made.c_str());  // of an attempt that was cut off
  made = firmware::write_swtpm_state(plan.tpm_state, folder, name, plan.tpm_kind);
  journal.state(made_file(made, file, false));
  if (const std::error_code error = file::rename_new(made, file)) {
    if (error == std::errc::file_exists) throw taken(file);
    throw Error(ErrorKind::io, {.where = {.file = file},
                                .message = "the TPM's content cannot be moved into place: " + error.message()});
  }
  file::sync_folder(file.parent_path());
}

void remove_tpm_state(const RunRecord &record, bool machine_gone, UndoResult &out) {
  if (!record.state_folder) return;
  const fs::path &folder = record.state_folder->folder;
  for (const fs::path &inner : inner_folders(folder)) unlink((inner / temporary_name(record.run)).c_str());
  for (const MadeFile &made : record.state) {
    const MadeState state = state_of(made);
    if (state == MadeState::ours || state == MadeState::changed) remove_file(made.file, out);
    // A TPM that was used has written its content anew, as another file.
    if (state == MadeState::foreign && !machine_gone)
      out.kept.push_back(made.file.string() + " (it is not the file that the run made)");
  }
  // What lay there before was set aside by the run: what is there now is its machine's too.
  const bool emptied = std::any_of(record.aside.begin(), record.aside.end(), [&](const SetAside &aside) {
    return aside.file.parent_path().parent_path() == folder;
  });
  if (!record.state_folder->made && !emptied) return;
  if (machine_gone) {
    for (const fs::path &file : tpm_files(folder)) remove_file(file, out);
  }
  if (emptied && !record.done) return;                                       // what was set aside comes back into it
  for (const fs::path &empty : inner_folders(folder)) rmdir(empty.c_str());  // where nothing is left in it
  rmdir(folder.c_str());
}

}  // namespace ferry::migration
