// SPDX-License-Identifier: Apache-2.0
// From a machine and a host profile to libvirt's domain XML: a pure function.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exporters/libvirt/host/host_profile.hpp"
#include "exporters/target.hpp"
#include "model/machine.hpp"

namespace ferry::libvirt {

using TargetMedium = target::Medium;
using TargetFirmware = target::Firmware;
using TargetNic = target::Nic;
using TargetDisk = target::Disk;
using ListenPort = target::ListenPort;

struct ExportInput : target::Request {
  const HostProfile *host = nullptr;
};

struct ExportResult {
  std::string domain_xml;
  std::vector<TargetNic> nics;
  std::vector<TargetDisk> disks;
  bool has_tpm = false;  // the domain has an emulated one
  std::vector<ListenPort> listen;
  std::uint64_t memory = 0;  // bytes
  std::vector<Finding> findings;
  std::vector<Settlement> settlements;  // what became of each field of the model
};

// Never touches the host. Throws Error unsupported for a machine that no libvirt/QEMU x86 host can run
// (ARM guest, unknown chipset).
[[nodiscard]] ExportResult export_domain(const ExportInput &input);

// Which firmware pair suits the machine on this host: from one descriptor, raw, x86_64 or i386, the
// right size class. nullopt for BIOS machines. Throws Error unsupported when an EFI machine meets a host without.
[[nodiscard]] std::optional<FirmwareDescriptor> choose_firmware(const Hardware &hardware, const HostProfile &host,
                                                                bool secure_boot);

// Snapshot metadata for virDomainSnapshotCreateXML(REDEFINE).
[[nodiscard]] std::string snapshot_xml(const target::SnapshotRequest &input);

}  // namespace ferry::libvirt
