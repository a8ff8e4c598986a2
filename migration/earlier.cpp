// SPDX-License-Identifier: Apache-2.0
#include "migration/earlier.hpp"

#include <algorithm>

#include "support/digest.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// Each part with its length, so that no two lists of parts read alike.
class Parts {
 public:
  void add(std::string_view part) {
    const std::string length = std::to_string(part.size()) + ':';
    digest_.update(length.data(), length.size());
    digest_.update(part.data(), part.size());
  }
  void add(std::uint64_t number) { add(std::to_string(number)); }
  std::string finish() { return digest_.finish(); }

 private:
  Digest digest_{"SHA256"};
};

// All files are there; once the machine was defined whole, its guest may have been at work on them.
bool is_whole(const RunRecord &run) {
  return run.all_published && std::all_of(run.published.begin(), run.published.end(), [&run](const MadeFile &made) {
           const MadeState state = state_of(made);
           return state == MadeState::ours || (run.defined && state == MadeState::changed);
         });
}

bool can_be_finished(const RunRecord &run, const std::string &digest) {
  return run.plan == digest && is_whole(run) && !change_of(run.files);
}

}  // namespace

std::string plan_digest(const MachinePlan &plan, const Options &options) {
  Parts parts;
  parts.add(plan.name);
  parts.add(plan.dest.string());
  parts.add(options.connect);
  parts.add(std::uint64_t{options.define ? 1U : 0U});
  parts.add(std::uint64_t{options.overwrite ? 1U : 0U});
  parts.add(std::uint64_t{options.verify ? 1U : 0U});
  parts.add(static_cast<std::uint64_t>(options.engine));
  parts.add(static_cast<std::uint64_t>(options.mode));
  parts.add(static_cast<std::uint64_t>(options.compression));
  parts.add(options.cluster_size);
  for (const fs::path &file : plan.files) parts.add(file.string());
  parts.add({reinterpret_cast<const char *>(plan.tpm_state.data()), plan.tpm_state.size()});
  parts.add(plan.domain_xml);
  for (const std::string &fix : plan.guest_fixes) parts.add(fix);
  if (plan.seed) {
    for (const seed::File &file : plan.seed->files) {
      parts.add(file.name);
      parts.add(file.content);
    }
  }
  for (const SnapshotPlan &snapshot : plan.snapshots) {
    parts.add(snapshot.xml);
    parts.add(std::uint64_t{snapshot.current ? 1U : 0U});
  }
  return parts.finish();
}

std::vector<RunRecord> unfinished_runs(const std::vector<RunRecord> &runs, const fs::path &source, const fs::path &dest,
                                       const std::string &machine) {
  std::vector<RunRecord> out;
  std::copy_if(runs.begin(), runs.end(), std::back_inserter(out), [&](const RunRecord &run) {
    return (run.crashed() || (run.kept && !run.done && !run.undone && !run.alive)) && run.source == source &&
           run.dest == dest && run.machine == machine;
  });
  return out;
}

void forget_machines_of(target::Taken &taken, const std::vector<RunRecord> &runs) {
  for (const RunRecord &run : runs) {
    const auto marked = std::find_if(taken.runs.begin(), taken.runs.end(),
                                     [&run](const auto &entry) { return entry.second == run.run; });
    if (marked == taken.runs.end()) continue;
    const std::string name = marked->first;
    taken.forget(name);
  }
}

Earlier earlier_of(const std::vector<RunRecord> &unfinished, const MachinePlan &plan, const std::string &digest) {
  Earlier out;
  for (auto run = unfinished.rbegin(); run != unfinished.rend(); ++run) {  // the newest first
    if (!out.finish && can_be_finished(*run, digest) && !change_of(plan.source_files)) {
      out.finish = *run;
    } else if (!run->kept) {
      out.take_back.push_back(*run);
    }
  }
  return out;
}

}  // namespace ferry::migration
