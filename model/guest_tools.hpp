// SPDX-License-Identifier: Apache-2.0
// What a platform's makers put into guests, as a look at their disks and their agents tell of it.
#pragma once

#include <array>

namespace ferry {

inline constexpr const char *kVmwareTools = "VMware Tools";
inline constexpr const char *kOpenVmTools = "open-vm-tools";
inline constexpr const char *kGuestAdditions = "VirtualBox Guest Additions";
inline constexpr const char *kQemuAgent = "QEMU guest agent";
inline constexpr const char *kSpiceAgent = "SPICE agent";
inline constexpr const char *kXenDrivers = "Xen drivers";
inline constexpr const char *kParallelsTools = "Parallels Tools";

// A program of Linux by which they are known.
struct LinuxTool {
  const char *file, *name;
};
inline constexpr std::array kLinuxTools{
    LinuxTool{"usr/bin/vmtoolsd", kOpenVmTools}, LinuxTool{"usr/sbin/VBoxService", kGuestAdditions},
    LinuxTool{"usr/sbin/qemu-ga", kQemuAgent}, LinuxTool{"usr/bin/qemu-ga", kQemuAgent},
    LinuxTool{"usr/bin/spice-vdagent", kSpiceAgent}};

}  // namespace ferry
