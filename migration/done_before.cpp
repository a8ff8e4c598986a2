// SPDX-License-Identifier: Apache-2.0
#include "migration/done_before.hpp"

#include <algorithm>

#include "converters/qemu_img.hpp"
#include "migration/journal.hpp"
#include "migration/target_names.hpp"

#include "support/file.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// Whether what the run made is there and no smaller than it was: a guest that uses it lets images grow.
bool is_complete(const RunRecord &record) {
  return !record.published.empty() && std::ranges::all_of(record.published, [](const MadeFile &made) {
    const auto now = file::status_of(made.file, file::Links::no_follow);
    return now && now->is_regular() && now->inode == made.status.inode && now->size >= made.status.size;
  });
}

// The images, by qemu-img; what it cannot look at (raw copies, the XML) has the size that it had.
bool is_sound(const RunRecord &record) {
  return std::ranges::all_of(record.published, [](const MadeFile &made) {
    if (made.file.extension() != ".qcow2") return true;
    try {
      return qemu_img::check({.format = ImageFormat::qcow2, .range = {.file = made.file}}).clean();
    } catch (const Error &) {
      return false;
    }
  });
}

bool is_defined(const RunRecord &record, const target::Taken &taken) {
  return std::ranges::any_of(taken.runs, [&](const auto &domain) { return domain.second == record.run; });
}

// The run that migrated this machine before, if the source is as it was and all that it made is still there.
const RunRecord *earlier_run(const std::vector<RunRecord> &runs, const fs::path &source, const Options &options,
                             const fs::path &dest, const std::string &name, const target::Taken &taken) {
  for (auto record = runs.rbegin(); record != runs.rend(); ++record) {
    const bool same = record->done && !record->undone && record->source == source && record->machine == name &&
                      record->connect == options.connect && record->dest == dest;
    if (!same || !is_complete(*record) || record->files.empty() || change_of(record->files)) continue;
    if (options.check_earlier && !is_sound(*record)) continue;
    if (!options.define || options.host_profile || is_defined(*record, taken)) return &*record;
  }
  return nullptr;
}

}  // namespace

bool skip_if_done(Planned &planned, const Options &options, const std::vector<RunRecord> &runs, const fs::path &dest,
                  const target::Taken &taken) {
  if (options.overwrite) return false;
  const std::string name = planned.name.empty() ? machine_name(options.target, planned.report.name) : planned.name;
  const RunRecord *record = earlier_run(runs, planned.report.source, options, dest, name, taken);
  if (record == nullptr) return false;
  planned.report.status = report::Status::skipped;
  planned.report.run = record->run;
  planned.done_as = record->machine;
  planned.report.refusal.reset();
  planned.plan.reset();
  return true;
}

}  // namespace ferry::migration
