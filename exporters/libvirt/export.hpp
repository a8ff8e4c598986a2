// SPDX-License-Identifier: Apache-2.0
// From a machine and a host profile to libvirt's domain XML: a pure function.
#pragma once

#include <optional>
#include <string>

#include "exporters/libvirt/host/host_profile.hpp"
#include "exporters/target.hpp"
#include "model/machine.hpp"

namespace ferry::libvirt {

struct ExportInput : target::Request {
  const HostProfile *host = nullptr;
};

// Never touches the host. Throws Error unsupported for a machine that no libvirt/QEMU x86 host can run
// (ARM guest, unknown chipset).
[[nodiscard]] target::Result export_domain(const ExportInput &input);

// Which firmware pair suits the machine on this host: from one descriptor, raw, x86_64 or i386, the
// right size class. nullopt for BIOS machines. Throws Error unsupported when an EFI machine meets a host without.
[[nodiscard]] std::optional<target::FirmwareImage> choose_firmware(const Hardware &hardware, const HostProfile &host,
                                                                   bool secure_boot);

// Snapshot metadata for virDomainSnapshotCreateXML(REDEFINE).
[[nodiscard]] std::string snapshot_xml(const target::SnapshotRequest &input);

}  // namespace ferry::libvirt
