// SPDX-License-Identifier: Apache-2.0
// What the VirtualBox importer can say about a machine.
#pragma once

#include <span>

#include "model/finding.hpp"

namespace ferry::vbox {

inline constexpr FindingKind kMediumUnknown{
    "vbox.medium-unknown", Severity::critical,
    "A disk is attached whose UUID is in no media registry that could be found.",
    "Name VirtualBox's VirtualBox.xml, or copy the machine that owns the disk beside this one."};
inline constexpr FindingKind kRemovableUnknown{
    "vbox.removable-unknown", Severity::warning,
    "A CD or floppy image is attached whose UUID is in no media registry that could be found; the drive stays empty.",
    "Insert the image again after the migration."};
inline constexpr FindingKind kFileMissing{
    "vbox.file-missing", Severity::critical,
    "The file of an attached disk is not where the registry says, nor beside the machine.",
    "Copy the image file beside the .vbox file."};
inline constexpr FindingKind kRemovableMissing{
    "vbox.removable-missing", Severity::warning,
    "The file of an inserted CD or floppy image is not where the registry says, nor beside the machine.",
    "Copy the image beside the .vbox file, or insert it again after the migration."};
inline constexpr FindingKind kFoundElsewhere{
    "vbox.found-elsewhere", Severity::info,
    "An image file is not where the registry says; one of the same name beside the machine is taken.",
    "Check that it is the same image when there are several copies."};
inline constexpr FindingKind kForeignRegistry{
    "vbox.foreign-registry", Severity::info,
    "A disk of this machine is listed by another file: a linked clone, a multi-attach disk or an old machine.",
    "Keep that file and its disks until the migration is done."};
inline constexpr FindingKind kRegistryUnreadable{
    "vbox.registry-unreadable", Severity::warning,
    "Another settings file that may list this machine's disks cannot be read.",
    "Correct or remove that file when a disk is not found."};
inline constexpr FindingKind kMediumEncrypted{"vbox.medium-encrypted", Severity::critical,
                                              "A disk is encrypted by VirtualBox.",
                                              "Decrypt it first: VBoxManage encryptmedium UUID --old-password FILE."};
inline constexpr FindingKind kMediumDevice{"vbox.medium-device", Severity::critical,
                                           "The location of a disk is a device or another special file.",
                                           "Make an image of the device and attach that instead."};
inline constexpr FindingKind kIscsi{
    "vbox.iscsi", Severity::critical, "A disk is an iSCSI target on the network, not an image file.",
    "Log in to the target on the new host and attach it by hand, or clone it to a VDI."};
inline constexpr FindingKind kViso{
    "vbox.viso", Severity::warning,
    "A CD is put together by VirtualBox from a list of files when it is read (.viso); the drive stays empty.",
    "Make an ISO of the files and insert it, if the guest still needs it."};
inline constexpr FindingKind kNewerVersion{"vbox.newer-version", Severity::warning,
                                           "The settings version is newer than any that virt-ferry knows.",
                                           "Compare the plan with the machine in VirtualBox, and update virt-ferry."};
inline constexpr FindingKind kUnknownValue{"vbox.unknown-value", Severity::warning,
                                           "A setting has a value that virt-ferry does not know; the nearest is taken.",
                                           "Compare the plan with the machine in VirtualBox."};
inline constexpr FindingKind kDiskUnused{
    "vbox.disk-unused", Severity::warning,
    "The machine's registry lists a disk that is in no drive, in no state; it is not carried over.",
    "Convert it with 'virt-ferry disk convert' and attach it, if the guest needs it."};
inline constexpr FindingKind kDiskLocked{
    "vbox.disk-locked", Severity::critical,
    "VirtualBox noted that a disk is encrypted and its password was missing; such a disk's copy holds nothing that a "
    "guest can read.",
    "If a disk is still encrypted, decrypt it (VBoxManage encryptmedium FILE --old-password FILE) and migrate again."};
inline constexpr FindingKind kNvramMissing{
    "vbox.nvram-missing", Severity::warning,
    "The file with the EFI variables is named but not there: boot entries and Secure Boot keys are lost.",
    "Copy the .nvram file beside the .vbox file, or be ready to choose the boot loader once in the firmware's menu."};
inline constexpr FindingKind kNvramEncrypted{
    "vbox.nvram-encrypted", Severity::warning, "The EFI variables are encrypted and cannot be read.",
    "Decrypt the machine in VirtualBox first, or choose the boot loader once in the firmware's menu."};
inline constexpr FindingKind kAborted{
    "vbox.aborted", Severity::warning,
    "VirtualBox ended without shutting the guest down: its file systems may be dirty.",
    "Start the machine once in VirtualBox and shut it down."};
inline constexpr FindingKind kAutoReset{
    "vbox.auto-reset", Severity::info,
    "The differencing image of an immutable disk is left behind: VirtualBox would empty it at the next start.",
    "To keep what the guest wrote there, switch that off first: VBoxManage modifymedium disk UUID --autoreset off."};
inline constexpr FindingKind kCurrentSnapshot{
    "vbox.current-snapshot", Severity::warning,
    "The snapshot that the machine names as its current one is not in its snapshot tree.",
    "Check which snapshot the machine grew out of."};
inline constexpr FindingKind kHostPci{"vbox.host-pci", Severity::warning,
                                      "A PCI device of the host is passed through to the guest; it is left out.",
                                      "Add a <hostdev> by hand; it needs qemu:///system."};
inline constexpr FindingKind kAcpiTable{
    "vbox.acpi-table", Severity::warning,
    "The machine gives its guest an ACPI table of the user's (often Windows' SLIC).",
    "Add <acpi><table type='slic'>FILE</table></acpi> to the domain when the guest's activation needs it."};
inline constexpr FindingKind kNicBehindBridge{
    "vbox.nic-behind-bridge", Severity::warning,
    "A network card sat behind a PCI bridge; the guest may give its interface another name.",
    "Match the interface by its MAC address in the guest."};

// All of the above, for the catalogue.
[[nodiscard]] std::span<const FindingKind *const> finding_kinds();

}  // namespace ferry::vbox
