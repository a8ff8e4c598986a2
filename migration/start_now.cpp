// SPDX-License-Identifier: Apache-2.0
#include "migration/start_now.hpp"

#include "migration/findings.hpp"
#include "migration/host.hpp"
#include "migration/pull_place.hpp"
#include "migration/reader.hpp"

namespace ferry::migration {
namespace {

[[noreturn]] void contradicts(const std::string &found, const std::string &advice) {
  throw Error(ErrorKind::usage, {.where = {.path = "--start-now"},
                                 .message = "the machine cannot be started at once",
                                 .found = found,
                                 .advice = advice});
}

}  // namespace

Options with_start_now(const Options &options, const Machine &machine, std::vector<Finding> &findings) {
  if (!options.start_now) return options;
  if (!options.define) contradicts("--no-define", "Leave out one of the two.");
  if (!is_own_session(options.connect))
    contradicts("the connection " + options.connect, "Use qemu:///session, or leave out --start-now.");
  if (options.mode != disk::Mode::automatic && options.mode != disk::Mode::overlay)
    contradicts("another --disk-mode", "Leave out one of the two.");
  if (options.verify) contradicts("--verify", "There is no copy yet that could be compared: leave out one of the two.");
  Options out = options;
  if (options.snapshots_given && options.keep_snapshots && !machine.snapshots.empty()) {
    out.start_now = false;
    findings.push_back(raise(
        kCopiedFirst, machine.origin,
        std::to_string(machine.snapshots.size()) + " snapshots are kept, so all is copied before the machine starts"));
    return out;
  }
  out.mode = disk::Mode::overlay;
  out.served_overlays = true;
  out.keep_snapshots = false;
  return out;
}

std::vector<DiskToServe> disks_to_serve(const MachinePlan &plan) {
  std::vector<DiskToServe> out;
  for (const DiskPlan &disk : plan.disks) {
    if (disk.underlay && disk.underlay->by == disk::Underlay::By::server)
      out.push_back({disk.underlay->name, disk.medium});
  }
  return out;
}

PullRecord pull_of(const MachinePlan &plan, const Options &options) {
  PullRecord out{.disks = {}, .socket = pull_socket(plan.dest, plan.name), .limit = plan.pull_limit, .served = {}};
  for (const DiskPlan &disk : plan.disks)
    if (disk.underlay) out.disks.push_back(disk.target);
  const std::vector<DiskToServe> served = disks_to_serve(plan);
  const Machine &machine = plan.imported.machine;
  if (!served.empty())
    out.served =
        serving_text({machine.source.kind, machine.source.file}, options, served, open_options(machine, options));
  return out;
}

}  // namespace ferry::migration
