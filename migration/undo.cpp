// SPDX-License-Identifier: Apache-2.0
#include "migration/undo.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "exporters/libvirt/host/connection.hpp"

#include "support/error.hpp"
#include "support/file.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

enum class State { gone, ours, written_to, foreign };

State state_of(const PublishedFile &file) {
  const auto status = file::status_of(file.file, file::Links::no_follow);
  if (!status) return State::gone;
  if (status->inode != file.inode) return State::foreign;
  return file.time == 0 || file.time == status->modified ? State::ours : State::written_to;
}

void refuse_while_alive(const RunRecord &record) {
  if (!record.alive) return;
  throw Error(ErrorKind::conflict, {.where = {record.source, {}, {}},
                                    .message = "the run " + record.run + " is still going on",
                                    .advice = "Wait for it, or stop it with Ctrl-C: it then removes what it made."});
}

// What the user's guest or the user wrote is not ours to throw away unasked.
void refuse_what_was_used(const RunRecord &record) {
  for (const PublishedFile &file : record.published) {
    if (state_of(file) != State::written_to) continue;
    throw Error(ErrorKind::conflict,
                {.where = {file.file, {}, {}},
                 .message = "the file was written to since the run made it, so undoing would lose what was written",
                 .advice = "Use --force to remove the machine and its files all the same."});
  }
}

// The domain is known by its UUID: the user may have given it another name.
void undefine(const RunRecord &record, bool force, UndoResult &out) {
  if (record.domain.empty()) return;
  libvirt::Connection connection(record.connect);
  const auto owners = connection.probe().domain_uuids;
  const auto owner = owners.find(record.domain_uuid);
  if (owner == owners.end()) return;
  const std::string &name = owner->second;
  if (connection.is_running(name)) {
    if (!record.started && !force) {
      throw Error(ErrorKind::conflict, {.where = {{}, {}, record.connect},
                                        .message = "the machine \"" + name + "\" is running",
                                        .advice = "Shut it down first, or use --force to switch it off."});
    }
    connection.destroy(name);
  }
  connection.undefine(name, true);
  out.removed.push_back("domain " + name);
}

void remove_file(const fs::path &file, UndoResult &out) {
  if (std::remove(file.c_str()) == 0) {
    out.removed.push_back(file.string());
  } else if (errno != ENOENT) {
    out.failed.push_back(file.string() + ": " + std::strerror(errno));
  }
}

void remove_published(const PublishedFile &file, UndoResult &out) {
  if (state_of(file) == State::foreign) {
    out.kept.push_back(file.file.string() + " (it is not the file that the run made)");
    return;
  }
  remove_file(file.file, out);
  if (file.replaced)
    out.kept.push_back(file.file.string() + " (what stood there before the run cannot be brought back)");
}

void remove_staging(const fs::path &folder, UndoResult &out) {
  if (folder.empty()) return;
  std::error_code error;
  const std::uintmax_t removed = fs::remove_all(folder, error);
  if (error) {
    out.failed.push_back(folder.string() + ": " + error.message());
  } else if (removed > 0) {
    out.removed.push_back(folder.string());
  }
}

}  // namespace

UndoResult undo_run(const std::string &run, bool force) {
  const RunRecord record = read_run(run);
  if (record.undone) {
    throw Error(ErrorKind::missing, {.where = {journal_folder() / (run + ".jsonl"), {}, {}},
                                     .message = "nothing is left of this run: it failed or was undone already",
                                     .advice = "'virt-ferry undo --list' shows the runs that can be undone."});
  }
  refuse_while_alive(record);
  if (!force) refuse_what_was_used(record);
  UndoResult out;
  undefine(record, force, out);
  for (auto file = record.published.rbegin(); file != record.published.rend(); ++file) remove_published(*file, out);
  for (auto file = record.state.rbegin(); file != record.state.rend(); ++file) remove_file(*file, out);
  remove_staging(record.staging, out);
  if (out.failed.empty()) mark_undone(run);
  return out;
}

std::vector<RunRecord> crashed_runs(const std::vector<RunRecord> &runs, const fs::path &source, const fs::path &dest,
                                    const std::string &machine) {
  std::vector<RunRecord> out;
  std::copy_if(runs.begin(), runs.end(), std::back_inserter(out), [&](const RunRecord &record) {
    return record.crashed() && record.domain.empty() && record.source == source && record.dest == dest &&
           record.machine == machine &&
           std::none_of(record.published.begin(), record.published.end(),
                        [](const PublishedFile &file) { return state_of(file) == State::written_to; });
  });
  return out;
}

}  // namespace ferry::migration
