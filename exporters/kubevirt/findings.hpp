// SPDX-License-Identifier: Apache-2.0
// Findings of KubeVirt as a target. docs/findings.md lists them with those of the other components.
#pragma once

#include "model/finding.hpp"

namespace ferry::kubevirt {

inline constinit FindingList finding_list;

inline const FindingKind kVariablesEmpty{
    finding_list, "kubevirt.variables-empty", Severity::warning,
    "The machine starts with empty UEFI variables: KubeVirt takes none from outside.",
    "Where the guest does not start by itself, choose its loader once in the firmware's boot manager."};
inline const FindingKind kTpmEmpty{finding_list, "kubevirt.tpm-empty", Severity::critical,
                                   "The machine's TPM starts empty: KubeVirt takes no state from outside.",
                                   "Have recovery keys at hand: what the guest sealed in its TPM does not open."};
inline const FindingKind kTpmOld{finding_list, "kubevirt.tpm-old", Severity::warning,
                                 "The machine has a TPM 1.2, and KubeVirt emulates a TPM 2.0 only: it has none.", ""};
inline const FindingKind kBusChanged{finding_list, "kubevirt.bus-changed", Severity::warning,
                                     "A disk is on another bus, because KubeVirt does not have the one that it was on.",
                                     "Choose another bus with --disk-bus if the guest has a driver for it."};
inline const FindingKind kRemovableDropped{
    finding_list, "kubevirt.removable-dropped", Severity::info,
    "The CD and floppy drives are left out: in a cluster each image would be a volume.",
    "Upload an image with 'virtctl image-upload' and add it to the machine as a cdrom disk where it is needed."};
inline const FindingKind kDiskWritable{
    finding_list, "kubevirt.disk-writable", Severity::warning,
    "A disk that was read-only, or forgot its changes, can be written to, and its changes stay.",
    "Choose --disk-bus scsi or virtio for a disk that is to stay read-only, if the guest has a driver for it."};
inline const FindingKind kMacos{finding_list, "kubevirt.macos", Severity::critical,
                                "macOS does not start: KubeVirt has no SMC, the chip by which macOS knows a Mac.",
                                "Migrate it to libvirt: leave --target kubevirt out."};
inline const FindingKind kSeedDropped{
    finding_list, "kubevirt.seed-dropped", Severity::warning,
    "What the old platform told the guest (cloud-init's data, OVF's properties) is left out.",
    "Where the guest still needs it, add a cloudInitNoCloud volume; cloud-init may then take the machine for a new "
    "one."};
inline const FindingKind kNicModel{finding_list, "kubevirt.nic-model", Severity::warning,
                                   "A network card is of another model, because KubeVirt does not have its own.",
                                   "Make sure that the guest has a driver for the new model."};
inline const FindingKind kNicPlace{
    finding_list, "kubevirt.nic-place", Severity::warning,
    "A network card is in another place, and a Linux guest may call it by another name.",
    "Look at the guest's network settings after its first start, from the console: 'virtctl console NAME'."};
inline const FindingKind kNicDropped{
    finding_list, "kubevirt.nic-dropped", Severity::warning,
    "A network card is left out: a machine of KubeVirt has one card on the pod network.",
    "Name the NetworkAttachmentDefinition that it belongs to: --network CARD=network:[NAMESPACE/]NAME."};
inline const FindingKind kPodNetwork{finding_list, "kubevirt.pod-network", Severity::info,
                                     "A network card is on the pod network, behind address translation.", ""};
inline const FindingKind kForwardDropped{
    finding_list, "kubevirt.forward-dropped", Severity::warning,
    "A port forward of the old host is left out: in a cluster a Service leads to the machine.",
    "Make one with 'virtctl expose'."};
inline const FindingKind kSerialNumber{
    finding_list, "kubevirt.serial-number", Severity::warning,
    "A disk's serial number has characters that KubeVirt does not take; the disk has none.",
    "Change what names the disk by its serial number in the guest: /dev/disk/by-id in fstab and the like."};
inline const FindingKind kTimeZone{
    finding_list, "kubevirt.time-zone", Severity::warning,
    "The guest's hardware clock shows local time, and the time zone of this computer is not known; it shows UTC.",
    "Set spec.template.spec.domain.clock.timezone in the manifest."};
inline const FindingKind kDeviceDropped{finding_list, "kubevirt.device-dropped", Severity::warning,
                                        "A device is left out, because KubeVirt does not have it.", ""};
inline const FindingKind kArgumentsDropped{finding_list, "kubevirt.arguments-dropped", Severity::warning,
                                           "QEMU arguments of the machine are left out: KubeVirt takes none.", ""};
inline const FindingKind kKernelDropped{
    finding_list, "kubevirt.kernel-dropped", Severity::critical,
    "The machine is started by a kernel from outside of its disks, which KubeVirt takes from a container image only.",
    "Build an image with the kernel, and name it in spec.template.spec.domain.firmware.kernelBoot."};

}  // namespace ferry::kubevirt
