// SPDX-License-Identifier: Apache-2.0
#include "migration/take_back.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <unistd.h>

#include "migration/places.hpp"
#include "migration/pull_place.hpp"
#include "migration/tpm_place.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// True when the run's machine was there and is gone now.
bool remove_domain(const RunRecord &record, target::Machines &machines, UndoResult &out) {
  const auto own = machine_of_run(record, machines);
  if (!own) {
    const auto other = machines.machine_of(record.domain_uuid);
    const bool known = record.replaced && other && other->uuid == record.replaced->uuid;
    if (other && !known && !record.domain.empty())
      out.kept.push_back("domain " + other->name +
                         " (it has the UUID of the run's machine, but the run did not make it)");
    return false;
  }
  if (own->running) machines.switch_off(own->name);
  // Its files are removed by identity; the target would remove what the definition names now.
  machines.undefine(own->name);
  out.removed.push_back("domain " + own->name);
  return true;
}

void remove_published(const MadeFile &made, UndoResult &out) {
  switch (state_of(made)) {
    case MadeState::gone: return;
    case MadeState::foreign: out.kept.push_back(made.file.string() + " (it is not the file that the run made)"); return;
    case MadeState::ours:
    case MadeState::changed: break;
  }
  if (unlink(made.file.c_str()) == 0) {
    out.removed.push_back(made.file.string());
  } else if (errno != ENOENT) {
    out.failed.push_back(made.file.string() + " (" + std::strerror(errno) + ")");
  }
}

// The run's own record of what it defined: not worth a word.
void remove_definition(const RunRecord &record, UndoResult &out) {
  const fs::path file = kept_definition(record.run);
  if (unlink(file.c_str()) != 0 && errno != ENOENT)
    out.failed.push_back(file.string() + " (" + std::strerror(errno) + ")");
}

void bring_all_back(const RunRecord &record, target::Machines *machines, UndoResult &out) {
  if (record.done) {  // what was set aside went when the run was done
    for (const SetAside &aside : record.aside) out.lost.push_back(aside.file.string());
    if (record.replaced) out.lost.push_back("domain " + record.replaced->name);
    return;
  }
  for (const SetAside &aside : record.aside) bring_back(aside, out);
  if (record.replaced && machines != nullptr) bring_back(*record.replaced, *machines, out);
}

}  // namespace

std::optional<target::MachineFacts> machine_of_run(const RunRecord &record, const target::Machines &machines) {
  if (record.domain_uuid.empty()) return std::nullopt;
  auto found = machines.machine_of(record.domain_uuid);
  if (found && found->run == record.run) return found;
  return std::nullopt;
}

bool needs_target(const RunRecord &record) { return !record.domain.empty() || (record.replaced && !record.done); }

void take_back(const RunRecord &record, target::Machines *machines, UndoResult &out) {
  const bool machine_gone = machines != nullptr && remove_domain(record, *machines, out);
  for (auto made = record.published.rbegin(); made != record.published.rend(); ++made) remove_published(*made, out);
  if (record.pull) remove_pull_folder(record.pull->socket);  // its keeper sees that the run is undone, and ends
  remove_tpm_state(record, machine_gone, out);
  remove_definition(record, out);
  bring_all_back(record, machines, out);
  if (out.failed.empty()) remove_staging(record, out);
  std::set<fs::path> folders{record.dest};
  for (const MadeFile &made : record.published) folders.insert(made.file.parent_path());
  for (const fs::path &folder : folders)
    if (!folder.empty() && fs::is_directory(folder)) file::sync_folder(folder);
}

void remove_staging(const RunRecord &record, UndoResult &out) {
  if (record.staging.empty()) return;
  const fs::path folder = staging_folder(record.dest, record.run);
  const auto status = file::status_of(folder, file::Links::no_follow);
  if (!status) return;
  const std::string problem = status->is_folder() ? file::problem_of_private(*status) : "it is not a folder";
  if (!problem.empty()) {
    out.kept.push_back(folder.string() + " (it is not the folder that the run made: " + problem + ")");
    return;
  }
  std::error_code error;
  const std::uintmax_t removed = fs::remove_all(folder, error);
  if (error) {
    out.failed.push_back(folder.string() + " (" + error.message() + ")");
  } else if (removed > 0) {
    out.removed.push_back(folder.string());
  }
}

}  // namespace ferry::migration
