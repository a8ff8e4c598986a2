// SPDX-License-Identifier: Apache-2.0
// What libvirt and QEMU print about a host, taken into a profile. Pure functions of text, so that they are tested
// on recorded output.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/libvirt/host/host_profile.hpp"

#include "support/xml.hpp"

namespace ferry::libvirt {

// virConnectGetCapabilities: emulator, machine types, the smaller vCPU limit of "pc" and "q35", and whether guests
// of type 'kvm' are offered, for `profile.architecture`. Throws Error malformed when it is not XML, and Error
// libvirt when that architecture has no emulator at all.
void add_capabilities(HostProfile &profile, std::string_view xml);

// virConnectGetDomainCapabilities of one machine type; sets are united, so call it for "pc" and for "q35".
// CPU modes and models are taken only when `with_cpu`: they belong to one virtualisation type, not to both.
void add_domain_capabilities(HostProfile &profile, std::string_view xml, bool with_cpu);

// `emulator -machine none -device help`: the device models under their libvirt names. domcapabilities does not list
// network cards, sound cards, SCSI and USB controllers, and distributions leave devices out (RHEL has no vmxnet3).
void add_devices(HostProfile &profile, std::string_view help);

// What upstream QEMU for x86 has, for an emulator that cannot be asked (a remote host).
void add_upstream_devices(HostProfile &profile);

// A defined domain's XML: its name, UUID and every interface's MAC go into the profile's tables.
void add_domain(HostProfile &profile, std::string_view xml);

// "tcp:2222" for each port of the host that the domain of this XML listens on when it runs.
[[nodiscard]] std::set<std::string> listen_ports(const xml::Element &domain);

// What the session's libvirt accepts only from some version on, whatever domcapabilities say.
void apply_version_rules(HostProfile &profile);

// The target folder of a directory pool's XML; empty for any other kind of pool.
[[nodiscard]] std::filesystem::path directory_of_pool(std::string_view xml);

}  // namespace ferry::libvirt
