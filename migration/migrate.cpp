// SPDX-License-Identifier: Apache-2.0
#include "migration/migrate.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <set>
#include <system_error>

#include "migration/earlier.hpp"
#include "migration/findings.hpp"
#include "migration/host.hpp"
#include "migration/host_ports.hpp"
#include "migration/plan.hpp"
#include "migration/preflight.hpp"
#include "migration/reader.hpp"
#include "migration/remote_source.hpp"
#include "migration/report_builder.hpp"
#include "migration/run.hpp"
#include "migration/start_now.hpp"
#include "migration/survey.hpp"
#include "migration/take_back.hpp"
#include "migration/target_names.hpp"
#include "migration/touched_files.hpp"
#include "migration/tpm_place.hpp"
#include "migration/undo.hpp"

#include "support/file.hpp"
#include "support/limits.hpp"
#include "support/text.hpp"

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
  detail.advice += " The run " + earlier->run + " migrated this source before; 'virt-ferry undo " + earlier->run +
                   "' takes it back.";
  return {error.kind(), std::move(detail)};
}

// What is done about earlier runs of the same machine; their files are in nobody's way.
std::set<fs::path> settle_earlier(Planned &planned, const Earlier &earlier) {
  std::set<fs::path> files;
  const auto add_files = [&files](const RunRecord &run) {
    for (const MadeFile &made : run.published) files.insert(made.file);
  };
  if (earlier.finish) {
    planned.finish = earlier.finish->run;
    add_files(*earlier.finish);
    planned.report.findings.push_back(
        raise(kRunFinished, {.file = earlier.finish->source},
              "the run " + earlier.finish->run + " had made all files when it was interrupted; it is finished now"));
  }
  for (const RunRecord &run : earlier.take_back) {
    planned.crashed_runs.push_back(run.run);
    add_files(run);
    planned.report.findings.push_back(raise(kRunCrashed, {.file = run.source},
                                            "the run " + run.run + " was interrupted; what it left is removed first"));
  }
  return files;
}

// Killed between the end and the clearing away of what it had set aside.
std::vector<RunRecord> untidy(const std::vector<RunRecord> &runs, const fs::path &source, const fs::path &dest) {
  std::vector<RunRecord> out;
  std::copy_if(runs.begin(), runs.end(), std::back_inserter(out), [&](const RunRecord &run) {
    return run.done && !run.undone && !run.alive && run.source == source && run.dest == dest &&
           file::status_of(run.staging, file::Links::no_follow);
  });
  return out;
}

// Another process makes the same machine in the same place right now.
void refuse_while_made(const MachinePlan &plan, const std::vector<RunRecord> &runs) {
  for (const RunRecord &run : runs) {
    if (!run.alive || run.dest != plan.dest || run.machine != plan.name) continue;
    throw Error(ErrorKind::conflict,
                {.where = {.file = run.source},
                 .message = "the run " + run.run + " is making \"" + plan.name + "\" in the same place right now",
                 .advice = "Wait for it to finish, or choose another --name or --dest."});
  }
}

// Two machines of one batch must not want the same file: "web" with two disks and "web-2" do.
void refuse_planned_files(const MachinePlan &plan, const target::Taken &taken) {
  for (const fs::path &file : plan.files) {
    if (!taken.planned_files.contains(file)) continue;
    throw Error(ErrorKind::conflict, {.where = {.file = file},
                                      .message = "another machine that is migrated with this one uses this file",
                                      .advice = "Give one of them another name with --name, or another --dest."});
  }
}

// The name of a machine of this source that an earlier run gave it, when that was a numbered form of `base`.
std::optional<std::string> earlier_number(const std::vector<RunRecord> &runs, const fs::path &source,
                                          const std::string &base) {
  std::optional<std::string> out;
  for (const RunRecord &run : runs) {
    if (run.undone || run.source != source || !is_numbered_form(run.machine, base)) continue;
    if (run.machine == base) return std::nullopt;
    out = run.machine;
  }
  return out;
}

// The name that becomes the machine's name `numbered`, a form of machine_name(wanted): as it was meant, where that is
// possible, so that the title has it whole.
std::string meant_for(TargetKind target, const std::string &wanted, const std::string &base,
                      const std::string &numbered) {
  if (!numbered.starts_with(base)) return numbered;
  const std::string meant = wanted + numbered.substr(base.size());
  return machine_name(target, meant) == numbered ? meant : numbered;
}

// The machine's own name by the pattern that the user gave, numbered where a machine that is planned with it has it. A
// name that the user gave outright is never changed: taken, it is a conflict.
Options named(const FoundSource &source, const ImportedMachine &imported, const Options &options,
              const target::Taken &host, const std::vector<RunRecord> &runs, std::vector<Finding> &findings) {
  if (options.name && !is_name_pattern(*options.name)) return options;
  Options out = options;
  if (options.name) out.name = name_by_pattern(*options.name, imported.machine.name);
  const std::string wanted = out.name.value_or(imported.machine.name), base = machine_name(options.target, wanted);
  const auto before = earlier_number(runs, source.file, base);
  if (before && !host.planned_names.contains(*before)) {
    out.name =
        meant_for(options.target, wanted, base, *before);  // the batch is run again, and its first machine may be done
  } else if (host.planned_names.contains(base)) {
    std::set<std::string> taken = host.planned_names;
    if (!options.overwrite) taken.insert(host.names.begin(), host.names.end());
    out.name = meant_for(options.target, wanted, base, numbered_name(base, taken));
  } else {
    return out;
  }
  findings.push_back(raise(kNameNumbered, imported.machine.origin,
                           "another machine is called \"" + text::printable(base) + "\"; this one becomes \"" +
                               text::printable(machine_name(options.target, *out.name)) + "\""));
  return out;
}

// A script's starts are machines of their own, and which one is meant only the user knows.
[[noreturn]] void refuse_several(const std::vector<ReadMachine> &machines) {
  std::string list;
  for (std::size_t i = 0; i < machines.size(); ++i) {
    const Machine &machine = machines[i].imported.machine;
    list += (i == 0 ? "" : ", ") + std::to_string(i + 1) + ": " + text::printable(machine.name);
    if (machine.origin.line) list += " (line " + std::to_string(*machine.origin.line) + ")";
  }
  throw Error(ErrorKind::unsupported, {.where = {.file = machines.front().imported.machine.source.file},
                                       .message = "the file starts several machines",
                                       .found = list,
                                       .expected = "one",
                                       .advice = "Choose one with --machine N, or use 'virt-ferry batch' for all."});
}

// Leaves the machine that --machine names (a script's reader has done so already), and tells each one's number; 0 where
// the source has but one.
std::vector<std::size_t> choose_machines(std::vector<ReadMachine> &machines, const FoundSource &source,
                                         const Options &options) {
  std::vector<std::size_t> out(machines.size());
  if (machines.size() > 1) std::iota(out.begin(), out.end(), std::size_t{1});
  if (!options.machine) return out;
  if (source.kind != SourceKind::qemu) {
    if (*options.machine > machines.size()) {
      throw Error(ErrorKind::usage, {.where = {.file = source.file},
                                     .message = "--machine: the source has no such machine",
                                     .found = std::to_string(*options.machine),
                                     .expected = "a number from 1 to " + std::to_string(machines.size())});
    }
    ReadMachine chosen = std::move(machines[*options.machine - 1]);
    machines.clear();
    machines.push_back(std::move(chosen));
  }
  out.assign(machines.size(), *options.machine);
  return out;
}

Planned plan_machine(const FoundSource &source, ReadMachine read, const Options &given, target::Target &host,
                     const std::vector<RunRecord> &runs, const std::shared_ptr<Reader> &reader) {
  ImportedMachine &imported = read.imported;
  Options options = named(source, imported, given, host.facts.taken, runs, imported.findings);
  const fs::path dest = destination(options, host);
  Planned out;
  out.tidy = untidy(runs, source.file, dest);
  out.name = machine_name(options.target, options.name.value_or(imported.machine.name));
  const auto unfinished = unfinished_runs(runs, source.file, dest, out.name);
  out.touched = input_files(imported.machine, options);
  try {
    refuse_options_for_remote(source.file, options);
    options = with_start_now(options, imported.machine, imported.findings);
    // What stands in the way because an earlier run of this machine came that far, does not.
    target::Taken free = host.facts.taken;
    forget_machines_of(free, unfinished);
    const Survey found = survey(read, options, dest, reader);
    for (const auto &[field, facts] : found.media) {
      if (facts.info) out.touched.insert(out.touched.end(), facts.info->files.begin(), facts.info->files.end());
    }
    out.plan = make_plan(imported, found, options, host, free);
    out.plan->source_files = source_files(imported, found);
  } catch (const Error &error) {
    out.report = refusal_of(source, &imported, with_earlier_run(error, source, dest, runs));
    return out;
  }
  if (!options.host_profile) report_busy_ports(*out.plan);
  out.report = report_of(*out.plan);
  const std::vector<fs::path> planned = planned_files(*out.plan);
  out.touched.insert(out.touched.end(), planned.begin(), planned.end());
  try {
    // A plan for a recorded host says nothing of this one's files.
    const Earlier earlier = earlier_of(unfinished, *out.plan, plan_digest(*out.plan, given));
    const std::set<fs::path> leftovers = settle_earlier(out, earlier);
    refuse_while_made(*out.plan, runs);
    refuse_planned_files(*out.plan, host.facts.taken);
    if (!options.host_profile && !out.finish) {
      preflight(*out.plan, options, leftovers);
      if (options.start) refuse_busy_ports(*out.plan, host.facts.taken);
      if (options.start && is_own_session(options.connect))
        host.refuse_start({out.plan->domain_xml, out.plan->files, out.plan->dest, out.plan->memory});
      if (options.define && !options.overwrite) refuse_tpm_of_others(*out.plan, unfinished);
    }
    reserve(host.facts.taken, *out.plan, options.start);
  } catch (const Error &error) {
    refuse(out.report, with_earlier_run(error, source, dest, runs));
    out.plan.reset();
  }
  return out;
}

// Whose the files are that would be replaced, only libvirt knows.
void refuse_unknown_owner(const MachinePlan &plan, const Options &options, const Host &host) {
  if (!options.overwrite || !options.define || !host.unreachable) return;
  for (const fs::path &file : plan.files) {
    if (!file::status_of(file, file::Links::no_follow)) continue;
    ErrorDetail detail = host.unreachable->detail();
    detail.message +=
        "; without it nobody knows which machine has the file that --overwrite would replace, " + file.string();
    throw Error(host.unreachable->kind(), std::move(detail));
  }
}

// Whoever used what a run left after it was cut off decides about it.
void take_back_crashed(const std::string &run, const Planned &planned) {
  std::vector<std::string> failed;
  try {
    failed = undo_run(run, false).failed;
  } catch (const Error &error) {
    if (error.kind() != ErrorKind::conflict) throw;
    ErrorDetail detail = error.detail();
    detail.message = "what the interrupted run " + run + " left is in use: " + detail.message;
    detail.advice = "Choose another --name, or use 'virt-ferry undo " + run + " --force' if none of it is needed.";
    throw Error(error.kind(), std::move(detail));
  }
  if (failed.empty()) return;
  throw Error(ErrorKind::io, {.where = {.file = planned.plan->imported.machine.source.file},
                              .message = "what the run " + run + " left cannot be taken back: " + failed.front(),
                              .advice = "Find out why, then use 'virt-ferry undo " + run + "'."});
}

RunResult execute(const Planned &planned, const Options &options, const Host &host, Progress *progress,
                  const std::stop_token &stop) {
  for (const std::string &run : planned.crashed_runs) take_back_crashed(run, planned);
  refuse_unknown_owner(*planned.plan, options, host);
  if (planned.finish) return finish_run(*planned.finish, *planned.plan, options, host, stop);
  return run_plan(*planned.plan, options, host, progress, stop);
}

}  // namespace

std::vector<Planned> plan_source(const FoundSource &source, const Options &options, target::Target &host,
                                 const std::vector<RunRecord> &runs) {
  std::vector<Planned> out;
  try {
    const std::shared_ptr<Reader> reader = reader_of(source, options);
    std::vector<ReadMachine> machines = reader->import(Newer::look);
    if (source.kind == SourceKind::qemu && machines.size() > 1 && !options.every_machine) refuse_several(machines);
    const std::vector<std::size_t> numbers = choose_machines(machines, source, options);
    if (machines.size() > 1 && options.name && !is_name_pattern(*options.name)) {
      throw Error(ErrorKind::usage, {.where = {.file = source.file},
                                     .message = "--name cannot name several machines",
                                     .found = std::to_string(machines.size()) + " machines in the package",
                                     .advice = "Use a pattern such as --name '{name}-new', or leave out --name."});
    }
    for (std::size_t i = 0; i < machines.size(); ++i) {
      out.push_back(plan_machine(source, std::move(machines[i]), options, host, runs, reader));
      out.back().report.number = numbers[i];
      if (!options.show_values) hide_values(out.back().report);
    }
  } catch (const Error &error) {
    out.push_back({.report = refusal_of(source, nullptr, error), .touched = {source.file}});
  } catch (const std::system_error &error) {  // such as no more threads: this machine's row, the others go on
    const Error named = limits::as_error(error, source.file);
    out.push_back({.report = refusal_of(source, nullptr, named), .touched = {source.file}});
  }
  return out;
}

void migrate_planned(Planned &planned, const Options &options, const Host &host, Progress *progress,
                     const std::stop_token &stop) {
  UndoResult ignored;
  for (const RunRecord &run : planned.tidy) remove_staging(run, ignored);
  if (!planned.plan) return;
  const auto started = std::chrono::steady_clock::now();
  try {
    RunResult result = execute(planned, options, host, progress, stop);
    // All is made but for the definition: that has failed, and nothing of the source was refused.
    if (options.define && host.unreachable)
      result.libvirt_error = Error(ErrorKind::libvirt, host.unreachable->detail());
    add_run(planned.report, result);
    planned.report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  } catch (const Error &error) {
    refuse(planned.report, error);
  } catch (const std::system_error &error) {  // such as no more threads
    refuse(planned.report, limits::as_error(error, planned.report.source));
  } catch (const std::exception &error) {  // out of a batch's thread it would end the program, and the other machines
    refuse(planned.report, Error(ErrorKind::internal,
                                 {.where = {.file = planned.report.source},
                                  .message = error.what(),
                                  .advice = "Report this as a bug in virt-ferry, with the source's settings file."}));
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
