// SPDX-License-Identifier: Apache-2.0
// What the host itself says, beside libvirt: files, programs and the kernel.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "exporters/libvirt/host/host_profile.hpp"

namespace ferry::libvirt {

// Where virt-manager keeps a session's images: $XDG_DATA_HOME/libvirt/images.
[[nodiscard]] std::filesystem::path session_image_folder();

// Whether /dev/kvm makes a virtual machine for this process. nullopt when permission is missing, so that only a
// daemon of another user can know. The device may exist and be opened and still not work (nested hosts).
[[nodiscard]] std::optional<bool> kvm_works();
// Why it does not: `flags` is a processor's line of /proc/cpuinfo; `opened` is what open() of the device said (0 or
// errno). A hypervisor that passes its processor's flags on but not the device looks like a missing module.
[[nodiscard]] KvmLack kvm_lack(std::string_view flags, int opened);
[[nodiscard]] KvmLack kvm_lack();

// virtiofsd as libvirt finds it: a vhost-user descriptor of type "fs" below `folder` whose binary exists.
inline constexpr const char *kVhostUserFolder = "/usr/share/qemu/vhost-user";
[[nodiscard]] bool has_virtiofsd(const std::filesystem::path &folder = kVhostUserFolder);

// The rules of qemu-bridge-helper's configuration: of the bridges in `existing`, those that are allowed and not
// denied (a denial wins whatever the order). `include` lines are followed, at most 16 deep. A missing file allows
// nothing.
[[nodiscard]] std::set<std::string> allowed_bridges(const std::filesystem::path &configuration,
                                                    const std::set<std::string> &existing);
// Bridges of this host's kernel.
[[nodiscard]] std::set<std::string> kernel_bridges();
// Whether qemu-bridge-helper is installed with the right to make tap devices (set-uid root or file capabilities;
// Debian installs it without).
[[nodiscard]] bool bridge_helper_is_privileged();

// "Debian GNU/Linux 12 (bookworm)"; empty when the host does not say.
[[nodiscard]] std::string host_os_name();
[[nodiscard]] bool host_has_ipv6();
// The release of osinfo-db in that folder, as its VERSION says it: 20221203. 0 without one.
[[nodiscard]] unsigned osinfo_db_release(const std::filesystem::path &folder = "/usr/share/osinfo");

// Standard output of `emulator -machine none -device help`, within 20 seconds; empty when it cannot
// be run. The program is started without a shell, with no standard input.
[[nodiscard]] std::string emulator_device_help(const std::filesystem::path &emulator);

// Whether this user may draw with a GPU of this host (/dev/dri/renderD128 and the like).
[[nodiscard]] bool has_render_node();

}  // namespace ferry::libvirt
