// SPDX-License-Identifier: Apache-2.0
// How fast machines are planned: every machine file of the corpus (or of the fixtures, without one), read, imported and
// planned for the recorded Debian 12, again and again until there are 1,000 plans.
// Goal: under 2 seconds and under 200 MiB. Exits with 1 when it is missed.
//   plan_bench [MACHINES]
#include <chrono>
#include <iostream>
#include <sys/resource.h>

#include "exporters/libvirt/target.hpp"
#include "migration/plan.hpp"
#include "migration/source.hpp"
#include "tests/kit/corpus.hpp"
#include "tests/kit/imagined_survey.hpp"
#include "tests/paths.hpp"

namespace ferry {
namespace {

namespace fs = std::filesystem;

constexpr double kGoalSeconds = 2.0;      // for 1,000 machines
constexpr double kGoalMebibytes = 200.0;  // of resident memory, at the peak

fs::path sources() {
  const fs::path corpus = test::corpus();
  return corpus.empty() ? fs::path(FERRY_SOURCE_DIR) / "fixtures" : corpus / "real";
}

struct Count {
  std::size_t planned = 0, refused = 0, settings = 0;
};

void plan_file(const migration::FoundSource &source, const target::Target &host, Count &count) {
  ImportOptions import_options;
  import_options.use_host_registry = false;
  migration::Options options;
  options.dest = "/home/user/images";
  options.discard_saved_state = true;
  try {
    for (ImportedMachine &imported : migration::import_source(source, import_options)) {
      const migration::Survey survey = tests::imagined_survey(imported.machine);
      const migration::MachinePlan plan = migration::make_plan(std::move(imported), survey, options, host);
      ++count.planned;
      count.settings += plan.imported.ledger.counts().total;
    }
  } catch (const Error &) {
    ++count.refused;
  }
}

int bench(std::size_t wanted) {
  const libvirt::Target host(libvirt::load_host_profile(fs::path(FERRY_SOURCE_DIR) / "fixtures/hosts/debian-12.json"));
  const std::vector<migration::FoundSource> found = migration::find_sources_below(sources()).sources;
  if (found.empty()) throw Error(ErrorKind::missing, {.message = "there are no machines to plan"});
  Count count;
  const auto begin = std::chrono::steady_clock::now();
  while (count.planned < wanted) {
    const std::size_t before = count.planned;
    for (std::size_t i = 0; i < found.size() && count.planned < wanted; ++i) plan_file(found[i], host, count);
    if (count.planned == before) throw Error(ErrorKind::missing, {.message = "no machine could be planned"});
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double mebibytes = static_cast<double>(usage.ru_maxrss) / 1024;  // Linux counts KiB
  const double scaled = seconds * 1000 / static_cast<double>(count.planned);
  std::cout << "plan: " << count.planned << " machines of " << found.size() << " files (" << count.refused
            << " refusals, " << count.settings << " settings) in " << seconds << " s, "
            << static_cast<double>(count.planned) / seconds << " machines/s, peak " << mebibytes << " MiB; goal "
            << kGoalSeconds << " s per 1000, " << kGoalMebibytes
            << " MiB: " << (scaled < kGoalSeconds && mebibytes < kGoalMebibytes ? "met" : "MISSED") << "\n";
  return scaled < kGoalSeconds && mebibytes < kGoalMebibytes ? 0 : 1;
}

}  // namespace
}  // namespace ferry

int main(int argc, char **argv) {
  try {
    return ferry::bench(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1000);
  } catch (const std::exception &error) {
    std::cerr << "plan_bench: " << error.what() << "\n";
    return 1;
  }
}
