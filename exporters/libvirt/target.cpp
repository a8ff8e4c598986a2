// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/target.hpp"

#include <utility>

#include "exporters/libvirt/export.hpp"
#include "exporters/libvirt/findings.hpp"
#include "exporters/libvirt/host/domain_files.hpp"
#include "exporters/libvirt/host/run_mark.hpp"
#include "exporters/libvirt/host/start_needs.hpp"

namespace ferry::libvirt {
namespace {

constexpr unsigned kNewUefiInternal = 10'009'000;  // libvirt 10.9, by its release notes

target::Target::Facts facts_of(const HostProfile &host) {
  return {.name = host.name,
          .place = host.uri,
          .assumed = host.built_in,
          .image_folder = host.image_folder,
          .taken = {.names = host.domain_names,
                    .uuids = host.domain_uuids,
                    .macs = host.mac_addresses,
                    .runs = host.domain_runs,
                    .ports = host.host_ports}};
}

}  // namespace

Target::Target(HostProfile host) : target::Target(facts_of(host)), host_(std::move(host)) {}

std::optional<target::FirmwareImage> Target::choose_firmware(const Hardware &hardware, bool secure_boot) const {
  return libvirt::choose_firmware(hardware, host_, secure_boot);
}

target::Result Target::describe(const target::Request &request) const { return export_domain({request, &host_}); }

std::string Target::describe_snapshot(const target::SnapshotRequest &request) const { return snapshot_xml(request); }

std::optional<Finding> Target::snapshot_limits(const Hardware &hardware) const {
  if (hardware.firmware.type == FirmwareType::bios || host_.libvirt_version >= kNewUefiInternal) return std::nullopt;
  return raise(kSnapshotNewUefi, hardware.firmware.origin,
               "this host's libvirt can revert to the snapshots of a UEFI machine, but cannot take new ones");
}

std::string Target::with_run_mark(const std::string &document, const std::string &run) const {
  return libvirt::with_run_mark(document, run);
}

void Target::add_files(const std::string &document, target::MachineFiles &files) const {
  add_files_of_domain(document, files);
}

void Target::refuse_start(const target::Start &start) const { refuse_what_cannot_start(start, host_.bridges); }

}  // namespace ferry::libvirt
