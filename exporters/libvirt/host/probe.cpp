// SPDX-License-Identifier: Apache-2.0
// Everything that a host profile holds, asked from libvirt and, where libvirt does not say, from the host.
#include <array>
#include <cstdio>
#include <string>

#include "exporters/libvirt/host/capabilities.hpp"
#include "exporters/libvirt/host/connection_impl.hpp"
#include "exporters/libvirt/host/connection_uri.hpp"
#include "exporters/libvirt/host/firmware_descriptors.hpp"
#include "exporters/libvirt/host/local_host.hpp"

#include "support/cage.hpp"
#include "support/subprocess.hpp"

namespace ferry::libvirt {

namespace {

void ask_versions(virConnect *connection, HostProfile &profile) {
  unsigned long version = 0;
  if (virConnectGetLibVersion(connection, &version) != 0) throw refused("to report its version");
  profile.libvirt_version = static_cast<unsigned>(version);
  if (virConnectGetVersion(connection, &version) != 0) throw refused("to report QEMU's version");
  profile.qemu_version = static_cast<unsigned>(version);
}

std::string shown_version(const char *product, unsigned version) {
  return std::string(product) + ' ' + std::to_string(version / 1000000) + '.' + std::to_string(version / 1000 % 1000) +
         '.' + std::to_string(version % 1000);
}

// libvirt's word is what counts; that KVM then really makes a machine is checked where it can be.
bool kvm_is_usable(const HostProfile &profile, bool local) {
  if (!profile.kvm || !local) return profile.kvm;
  const bool session = ConnectionUri::parse(profile.uri).is_session();
  const std::optional<bool> works = kvm_works();
  // Without the right to open the device, a session cannot have it; the system daemon can.
  return works.value_or(!session);
}

void ask_domain_capabilities(virConnect *connection, HostProfile &profile) {
  const char *preferred = profile.kvm ? "kvm" : "qemu";
  bool answered = false;
  for (const char *machine : {"pc", "q35"}) {
    if (!profile.machine_types.contains(machine)) continue;
    // Without an emulator named libvirt may choose another than the capabilities did.
    const Owned<char> xml(virConnectGetDomainCapabilities(connection, profile.emulator.c_str(),
                                                          profile.architecture.c_str(), machine, preferred, 0));
    if (!xml) continue;
    answered = true;
    add_domain_capabilities(profile, xml.get(), true);
  }
  if (!answered) throw refused("to say what machines of type pc and q35 can have");
}

void ask_domains(virConnect *connection, HostProfile &profile) {
  const auto domains =
      list_all<virDomain>([&](auto ***items) { return virConnectListAllDomains(connection, items, 0); });
  for (const Owned<virDomain> &domain : domains) {
    // Both forms count: a machine that runs keeps its MACs until it stops, whatever was redefined since.
    for (const unsigned flags : {static_cast<unsigned>(VIR_DOMAIN_XML_INACTIVE), 0U}) {
      const Owned<char> xml(virDomainGetXMLDesc(domain.get(), flags));
      if (xml) add_domain(profile, xml.get());
    }
  }
}

void ask_networks(virConnect *connection, HostProfile &profile) {
  // A session daemon without the network driver refuses the call: then there are none.
  const auto networks =
      list_all<virNetwork>([&](auto ***items) { return virConnectListAllNetworks(connection, items, 0); });
  for (const Owned<virNetwork> &network : networks) {
    if (const char *name = virNetworkGetName(network.get())) profile.networks.insert(name);
  }
}

std::filesystem::path usual_image_folder(const HostProfile &profile) {
  if (const auto uri = ConnectionUri::parse(profile.uri); uri.is_flatpak()) return flatpak_image_folder(uri.path);
  if (!ConnectionUri::parse(profile.uri).is_session()) return "/var/lib/libvirt/images";
  return session_image_folder();
}

std::filesystem::path ask_image_folder(virConnect *connection, const HostProfile &profile) {
  const bool flatpak = ConnectionUri::parse(profile.uri).is_flatpak();
  // Boxes has its own pool beside virt-manager's "default"; in its flatpak that is the one that it shows.
  for (const char *name : {flatpak ? "gnome-boxes" : "default", "default"}) {
    const Owned<virStoragePool> pool{virStoragePoolLookupByName(connection, name)};
    const Owned<char> xml(pool ? virStoragePoolGetXMLDesc(pool.get(), 0) : nullptr);
    std::filesystem::path folder = xml ? directory_of_pool(xml.get()) : std::filesystem::path();
    if (!folder.empty()) return folder;
  }
  return usual_image_folder(profile);
}

void ask_local_host(HostProfile &profile) {
  const auto has = [](std::string_view program) { return !subprocess::find_program(program).empty(); };
  const bool session = ConnectionUri::parse(profile.uri).is_session();
  profile.swtpm_setup = has("swtpm") && has("swtpm_setup");
  profile.virtiofsd = has_virtiofsd();
  profile.passt = has("passt");
  profile.osinfo_db = osinfo_db_release();
  profile.ipv6 = host_has_ipv6();
  const cage::Offer cages = cage::offered();
  profile.landlock = static_cast<unsigned>(cages.landlock);
  profile.seccomp = cages.seccomp;
  profile.firmware = read_firmware_descriptors(firmware_folders());
  const std::set<std::string> bridges = kernel_bridges();
  // The system daemon attaches to any bridge itself; a session needs the set-uid helper and its rules.
  if (!session) profile.bridges = bridges;
  if (session && bridge_helper_is_privileged()) {
    profile.bridges = allowed_bridges("/etc/qemu/bridge.conf", bridges);
  }
}

// What is installed on the host is not seen in there, and what is seen there has other names here.
void leave_out_of_flatpak(HostProfile &profile) {
  profile.firmware.clear();
  profile.bridges.clear();
  profile.virtiofsd = profile.passt = false;
}

}  // namespace

HostProfile unasked_host_profile(const std::string &uri) {
  HostProfile profile = builtin_host_profile();
  const std::vector<target::FirmwareImage> usual = profile.firmware;
  profile.uri = uri;
  profile.image_folder = usual_image_folder(profile);
  ask_local_host(profile);
  if (profile.firmware.empty()) profile.firmware = usual;
  profile.kvm = kvm_works().value_or(false);
  if (profile.kvm) profile.cpu_modes.insert("host-passthrough");
  if (!profile.kvm) profile.kvm_lack = kvm_lack();
  apply_version_rules(profile);
  return profile;
}

HostProfile probe(const Connection::Impl &impl) {
  virConnect *connection = impl.handle.get();
  HostProfile profile;
  profile.uri = impl.uri;
  profile.architecture = "x86_64";
  ask_versions(connection, profile);

  const Owned<char> capabilities(virConnectGetCapabilities(connection));
  if (!capabilities) throw refused("to report the host's capabilities");
  add_capabilities(profile, capabilities.get());
  profile.kvm = kvm_is_usable(profile, impl.local);
  if (!profile.kvm && impl.local) profile.kvm_lack = kvm_lack();
  ask_domain_capabilities(connection, profile);
  ask_domains(connection, profile);
  ask_networks(connection, profile);
  profile.image_folder = ask_image_folder(connection, profile);

  std::string os;
  if (impl.local) {
    os = host_os_name();
    ask_local_host(profile);
    if (ConnectionUri::parse(profile.uri).is_flatpak()) {
      leave_out_of_flatpak(profile);
    } else {
      add_devices(profile, emulator_device_help(profile.emulator));
    }
    profile.virgl = profile.virgl && has_render_node();
  }
  // A remote emulator, or one that did not answer.
  if (profile.nic_models.empty()) add_upstream_devices(profile);
  apply_version_rules(profile);
  profile.name = (os.empty() ? std::string("a host") : os) + ", " + shown_version("libvirt", profile.libvirt_version) +
                 ", " + shown_version("QEMU", profile.qemu_version);
  return profile;
}

}  // namespace ferry::libvirt
