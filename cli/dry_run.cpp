// SPDX-License-Identifier: Apache-2.0
#include "cli/dry_run.hpp"

#include "migration/migrate.hpp"
#include "migration/report_builder.hpp"

namespace ferry::cli {

int dry_run(const std::vector<std::string> &sources, const migration::Options &options, const OutputOptions &output) {
  check_output(output);
  migration::Host host = migration::host_for_plan(options);
  report::Document document;
  document.host = host.profile.name;
  const std::vector<migration::RunRecord> runs = migration::all_runs();
  for (const std::string &argument : sources) {
    try {
      for (migration::Planned &planned :
           migration::plan_source(migration::find_source(argument), options, host.profile, runs)) {
        document.machines.push_back(std::move(planned.report));
      }
    } catch (const Error &error) {
      if (sources.size() == 1) throw;
      document.machines.push_back(migration::not_found(argument, error));  // the others are planned all the same
    }
  }
  write_report(output, document);
  return migration::worst_exit_code(document);
}

}  // namespace ferry::cli
