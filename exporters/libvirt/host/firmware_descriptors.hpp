// SPDX-License-Identifier: Apache-2.0
// The firmware descriptors of a host: QEMU's docs/interop/firmware.json, found by libvirt's rules.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "exporters/libvirt/host/host_profile.hpp"

namespace ferry::libvirt {

// Folders in rising priority: the system's, the administrator's, the user's.
[[nodiscard]] std::vector<std::filesystem::path> firmware_folders();

// Reads every descriptor of `folders` (rising priority): a file hides those of the same name in folders before, an
// empty one hides without replacing; the order is by file name. Kept are UEFI images for split raw flash whose two
// files exist, one entry per target architecture. A descriptor that cannot be read is skipped, as libvirt does.
[[nodiscard]] std::vector<target::FirmwareImage> read_firmware_descriptors(
    const std::vector<std::filesystem::path> &folders);

// One descriptor's JSON, without looking at the files it names; empty when it is not of the kept kind.
[[nodiscard]] std::vector<target::FirmwareImage> parse_firmware_descriptor(std::string_view json);

}  // namespace ferry::libvirt
