// SPDX-License-Identifier: Apache-2.0
#include "cli/dry_run.hpp"

#include "migration/migrate.hpp"

namespace ferry::cli {

int dry_run(const std::vector<std::string> &sources, const migration::Options &options, const OutputOptions &output) {
  migration::Host host = migration::host_for_plan(options);
  report::Document document;
  document.host = host.profile.name;
  for (const std::string &argument : sources) {
    for (migration::Planned &planned :
         migration::plan_source(migration::find_source(argument), options, host.profile)) {
      document.machines.push_back(std::move(planned.report));
    }
  }
  write_report(output, document);
  return migration::worst_exit_code(document);
}

}  // namespace ferry::cli
