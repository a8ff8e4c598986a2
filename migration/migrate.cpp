// SPDX-License-Identifier: Apache-2.0
#include "migration/migrate.hpp"

#include <algorithm>
#include <set>

#include "migration/findings.hpp"
#include "migration/plan.hpp"
#include "migration/preflight.hpp"
#include "migration/report_builder.hpp"
#include "migration/run.hpp"
#include "migration/survey.hpp"
#include "migration/touched_files.hpp"
#include "migration/undo.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// Where a conflict is with what an earlier run made of the same source, undoing that run is the way out.
Error with_earlier_run(const Error &error, const FoundSource &source, const fs::path &dest,
                       const std::vector<RunRecord> &runs) {
  if (error.kind() != ErrorKind::conflict) return error;
  const auto earlier = std::find_if(runs.rbegin(), runs.rend(), [&](const RunRecord &run) {
    return !run.undone && !run.alive && run.source == source.file && run.dest == dest;
  });
  if (earlier == runs.rend()) return error;
  ErrorDetail detail = error.detail();
  detail.advice += " The run " + earlier->run + " migrated this source before: 'virt-ferry undo " + earlier->run +
                   "' takes that back.";
  return {error.kind(), std::move(detail)};
}

// What crashed runs of the same machine left is removed before this one begins.
std::set<fs::path> leftovers_of(Planned &planned, const std::vector<RunRecord> &crashed) {
  std::set<fs::path> files;
  for (const RunRecord &run : crashed) {
    planned.crashed_runs.push_back(run.run);
    for (const PublishedFile &file : run.published) files.insert(file.file);
    planned.report.findings.push_back(
        raise(kRunCrashed, {run.source, {}, {}}, "the run " + run.run + " was cut off; what it left is removed first"));
  }
  return files;
}

// Another process makes the same machine in the same place right now.
void refuse_while_made(const MachinePlan &plan, const std::vector<RunRecord> &runs) {
  for (const RunRecord &run : runs) {
    if (!run.alive || run.dest != plan.dest || run.machine != plan.name) continue;
    throw Error(ErrorKind::conflict,
                {.where = {run.source, {}, {}},
                 .message = "the run " + run.run + " is making \"" + plan.name + "\" in the same place right now",
                 .advice = "Wait for it, or choose another --name or --dest."});
  }
}

// Two machines of one batch must not want the same file: "web" with two disks and "web-2" do.
void refuse_planned_files(const MachinePlan &plan, const libvirt::HostProfile &host) {
  for (const fs::path &file : plan.files) {
    if (!host.planned_files.contains(file)) continue;
    throw Error(ErrorKind::conflict, {.where = {file, {}, {}},
                                      .message = "another machine that is migrated with this one takes this file",
                                      .advice = "Give one of them another name with --name, or another --dest."});
  }
}

Planned plan_machine(const FoundSource &source, const ImportedMachine &imported, const Options &options,
                     libvirt::HostProfile &host, const std::vector<RunRecord> &runs) {
  const fs::path dest = destination(options, host);
  Planned out;
  out.touched = input_files(imported.machine, options);
  try {
    const Survey found = survey(imported.machine, options, dest);
    for (const auto &[field, facts] : found.media) {
      if (facts.info) out.touched.insert(out.touched.end(), facts.info->files.begin(), facts.info->files.end());
    }
    out.plan = make_plan(imported, found, options, host);
  } catch (const Error &error) {
    out.report = refusal_of(source, &imported, with_earlier_run(error, source, dest, runs));
    return out;
  }
  out.report = report_of(*out.plan);
  const std::vector<fs::path> planned = planned_files(*out.plan);
  out.touched.insert(out.touched.end(), planned.begin(), planned.end());
  try {
    // A plan for a recorded host says nothing of this one's files.
    const std::set<fs::path> leftovers = leftovers_of(out, crashed_runs(runs, source.file, dest, out.plan->name));
    refuse_while_made(*out.plan, runs);
    refuse_planned_files(*out.plan, host);
    if (!options.host_profile) preflight(*out.plan, options, leftovers);
    reserve(host, *out.plan);
  } catch (const Error &error) {
    refuse(out.report, with_earlier_run(error, source, dest, runs));
    out.plan.reset();
  }
  return out;
}

}  // namespace

std::vector<Planned> plan_source(const FoundSource &source, const Options &options, libvirt::HostProfile &host,
                                 const std::vector<RunRecord> &runs) {
  std::vector<Planned> out;
  try {
    ImportOptions import_options;
    import_options.ovf_configuration = options.ovf_configuration;
    const std::vector<ImportedMachine> machines = import_source(source, import_options);
    if (machines.size() > 1 && options.name) {
      throw Error(ErrorKind::usage, {.where = {source.file, {}, {}},
                                     .message = "--name cannot name several machines",
                                     .found = std::to_string(machines.size()) + " machines in the package",
                                     .advice = "Leave out --name, or rename them after the migration."});
    }
    for (const ImportedMachine &machine : machines) out.push_back(plan_machine(source, machine, options, host, runs));
  } catch (const Error &error) {
    out.push_back({refusal_of(source, nullptr, error), std::nullopt, {}, {source.file}});
  }
  return out;
}

void migrate_planned(Planned &planned, const Options &options, const Host &host, Progress *progress,
                     const std::stop_token &stop) {
  if (!planned.plan) return;
  try {
    for (const std::string &run : planned.crashed_runs) (void)undo_run(run, false);
    RunResult result =
        run_plan(*planned.plan, options, options.define ? host.connection.get() : nullptr, progress, stop);
    if (options.define && host.unreachable) result.libvirt_error = host.unreachable;
    add_run(planned.report, result);
  } catch (const Error &error) {
    refuse(planned.report, error);
  } catch (const std::exception &error) {  // out of a batch's thread it would end the program, and the other machines
    refuse(planned.report,
           Error(ErrorKind::internal,
                 {.where = {.file = planned.report.source},
                  .message = error.what(),
                  .advice = "This is a defect of virt-ferry; please report it with the source's settings file."}));
  }
}

int worst_exit_code(const report::Document &document) {
  int worst = 0;
  for (const report::MachineReport &machine : document.machines) {
    if (!machine.refusal) continue;
    const int code = exit_code(machine.refusal->kind);
    // A failure of work outweighs a refusal, and a refusal wrong usage.
    const auto weight = [](int value) { return value == 1 ? 3 : value == 3 ? 2 : value == 2 ? 1 : 0; };
    if (weight(code) > weight(worst)) worst = code;
  }
  return worst;
}

}  // namespace ferry::migration
