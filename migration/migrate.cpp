// SPDX-License-Identifier: Apache-2.0
#include "migration/migrate.hpp"

#include <algorithm>

#include "migration/plan.hpp"
#include "migration/report_builder.hpp"
#include "migration/run.hpp"
#include "migration/survey.hpp"

namespace ferry::migration {
namespace {

Planned plan_machine(const FoundSource &source, const ImportedMachine &imported, const Options &options,
                     libvirt::HostProfile &host) {
  Planned out;
  try {
    const Survey facts = survey(imported.machine, options, destination(options, host));
    out.plan = make_plan(imported, facts, options, host);
    out.report = report_of(*out.plan);
    reserve(host, out.plan->name, out.plan->domain_uuid, out.plan->nics);
  } catch (const Error &error) {
    out.report = refusal_of(source, &imported, error);
  }
  return out;
}

}  // namespace

std::vector<Planned> plan_source(const FoundSource &source, const Options &options, libvirt::HostProfile &host) {
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
    for (const ImportedMachine &machine : machines) out.push_back(plan_machine(source, machine, options, host));
  } catch (const Error &error) {
    out.push_back({refusal_of(source, nullptr, error), std::nullopt});
  }
  return out;
}

void migrate_planned(Planned &planned, const Options &options, const Host &host, Progress *progress,
                     const std::stop_token &stop) {
  if (!planned.plan) return;
  try {
    RunResult result =
        run_plan(*planned.plan, options, options.define ? host.connection.get() : nullptr, progress, stop);
    if (options.define && host.unreachable) result.define_error = host.unreachable;
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
