// SPDX-License-Identifier: Apache-2.0
// What the VirtualBox importer can say about a machine.
#pragma once

#include "model/finding.hpp"

namespace ferry::vbox {

inline constinit FindingList finding_list;

inline const FindingKind kMediumUnknown{
    finding_list, "vbox.medium-unknown", Severity::critical,
    "The UUID of an attached disk is in none of the media registries that were found.",
    "Name the source host's VirtualBox.xml with --virtualbox-registry, or copy the machine that owns the disk beside "
    "this one."};
inline const FindingKind kRemovableUnknown{finding_list, "vbox.removable-unknown", Severity::warning,
                                           "The UUID of an attached CD or floppy image is in none of the media "
                                           "registries that were found; the drive stays empty.",
                                           "Insert the image again after the migration."};
inline const FindingKind kFileMissing{
    finding_list, "vbox.file-missing", Severity::critical,
    "The file of an attached disk is neither where the registry says nor beside the machine.",
    "Copy the image file beside the .vbox file, or name its folder with --search."};
inline const FindingKind kRemovableMissing{
    finding_list, "vbox.removable-missing", Severity::warning,
    "The file of an inserted CD or floppy image is neither where the registry says nor beside the machine.",
    "Copy the image beside the .vbox file, name its folder with --search, or insert it again after the migration."};
inline const FindingKind kFoundElsewhere{
    finding_list, "vbox.found-elsewhere", Severity::info,
    "An image file is not where the registry says; one of the same name beside the machine is used.",
    "Make sure that it is the same image."};
inline const FindingKind kForeignRegistry{
    finding_list, "vbox.foreign-registry", Severity::info,
    "A disk of this machine is listed in another file: a linked clone, a multi-attach disk or an old machine.",
    "Keep that file and its disks until the migration is done."};
inline const FindingKind kRegistryUnreadable{finding_list, "vbox.registry-unreadable", Severity::warning,
                                             "Another settings file that may list this machine's disks cannot be read.",
                                             "If a disk is not found, correct or remove that file."};
inline const FindingKind kMediumEncrypted{
    finding_list, "vbox.medium-encrypted", Severity::critical, "A disk is encrypted by VirtualBox.",
    "Leave the disk out with --skip-disk, or decrypt it: VBoxManage encryptmedium "
    "UUID --old-password FILE, which starts no machine and needs no kernel "
    "module."};
inline const FindingKind kMediumDevice{finding_list, "vbox.medium-device", Severity::critical,
                                       "The location of a disk is a device or another special file.",
                                       "Make an image of the device and attach that instead."};
inline const FindingKind kIscsi{
    finding_list, "vbox.iscsi", Severity::critical, "A disk is an iSCSI target on the network, not an image file.",
    "Leave the disk out with --skip-disk, and attach the target to the new machine by hand."};
inline const FindingKind kViso{finding_list, "vbox.viso", Severity::warning,
                               "VirtualBox assembles a CD from a list of files (.viso); the drive stays empty.",
                               "If the guest still needs it, make an ISO image of the files and insert that."};
inline const FindingKind kNewerVersion{finding_list, "vbox.newer-version", Severity::warning,
                                       "The settings version is newer than any that virt-ferry knows.",
                                       "Update virt-ferry, or compare the plan with the source machine."};
inline const FindingKind kUnknownValue{finding_list, "vbox.unknown-value", Severity::warning,
                                       "A setting has a value that virt-ferry does not know; the nearest one is used.",
                                       "Compare the plan with the source machine."};
inline const FindingKind kDiskUnused{
    finding_list, "vbox.disk-unused", Severity::warning,
    "The machine's registry lists a disk that neither the machine nor a snapshot of it uses; it is not carried over.",
    "If the guest needs it, convert it with 'virt-ferry disk convert' and attach it."};
inline const FindingKind kDiskLocked{
    finding_list, "vbox.disk-locked", Severity::critical,
    "VirtualBox noted that the password of an encrypted disk was missing; no guest can read a copy of such a disk.",
    "Leave a disk that is still encrypted out with --skip-disk, or decrypt it: VBoxManage encryptmedium FILE "
    "--old-password FILE, which starts no machine and needs no kernel module."};
inline const FindingKind kNvramMissing{
    finding_list, "vbox.nvram-missing", Severity::warning,
    "The file of EFI variables does not exist: boot entries and Secure Boot keys are lost.",
    "Copy the .nvram file beside the .vbox file, or be ready to choose the boot loader once in the firmware's menu."};
inline const FindingKind kNvramEncrypted{
    finding_list, "vbox.nvram-encrypted", Severity::warning, "The EFI variables are encrypted and cannot be read.",
    "If the guest does not boot, choose its boot loader once in the firmware's boot menu."};
inline const FindingKind kAborted{finding_list, "vbox.aborted", Severity::warning,
                                  "VirtualBox ended without shutting the guest down: its file systems may be dirty.",
                                  "Let the guest check its file systems when it first starts."};
inline const FindingKind kAutoReset{
    finding_list, "vbox.auto-reset", Severity::info,
    "The differencing image of an immutable disk is left behind: VirtualBox would empty it at the next start.",
    "Use --disk-changes keep to keep what the guest wrote there."};
inline const FindingKind kAutoResetKept{
    finding_list, "vbox.auto-reset-kept", Severity::warning,
    "What the guest wrote to an immutable disk becomes a part of it, because --disk-changes keep was asked for.",
    "Use --disk-changes discard if the machine should forget its changes at each start, as it did."};
inline const FindingKind kCurrentSnapshot{finding_list, "vbox.current-snapshot", Severity::warning,
                                          "The machine's current snapshot is not in its snapshot tree.",
                                          "Check which snapshot the machine's current state continues."};
inline const FindingKind kHostPci{finding_list, "vbox.host-pci", Severity::warning,
                                  "A PCI device of the host was passed through to the guest; it is left out.",
                                  "Add a <hostdev> by hand; it needs qemu:///system."};
inline const FindingKind kAcpiTable{
    finding_list, "vbox.acpi-table", Severity::warning,
    "The machine gives its guest an ACPI table from a file (often the SLIC of Windows).",
    "Add <acpi><table type='slic'>FILE</table></acpi> to the domain if the guest's activation needs it."};
inline const FindingKind kNicBehindBridge{
    finding_list, "vbox.nic-behind-bridge", Severity::warning,
    "A network card sat behind a PCI bridge; the guest may give its interface another name.",
    "Match the interface by its MAC address in the guest."};

// All of the above, for the catalogue.

}  // namespace ferry::vbox
