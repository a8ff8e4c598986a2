// SPDX-License-Identifier: Apache-2.0
// EFI firmware for machines on VMware's PVSCSI or LSI's SAS 1068: what distributions build as a rule has no drivers for
// them. An image that has is used as it is where the machine does without Secure Boot, and one whose variables and code
// are one file is taken apart.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "exporters/target.hpp"
#include "migration/options.hpp"
#include "model/machine.hpp"

namespace ferry::migration {

// The controllers with disks, by libvirt's names, for which an EFI machine wants such a firmware; empty: none.
[[nodiscard]] std::set<std::string> scsi_wanted(const Hardware &hardware);

// Looks for it: the image that --firmware names, whatever the machine has; else this host's, where the machine wants it
// and no other host's profile is planned for. Throws Error missing, malformed and usage of what --firmware names.
[[nodiscard]] std::vector<target::FirmwareImage> find_scsi_firmware(const Hardware &hardware, const Options &options);

// Of those found, the one for this state of the machine; null: the host's usual one.
[[nodiscard]] const target::FirmwareImage *choose_scsi_firmware(const std::vector<target::FirmwareImage> &found,
                                                                const Hardware &hardware, bool asked, bool secure_boot);

}  // namespace ferry::migration
