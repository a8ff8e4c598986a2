// SPDX-License-Identifier: Apache-2.0
// The findings that the VMware importer raises.
#pragma once

#include "model/finding.hpp"

namespace ferry::vmx {

inline constinit FindingList finding_list;

inline const FindingKind kDuplicateKey{finding_list, "vmx.duplicate-key", Severity::warning,
                                       "A key appears in the file more than once, with different values.",
                                       "Check which of the values is meant."};
inline const FindingKind kOddLine{
    finding_list, "vmx.odd-line", Severity::warning,
    "A line of the file is not valid in VMware's syntax; as much of it as possible was read.",
    "Check the value in the report."};
inline const FindingKind kFreeText{finding_list, "vmx.free-text", Severity::info,
                                   "The file contains text that is not a setting; VMware ignores it.", ""};
inline const FindingKind kUndecodable{finding_list, "vmx.undecodable", Severity::warning,
                                      "Characters of a value are not valid in the file's text encoding.",
                                      "Check the value; where it names a file, correct the name in the .vmx."};
inline const FindingKind kEncodingGuess{finding_list, "vmx.encoding-guess", Severity::warning,
                                        "The file is not in the text encoding that it declares.",
                                        "Check the names and paths in the report."};
inline const FindingKind kBadValue{finding_list, "vmx.bad-value", Severity::warning,
                                   "A setting has a value that VMware does not know; its default is used.",
                                   "If the default is not what you want, correct the value in the .vmx."};
inline const FindingKind kScsiDefault{finding_list, "vmx.scsi-default", Severity::warning,
                                      "The SCSI controller's type is not set; VMware chooses it by the guest system.",
                                      "If the guest does not find its disk, choose another bus with --disk-bus."};
inline const FindingKind kControllerAssumed{
    finding_list, "vmx.controller-assumed", Severity::info,
    "Drives are attached to a controller that the file does not declare; it is assumed to be present.", ""};
inline const FindingKind kMediumMissing{finding_list, "vmx.medium-missing", Severity::warning,
                                        "A disk, CD or floppy image that the machine names was not found.",
                                        "Copy the file beside the .vmx, or name its folder with --search."};
inline const FindingKind kMediumElsewhere{
    finding_list, "vmx.medium-elsewhere", Severity::info,
    "A medium was not found at the path in the file; one of the same name beside the .vmx is used.",
    "Make sure that it is the same image."};
inline const FindingKind kMediumNotAFile{finding_list, "vmx.medium-not-a-file", Severity::critical,
                                         "A medium's path names something that is not a regular file.",
                                         "Make an image of it and attach that."};
inline const FindingKind kRedoLog{finding_list, "vmx.redo-log", Severity::critical,
                                  "A disk has changes in a redo log that were neither committed nor discarded.",
                                  "Take them with --disk-changes keep, or leave them behind with --disk-changes "
                                  "discard."};
inline const FindingKind kRedoLogTaken{
    finding_list, "vmx.redo-log-taken", Severity::warning,
    "The changes in a disk's redo log become a part of it, because --disk-changes keep was asked for.",
    "Let the guest check its file systems when it first starts."};
inline const FindingKind kRedoLogLeft{
    finding_list, "vmx.redo-log-left", Severity::warning,
    "The changes in a disk's redo log are left behind, because --disk-changes discard was asked for.",
    "Keep the redo log until the guest has all its files."};
inline const FindingKind kRawDisk{
    finding_list, "vmx.raw-disk", Severity::critical, "A disk is mapped to a disk or LUN of the source's host.",
    "Make an image of it, or leave it out with --skip-disk and attach it to the new machine by "
    "hand."};
inline const FindingKind kNvramMissing{finding_list, "vmx.nvram-missing", Severity::warning,
                                       "The firmware's variables (.nvram) were not found.",
                                       "Copy the .nvram file beside the .vmx."};
inline const FindingKind kPartlyEncrypted{
    finding_list, "vmx.partly-encrypted", Severity::warning,
    "The machine is partly encrypted: its firmware variables and its TPM state cannot be read.",
    "Have the recovery keys of BitLocker or LUKS at hand when you first start the new machine."};
inline const FindingKind kHostSerial{finding_list, "vmx.host-identity", Severity::warning,
                                     "The guest was shown its host's SMBIOS strings, which the file does not contain.",
                                     "Set the strings by hand if software in the guest depends on them."};
inline const FindingKind kSerialProxy{finding_list, "vmx.serial-proxy", Severity::warning,
                                      "A serial port is connected through a concentrator or an encrypted link.",
                                      "Connect the port by hand after the migration."};
inline const FindingKind kPassthrough{finding_list, "vmx.passthrough", Severity::warning,
                                      "A device of the source's host is passed through to the guest.",
                                      "Attach a device of this host by hand."};
inline const FindingKind kGuestinfo{finding_list, "vmx.guestinfo", Severity::warning,
                                    "The guest reads its configuration from a guestinfo key that cannot be handed to "
                                    "it otherwise.",
                                    "Configure the guest by hand, or from a CD that its software reads."};
inline const FindingKind kPassword{finding_list, "vmx.remote-display-password", Severity::info,
                                   "The remote display had a password; it is not carried over.",
                                   "Set one on the new machine if its display can be reached from outside."};
inline const FindingKind kSuspended{
    finding_list, "vmx.suspended", Severity::critical, "The machine is suspended; its memory cannot be carried over.",
    "Use --discard-saved-state to migrate its disks as after a power cut; only VMware can resume it."};
inline const FindingKind kSnapshotHardware{
    finding_list, "vmx.snapshot-hardware", Severity::warning,
    "The hardware at the time of a snapshot could not be read; the current hardware is used with the snapshot's disks.",
    "Check the snapshot's devices before you revert to it."};
inline const FindingKind kSnapshotParent{finding_list, "vmx.snapshot-parent", Severity::warning,
                                         "A snapshot's parent is not in the list, or the list contains a loop.",
                                         "Check the tree of snapshots of the new machine."};
inline const FindingKind kSnapshotNode{
    finding_list, "vmx.snapshot-disk", Severity::warning,
    "A disk of a snapshot is attached to a controller that the machine does not have.",
    "Check the snapshot's disks before you revert to it."};
inline const FindingKind kSnapshotList{finding_list, "vmx.snapshot-list", Severity::warning,
                                       "The list of snapshots (.vmsd) cannot be read.",
                                       "Take the current state alone with --snapshots flatten."};
inline const FindingKind kFixedTime{finding_list, "vmx.fixed-time", Severity::warning,
                                    "The machine's clock starts at a fixed time at each power-on.",
                                    "Set the clock by hand if software in the guest depends on that time."};

}  // namespace ferry::vmx
