// SPDX-License-Identifier: Apache-2.0
// The tables behind known_keys.hpp, and the reasons that more than one of them gives.
#pragma once

#include <span>

#include "importers/vmware/known_keys.hpp"

namespace ferry::vmware {

inline constexpr Disposition kIrrelevant = Disposition::irrelevant;
inline constexpr Disposition kDropped = Disposition::dropped;

inline constexpr std::string_view kHousekeeping = "VMware's own housekeeping";
inline constexpr std::string_view kWindow = "how VMware's window shows the machine";
inline constexpr std::string_view kHost = "steers the source host, not the guest";
inline constexpr std::string_view kHostShare =
    "how VMware shares out its host; set limits on the new machine if you need them";
inline constexpr std::string_view kLimit =
    "a limit or share of the host's resources; set it on the new machine (cputune, memtune, iotune) if you need it";
inline constexpr std::string_view kPower = "what VMware's power buttons do; libvirt's shut the guest down by ACPI";
inline constexpr std::string_view kTools = "VMware Tools do nothing on QEMU; use the QEMU guest agent and SPICE agent";
inline constexpr std::string_view kMonitor = "tunes VMware's own monitor";
inline constexpr std::string_view kGuestChannel =
    "a channel between VMware Tools and their host, which QEMU does not have";
inline constexpr std::string_view kSlot = "only the slots of disk and USB controllers and of network cards are kept";
inline constexpr std::string_view kBridge =
    "bridges are laid out anew; the slots of the devices are kept where QEMU allows it";
inline constexpr std::string_view kVmci = "VMware's VMCI device has no counterpart; only VMware's own software uses it";
inline constexpr std::string_view kSnapshots = "VMware's policy on snapshots, which its list (.vmsd) holds";
inline constexpr std::string_view kCluster = "belongs to vCenter, vMotion, fault tolerance or replication";
inline constexpr std::string_view kEncryption = "VMware's encryption of the settings themselves";
inline constexpr std::string_view kConfidential =
    "encrypted memory is bound to its host; set it up by hand where this host has it";
inline constexpr std::string_view kBacking = "how the source host stores the device; the new one is stored anew";
inline constexpr std::string_view kPassthrough = "a device of the source's host; pass one of this host through by hand";
inline constexpr std::string_view kMac = "details of a Mac's board, which only macOS guests look at";
inline constexpr std::string_view kDebug = "a debugging aid of VMware's";

// Keys of .vmx files: first those about VMware's platform, then those about the machine's hardware.
[[nodiscard]] std::span<const KeyRule> platform_rules();
[[nodiscard]] std::span<const KeyRule> hardware_rules();
// Properties of vSphere's VirtualMachineConfigSpec, and of VirtualDevice and its kinds.
[[nodiscard]] std::span<const KeyRule> machine_config_rules();
[[nodiscard]] std::span<const KeyRule> device_config_rules();

}  // namespace ferry::vmware
