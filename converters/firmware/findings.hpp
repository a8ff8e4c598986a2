// SPDX-License-Identifier: Apache-2.0
// What a user is told about firmware variables and TPM state.
#pragma once

#include "model/finding.hpp"

namespace ferry::firmware {

inline constinit FindingList finding_list;

inline const FindingKind kVariablesEncrypted{
    finding_list, "firmware.variables-encrypted", Severity::warning,
    "The source's UEFI variables are encrypted, so the machine starts with the host's blank variable store.",
    "If the guest does not boot, choose its boot loader once in the firmware's boot menu."};
inline const FindingKind kVariablesUnreadable{
    finding_list, "firmware.variables-unreadable", Severity::warning,
    "The source's file of UEFI variables is damaged or of an unknown kind, so the machine starts with the host's "
    "blank variable store.",
    "If the guest does not boot, choose its boot loader once in the firmware's boot menu."};
inline const FindingKind kBootEntriesCarried{finding_list, "firmware.boot-entries-carried", Severity::info,
                                             "The guest's own UEFI boot entries were carried over, in their order.",
                                             ""};
inline const FindingKind kBootEntryDropped{
    finding_list, "firmware.boot-entry-dropped", Severity::info,
    "A UEFI boot entry of the source was left out because it does not name a file on a partition.",
    "Make it again inside the guest, unless the firmware had made it itself."};
inline const FindingKind kNoBootEntry{
    finding_list, "firmware.no-boot-entry", Severity::warning,
    "No UEFI boot entry of the source could be carried over, so the firmware looks for \\EFI\\BOOT\\BOOTX64.EFI on "
    "each "
    "disk.",
    "If the guest ends in the UEFI shell, choose its loader once with the firmware's Boot Maintenance Manager and "
    "install the guest's boot loader again."};
inline const FindingKind kBootEntriesMade{
    finding_list, "firmware.boot-entries-made", Severity::info,
    "The source has no UEFI boot entries; they were made for the boot loaders that are on the disks.", ""};
inline const FindingKind kKeysNotCarried{
    finding_list, "firmware.keys-not-carried", Severity::warning,
    "Secure Boot keys that the source had enrolled were not carried over.",
    "Enrol them again in the firmware's setup if the guest's boot loader needs them."};
inline const FindingKind kNoRevocationList{
    finding_list, "firmware.no-revocation-list", Severity::info,
    "Secure Boot keys were carried over from a source that has no list of revoked boot loaders (dbx).",
    "Let the guest update the list: with fwupd on Linux; Windows does so by itself."};
inline const FindingKind kVariableTooLarge{
    finding_list, "firmware.variable-too-large", Severity::warning,
    "A UEFI variable of the source does not fit into the host's variable store and was left out.",
    "Make it again inside the guest if it is needed."};
// That secrets sealed to the old firmware's measurements stay closed in either case, the exporter says ("tpm.sealed").
inline const FindingKind kTpmStateCarried{finding_list, "firmware.tpm-state-carried", Severity::info,
                                          "The content of the source's TPM was carried over.",
                                          "Keep recovery keys at hand: the TPM's measurements of the boot change."};
inline const FindingKind kTpmStateFresh{
    finding_list, "firmware.tpm-state-fresh", Severity::warning,
    "The machine gets a new, empty TPM: keys that the old one held (BitLocker, Windows Hello, LUKS with "
    "systemd-cryptenroll) are not in it.",
    "Have the recovery key at hand before the first start, or suspend BitLocker in the source and resume it "
    "afterwards."};

}  // namespace ferry::firmware
