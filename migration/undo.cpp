// SPDX-License-Identifier: Apache-2.0
#include "migration/undo.hpp"

#include <filesystem>
#include <sys/stat.h>

#include "exporters/libvirt/connection.hpp"
#include "migration/journal.hpp"
#include "model/error.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

void undefine(const RunRecord &record, bool force, UndoResult &out) {
  if (record.domain.empty()) return;
  libvirt::Connection connection(record.connect);
  // Only the domain that the run defined, not one that has its name by now.
  const auto owners = connection.probe().domain_uuids;
  const auto owner = owners.find(record.domain_uuid);
  if (owner == owners.end() || owner->second != record.domain) return;
  if (connection.is_running(record.domain)) {
    if (!record.started && !force) {
      throw Error(ErrorKind::conflict, {.where = {{}, {}, record.connect},
                                        .message = "the machine \"" + record.domain + "\" is running",
                                        .advice = "Shut it down first, or use --force to switch it off."});
    }
    connection.destroy(record.domain);
  }
  connection.undefine(record.domain, true);
  out.removed.push_back("domain " + record.domain);
}

void remove_file(const fs::path &file, UndoResult &out) {
  std::error_code error;
  if (fs::remove(file, error)) out.removed.push_back(file.string());
}

void remove_published(const PublishedFile &file, UndoResult &out) {
  struct stat status {};
  if (lstat(file.file.c_str(), &status) != 0) return;
  if (status.st_ino != file.inode) {
    out.kept.push_back(file.file.string() + " (it is not the file that the run made)");
    return;
  }
  remove_file(file.file, out);
  if (file.replaced)
    out.kept.push_back(file.file.string() + " (what stood there before the run cannot be brought back)");
}

}  // namespace

UndoResult undo_run(const std::string &run, bool force) {
  const RunRecord record = read_run(run);
  if (record.undone) {
    throw Error(ErrorKind::missing,
                {.where = {journal_folder() / (run + ".jsonl"), {}, {}}, .message = "the run was undone already"});
  }
  UndoResult out;
  undefine(record, force, out);
  for (auto file = record.published.rbegin(); file != record.published.rend(); ++file) remove_published(*file, out);
  for (auto file = record.state.rbegin(); file != record.state.rend(); ++file) remove_file(*file, out);
  if (!record.staging.empty()) {
    std::error_code error;
    if (fs::remove_all(record.staging, error) > 0) out.removed.push_back(record.staging.string());
  }
  mark_undone(run);
  return out;
}

}  // namespace ferry::migration
