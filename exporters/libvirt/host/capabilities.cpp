// SPDX-License-Identifier: Apache-2.0
// libvirt's capabilities, domain capabilities and domain XML. Element names and enums are those of
// libvirt.org/formatcaps.html and formatdomaincaps.html; recorded samples are in tests/host/data.
#include "exporters/libvirt/host/capabilities.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "exporters/libvirt/host/connection_uri.hpp"
#include "exporters/libvirt/host/run_mark.hpp"

#include "support/error.hpp"
#include "support/identity.hpp"
#include "support/text.hpp"
#include "support/xml.hpp"

namespace ferry::libvirt {

namespace {

const std::filesystem::path kCapabilities = "libvirt capabilities";
const std::filesystem::path kDomainCapabilities = "libvirt domain capabilities";
const std::filesystem::path kDomain = "libvirt domain";
const std::filesystem::path kPool = "libvirt storage pool";

bool has(const xml::Element &element, std::string_view attribute, std::string_view value) {
  const std::string *found = element.attribute(attribute);
  return found != nullptr && *found == value;
}

const xml::Element *architecture_of(const xml::Element &root, std::string_view architecture) {
  for (const xml::Element &guest : root.children) {
    const xml::Element *type = guest.child("os_type");
    const xml::Element *arch = guest.child("arch");
    if (guest.name == "guest" && type != nullptr && type->text == "hvm" && arch != nullptr &&
        has(*arch, "name", architecture)) {
      return arch;
    }
  }
  return nullptr;
}

// The limit of the two machine types that we make; a host without one of them has the other's.
void add_machine(HostProfile &profile, const xml::Element &machine, std::optional<unsigned> &limit) {
  profile.machine_types.insert(machine.text);
  if (machine.text != "pc" && machine.text != "q35") return;
  const std::string *cpus = machine.attribute("maxCpus");
  const auto count = cpus == nullptr ? std::nullopt : text::parse_u64(*cpus);
  if (!count || *count == 0 || *count > UINT32_MAX) return;
  limit = std::min(limit.value_or(UINT32_MAX), static_cast<unsigned>(*count));
}

// The values of <enum name='...'> below an element that says supported='yes'.
void add_enum(std::set<std::string> &out, const xml::Element *element, std::string_view name) {
  if (element == nullptr || !has(*element, "supported", "yes")) return;
  for (const xml::Element &child : element->children) {
    if (child.name != "enum" || !has(child, "name", name)) continue;
    for (const xml::Element &value : child.children) out.insert(value.text);
  }
}

void add_cpu(HostProfile &profile, const xml::Element &cpu) {
  for (const xml::Element &mode : cpu.children) {
    const std::string *name = mode.attribute("name");
    if (mode.name != "mode" || name == nullptr || !has(mode, "supported", "yes")) continue;
    profile.cpu_modes.insert(*name);
    if (*name != "custom") continue;
    for (const xml::Element &model : mode.children) {
      if (model.name == "model" && has(model, "usable", "yes")) profile.cpu_models.insert(model.text);
    }
  }
}

void add_device_enums(HostProfile &profile, const xml::Element &devices) {
  add_enum(profile.disk_buses, devices.child("disk"), "bus");
  add_enum(profile.graphics, devices.child("graphics"), "type");
  add_enum(profile.video_models, devices.child("video"), "modelType");
  add_enum(profile.filesystem_drivers, devices.child("filesystem"), "driverType");
  add_enum(profile.char_types, devices.child("channel"), "type");
  add_enum(profile.network_backends, devices.child("interface"), "backendType");
  add_enum(profile.tpm_models, devices.child("tpm"), "model");
  add_enum(profile.tpm_backends, devices.child("tpm"), "backendModel");
  std::set<std::string> redirection;
  add_enum(redirection, devices.child("redirdev"), "bus");
  profile.usb_redirection = profile.usb_redirection || redirection.contains("usb");
}

}  // namespace

void add_capabilities(HostProfile &profile, std::string_view xml) {
  const xml::Element root = xml::parse(xml, kCapabilities);
  const xml::Element *arch = architecture_of(root, profile.architecture);
  if (arch == nullptr) {
    throw Error(ErrorKind::libvirt,
                {.message = "libvirt has no emulator for " + profile.architecture + " guests",
                 .advice = "Install QEMU for x86 (Debian: qemu-system-x86) and try again, or plan without a host."});
  }
  std::optional<unsigned> limit;
  for (const xml::Element &child : arch->children) {
    if (child.name == "emulator") profile.emulator = child.text;
    if (child.name == "machine") add_machine(profile, child, limit);
    if (child.name != "domain" || !has(child, "type", "kvm")) continue;
    profile.kvm = true;
    // A domain type may have machine types of its own beside the architecture's.
    for (const xml::Element &machine : child.children) {
      if (machine.name == "machine") add_machine(profile, machine, limit);
    }
  }
  if (limit) profile.max_vcpus = *limit;
}

namespace {

// <defaults><stimer_direct>on</stimer_direct>...: what host-model switches on, from libvirt 11.0 on.
void add_variants(std::set<std::string> &into, const xml::Element *hyperv) {
  const xml::Element *defaults = hyperv == nullptr ? nullptr : hyperv->child("defaults");
  if (defaults == nullptr) return;
  for (const xml::Element &one : defaults->children) {
    const bool variant =
        one.name == "stimer_direct" || one.name == "tlbflush_direct" || one.name == "tlbflush_extended";
    if (variant && one.text == "on") into.insert(one.name);
  }
}

}  // namespace

void add_domain_capabilities(HostProfile &profile, std::string_view xml, bool with_cpu) {
  const xml::Element root = xml::parse(xml, kDomainCapabilities);
  const xml::Element *cpu = root.child("cpu");
  if (with_cpu && cpu != nullptr) add_cpu(profile, *cpu);
  if (const xml::Element *devices = root.child("devices")) add_device_enums(profile, *devices);
  if (const xml::Element *features = root.child("features")) {
    const xml::Element *hyperv = features->child("hyperv");
    add_enum(profile.hyperv_features, hyperv, "features");
    add_variants(profile.hyperv_features, hyperv);
  }
}

void add_domain(HostProfile &profile, std::string_view xml) {
  const xml::Element root = xml::parse(xml, kDomain);
  const xml::Element *name = root.child("name");
  if (name == nullptr) return;
  profile.domain_names.insert(name->text);
  if (const xml::Element *uuid = root.child("uuid")) profile.domain_uuids.emplace(uuid->text, name->text);
  if (const std::string run = run_mark(root); !run.empty()) profile.domain_runs.emplace(name->text, run);
  for (const std::string &port : listen_ports(root)) profile.host_ports.emplace(port, name->text);
  const xml::Element *devices = root.child("devices");
  if (devices == nullptr) return;
  for (const xml::Element &device : devices->children) {
    const xml::Element *mac = device.name == "interface" ? device.child("mac") : nullptr;
    const std::string *address = mac == nullptr ? nullptr : mac->attribute("address");
    const auto parsed = address == nullptr ? std::nullopt : MacAddress::parse(*address);
    if (parsed) profile.mac_addresses.emplace(parsed->text(), name->text);
  }
}

void apply_version_rules(HostProfile &profile) {
  const bool session = ConnectionUri::parse(profile.uri).is_session();
  profile.network_backends.insert("default");
  // 9.0 knows the element and rejects it at define (measured); a libvirt whose domcapabilities have no <interface>
  // yet takes it from 9.2 on.
  constexpr unsigned kPasstSince = 9002000;
  if (profile.libvirt_version >= kPasstSince && profile.passt) profile.network_backends.insert("passt");
  if (profile.libvirt_version < kPasstSince || !profile.passt) profile.network_backends.erase("passt");
  // Before 10.0 a session daemon refuses it at define: "virtiofs is not yet supported in session mode" (measured, 9.0).
  constexpr unsigned kSessionVirtiofsSince = 10000000;
  if (!profile.virtiofsd || (session && profile.libvirt_version < kSessionVirtiofsSince)) {
    profile.filesystem_drivers.erase("virtiofs");
  }
  // domcapabilities list the emulator backend when swtpm is there; define wants swtpm_setup too (measured, 9.0).
  if (!profile.swtpm_setup) profile.tpm_backends.erase("emulator");
}

std::filesystem::path directory_of_pool(std::string_view xml) {
  const xml::Element root = xml::parse(xml, kPool);
  const xml::Element *target = root.child("target");
  const xml::Element *path = target == nullptr ? nullptr : target->child("path");
  if (path == nullptr || !has(root, "type", "dir")) return {};
  return path->text;
}

}  // namespace ferry::libvirt
