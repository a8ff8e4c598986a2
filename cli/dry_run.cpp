// SPDX-License-Identifier: Apache-2.0
#include "cli/dry_run.hpp"

#include "migration/migrate.hpp"
#include "migration/report_builder.hpp"

namespace ferry::cli {
namespace {

// Touched files of all machines go into `touched`.
void plan_one(const std::string &argument, const migration::Options &options, migration::Host &host,
              const std::vector<migration::RunRecord> &runs, report::Document &document,
              std::vector<std::filesystem::path> &touched) {
  for (migration::Planned &planned :
       migration::plan_source(migration::find_source(argument), options, *host.target, runs)) {
    touched.insert(touched.end(), planned.touched.begin(), planned.touched.end());
    document.machines.push_back(std::move(planned.report));
  }
}

}  // namespace

std::vector<std::filesystem::path> named_files(const std::vector<std::string> &sources,
                                               const migration::Options &options) {
  std::vector<std::filesystem::path> out(sources.begin(), sources.end());
  if (options.host_profile) out.push_back(*options.host_profile);
  return out;
}

int refused_as_whole(const std::vector<std::string> &sources, const Error &error, const OutputOptions &output) {
  print_error(error);
  if (output.format != "text" || !output.file.empty()) {
    report::Document document;
    for (const std::string &source : sources) document.machines.push_back(migration::not_found(source, error));
    write_report(output, document);
  }
  return exit_code(error.kind());
}

int dry_run(const std::vector<std::string> &sources, const migration::Options &options, const OutputOptions &output) {
  std::vector<std::filesystem::path> touched = named_files(sources, options);
  check_output(output, touched);
  report::Document document;
  try {
    migration::Host host = migration::host_for_plan(options);
    document.host = host.target->facts.name;
    // The plan is made all the same, but for another host than it seems.
    if (host.unreachable && host.unreachable->kind() == ErrorKind::unreachable) print_error(*host.unreachable);
    const std::vector<migration::RunRecord> runs = migration::all_runs();
    for (const std::string &argument : sources) {
      try {
        plan_one(argument, options, host, runs, document, touched);
      } catch (const Error &error) {
        if (sources.size() == 1) throw;
        document.machines.push_back(migration::not_found(argument, error));  // the others are planned all the same
      }
    }
  } catch (const Error &error) {
    return refused_as_whole(sources, error, output);
  }
  check_output(output, touched);
  write_report(output, document);
  return migration::worst_exit_code(document);
}

}  // namespace ferry::cli
