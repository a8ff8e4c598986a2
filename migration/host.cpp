// SPDX-License-Identifier: Apache-2.0
#include "migration/host.hpp"

namespace ferry::migration {
namespace {

// Without defining, what the connection has defined is in nobody's way.
void forget_domains(libvirt::HostProfile &profile) {
  profile.domain_names.clear();
  profile.domain_uuids.clear();
  profile.mac_addresses.clear();
}

Host ask(const Options &options) {
  Host host;
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

void reserve(libvirt::HostProfile &profile, const std::string &name, const Uuid &uuid,
             const std::vector<libvirt::TargetNic> &nics) {
  profile.planned_names.insert(name);
  profile.domain_uuids.emplace(uuid.text(), name);
  for (const libvirt::TargetNic &nic : nics) profile.mac_addresses.emplace(nic.mac, name);
}

}  // namespace ferry::migration
