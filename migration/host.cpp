// SPDX-License-Identifier: Apache-2.0
#include "migration/host.hpp"

namespace ferry::migration {
namespace {

// Without defining, what the connection has defined is in nobody's way.
void forget_domains(libvirt::HostProfile &profile) {
  profile.domain_names.clear();
  profile.domain_uuids.clear();
  profile.mac_addresses.clear();
  profile.host_ports.clear();
}

// --no-define leaves libvirt in peace: it need not be there, nor is its daemon started. Who names a connection wants
// it asked.
bool is_wanted(const Options &options) { return options.define || options.connect_given; }

Host ask(const Options &options) {
  Host host;
  if (!is_wanted(options)) {
    host.profile = libvirt::unasked_host_profile(options.connect);
    return host;
  }
  try {
    host.connection = std::make_unique<libvirt::Connection>(options.connect);
    host.profile = host.connection->probe();
  } catch (const Error &error) {
    host.connection.reset();
    host.unreachable = error;
    host.profile = libvirt::builtin_host_profile();
    host.profile.uri = options.connect;
  }
  return host;
}

}  // namespace

Host host_for_plan(const Options &options) {
  if (options.host_profile) {
    Host host;
    host.profile = libvirt::load_host_profile(*options.host_profile);
    return host;
  }
  Host host = ask(options);
  if (!options.define) forget_domains(host.profile);
  return host;
}

Host host_for_run(const Options &options) {
  Host host = ask(options);
  if (options.define && host.unreachable && host.unreachable->kind() == ErrorKind::usage)
    throw Error(*host.unreachable);
  if (options.host_profile) host.profile = libvirt::load_host_profile(*options.host_profile);
  if (!options.define) {
    host.connection.reset();
    host.unreachable.reset();
    forget_domains(host.profile);
  }
  return host;
}

void reserve(libvirt::HostProfile &profile, const MachinePlan &plan, bool started) {
  profile.planned_names.insert(plan.name);
  profile.planned_files.insert(plan.files.begin(), plan.files.end());
  profile.domain_uuids.emplace(plan.domain_uuid.text(), plan.name);
  for (const libvirt::ListenPort &port : plan.listen) {
    profile.planned_ports.emplace(port.key(), plan.name);
    if (started) profile.started_ports.insert(port.key());
  }
  for (const libvirt::TargetNic &nic : plan.nics) profile.mac_addresses.emplace(nic.mac, plan.name);
}

}  // namespace ferry::migration
