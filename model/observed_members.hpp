// SPDX-License-Identifier: Apache-2.0
// The members of what a look into the disks found, as members.hpp has those of the machine.
#pragma once

#include "model/members.hpp"
#include "model/observed.hpp"

namespace ferry {

template <>
struct Members<ObservedVolume> {
  static constexpr std::tuple kAll{Member{"disk", &ObservedVolume::disk},
                                   Member{"number", &ObservedVolume::number},
                                   Member{"start", &ObservedVolume::start},
                                   Member{"length", &ObservedVolume::length},
                                   Member{"type", &ObservedVolume::type},
                                   Member{"content", &ObservedVolume::content},
                                   Member{"label", &ObservedVolume::label},
                                   Member{"id", &ObservedVolume::id},
                                   Member{"part_id", &ObservedVolume::part_id},
                                   Member{"dirty", &ObservedVolume::dirty, Written::when_changed},
                                   Member{"protectors", &ObservedVolume::protectors},
                                   Member{"problem", &ObservedVolume::problem},
                                   Member{"logical_volume", &ObservedVolume::logical_volume}};
};

template <>
struct Members<ObservedDisk> {
  static constexpr std::tuple kAll{Member{"number", &ObservedDisk::number}, Member{"table", &ObservedDisk::table},
                                   Member{"boot_code", &ObservedDisk::boot_code, Written::when_changed},
                                   Member{"problem", &ObservedDisk::problem}};
};

template <>
struct Members<ObservedService> {
  static constexpr std::tuple kAll{Member{"name", &ObservedService::name}, Member{"start", &ObservedService::start},
                                   Member{"start_override", &ObservedService::start_override},
                                   Member{"start_at", &ObservedService::start_at},
                                   Member{"override_at", &ObservedService::override_at}};
};

template <>
struct Members<ObservedControlSet> {
  static constexpr std::tuple kAll{Member{"number", &ObservedControlSet::number},
                                   Member{"services", &ObservedControlSet::services},
                                   Member{"san_policy", &ObservedControlSet::san_policy},
                                   Member{"san_policy_at", &ObservedControlSet::san_policy_at}};
};

template <>
struct Members<ObservedAddress> {
  static constexpr std::tuple kAll{Member{"adapter", &ObservedAddress::adapter},
                                   Member{"addresses", &ObservedAddress::addresses}};
};

template <>
struct Members<ObservedWindows> {
  static constexpr std::tuple kAll{Member{"disk", &ObservedWindows::disk},
                                   Member{"partition", &ObservedWindows::partition},
                                   Member{"folder", &ObservedWindows::folder},
                                   Member{"product", &ObservedWindows::product},
                                   Member{"version", &ObservedWindows::version},
                                   Member{"release", &ObservedWindows::release},
                                   Member{"architecture", &ObservedWindows::architecture},
                                   Member{"computer_name", &ObservedWindows::computer_name},
                                   Member{"server", &ObservedWindows::server, Written::when_changed},
                                   Member{"hibernated", &ObservedWindows::hibernated, Written::when_changed},
                                   Member{"fast_startup", &ObservedWindows::fast_startup, Written::when_changed},
                                   Member{"registry_dirty", &ObservedWindows::registry_dirty, Written::when_changed},
                                   Member{"current", &ObservedWindows::current},
                                   Member{"default_set", &ObservedWindows::default_set},
                                   Member{"last_known_good", &ObservedWindows::last_known_good},
                                   Member{"control_sets", &ObservedWindows::control_sets},
                                   Member{"addresses", &ObservedWindows::addresses},
                                   Member{"tools", &ObservedWindows::tools}};
};

template <>
struct Members<ObservedKernel> {
  static constexpr std::tuple kAll{Member{"version", &ObservedKernel::version},
                                   Member{"initramfs", &ObservedKernel::initramfs},
                                   Member{"examined", &ObservedKernel::examined, Written::when_changed},
                                   Member{"host_only", &ObservedKernel::host_only, Written::when_changed},
                                   Member{"drivers", &ObservedKernel::drivers},
                                   Member{"problem", &ObservedKernel::problem}};
};

template <>
struct Members<ObservedMount> {
  static constexpr std::tuple kAll{Member{"file", &ObservedMount::file}, Member{"device", &ObservedMount::device},
                                   Member{"target", &ObservedMount::target}};
};

template <>
struct Members<ObservedInterface> {
  static constexpr std::tuple kAll{Member{"file", &ObservedInterface::file}, Member{"name", &ObservedInterface::name}};
};

template <>
struct Members<ObservedLinux> {
  static constexpr std::tuple kAll{Member{"disk", &ObservedLinux::disk},
                                   Member{"partition", &ObservedLinux::partition},
                                   Member{"id", &ObservedLinux::id},
                                   Member{"version", &ObservedLinux::version},
                                   Member{"product", &ObservedLinux::product},
                                   Member{"architecture", &ObservedLinux::architecture},
                                   Member{"host_name", &ObservedLinux::host_name},
                                   Member{"kernels", &ObservedLinux::kernels},
                                   Member{"mounts", &ObservedLinux::mounts},
                                   Member{"interfaces", &ObservedLinux::interfaces},
                                   Member{"cloud_init", &ObservedLinux::cloud_init, Written::when_changed},
                                   Member{"instance_id", &ObservedLinux::instance_id},
                                   Member{"tools", &ObservedLinux::tools}};
};

template <>
struct Members<ObservedLoader> {
  static constexpr std::tuple kAll{Member{"disk", &ObservedLoader::disk},
                                   Member{"partition", &ObservedLoader::partition},
                                   Member{"file", &ObservedLoader::file}};
};

template <>
struct Members<Observed> {
  static constexpr std::tuple kAll{
      Member{"disks", &Observed::disks},     Member{"volumes", &Observed::volumes},
      Member{"windows", &Observed::windows}, Member{"linux_systems", &Observed::linux_systems},
      Member{"loaders", &Observed::loaders}, Member{"bytes_read", &Observed::bytes_read}};
};

}  // namespace ferry
