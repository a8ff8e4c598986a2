// SPDX-License-Identifier: Apache-2.0
// The findings that the importer of QEMU commands raises.
#pragma once

#include "model/finding.hpp"

namespace ferry::qemu {

inline constinit FindingList finding_list;

inline const FindingKind kDefaultsAdded{
    finding_list, "qemu.defaults-added", Severity::info,
    "QEMU adds devices that the command does not name; the new machine has them too.", ""};
inline const FindingKind kDefaultMac{finding_list, "qemu.default-mac", Severity::warning,
                                     "A network card has no MAC address of its own, so it has the one that QEMU gives.",
                                     "Use --mac new if another such machine is on the same network."};
inline const FindingKind kOpenValue{finding_list, "qemu.open-value", Severity::warning,
                                    "A value of the command depends on the running shell.",
                                    "Set it with --set NAME=VALUE if the value that was taken is not right."};
inline const FindingKind kConditionUndecided{
    finding_list, "qemu.condition-undecided", Severity::warning,
    "Options depend on a condition that only the running script could decide; they are left out.",
    "Check the condition; use --set NAME=VALUE to say what a variable holds."};
inline const FindingKind kBranchTaken{finding_list, "qemu.branch-taken", Severity::info,
                                      "Whether the script starts this machine depends on a condition.",
                                      "Check that this is the machine that you mean."};
inline const FindingKind kSourcedFile{finding_list, "qemu.sourced-file", Severity::info,
                                      "The script reads another file, which was read too.", ""};
inline const FindingKind kSourceUnread{
    finding_list, "qemu.source-unread", Severity::warning,
    "The script reads a file that is not below its folder, is not there or is not shell text.",
    "Give the values that it sets with --set NAME=VALUE."};
inline const FindingKind kUnknownOption{finding_list, "qemu.unknown-option", Severity::warning,
                                        "The command has an option that QEMU does not know.",
                                        "Check its spelling: QEMU itself would refuse it."};
inline const FindingKind kProgramUnknown{
    finding_list, "qemu.program-unknown", Severity::warning,
    "The command does not say which QEMU program it runs; qemu-system-x86_64 is taken.",
    "Check that the machine is an x86 one."};
inline const FindingKind kFormatProbed{finding_list, "qemu.format-probed", Severity::info,
                                       "The command does not say an image's format; its header does.", ""};
inline const FindingKind kImageElsewhere{
    finding_list, "qemu.relative-path", Severity::info,
    "Files are named relative to the folder that QEMU is started in, which the script does not say.",
    "Use --base DIR if another folder is meant."};
inline const FindingKind kImageMissing{finding_list, "qemu.image-missing", Severity::warning,
                                       "An image that the command names was not found.",
                                       "Use --base DIR if its path is relative to another folder."};
inline const FindingKind kNotAFile{finding_list, "qemu.not-a-file", Severity::critical,
                                   "A disk is not an image file but something on the network or made by QEMU.",
                                   "Attach it to the new machine by hand."};
inline const FindingKind kStickName{finding_list, "qemu.stick-name", Severity::info,
                                    "A USB stick has a name for itself that libvirt cannot give it.", ""};
inline const FindingKind kHostDevice{finding_list, "qemu.host-device", Severity::warning,
                                     "The machine uses a device of the host.",
                                     "Check that the device is there and that you may use it."};
inline const FindingKind kNetworkDropped{finding_list, "qemu.network-dropped", Severity::warning,
                                         "A network back end has no counterpart.",
                                         "Use --network N=SPEC to say where the card goes."};
inline const FindingKind kNetworkKey{finding_list, "qemu.network-key", Severity::warning,
                                     "A setting of a network back end is not carried over.",
                                     "Set it in the domain by hand where the guest needs it."};
inline const FindingKind kHub{finding_list, "qemu.hub", Severity::warning, "Several cards are on one hub inside QEMU.",
                              "Connect the cards to one network with --network if they are to see each other."};
inline const FindingKind kApplesmc{
    finding_list, "qemu.applesmc", Severity::info, "The machine has Apple's SMC: its guest is macOS.",
    "Give a copy new identities before an Apple account is used on it: --mac new --uuid new."};
inline const FindingKind kMacosRelease{
    finding_list, "qemu.macos-release", Severity::info,
    "Names in the command tell which release of macOS the guest is; its CPU and network card go by that.",
    "Use --set macos_release=NAME if it is another release."};
inline const FindingKind kStoreMissing{finding_list, "qemu.store-missing", Severity::warning,
                                       "The EFI firmware has no variable store of its own.", ""};
inline const FindingKind kTpmState{
    finding_list, "qemu.tpm-state", Severity::warning,
    "The state of the machine's TPM is not where it can be found, so it is not carried over.",
    "Keep recovery keys at hand: the guest will not be able to unseal what it sealed in the TPM."};
inline const FindingKind kDropped{finding_list, "qemu.dropped", Severity::warning,
                                  "A setting of the command has no counterpart.", "Look at the setting in the report."};
inline const FindingKind kCommandlineKept{finding_list, "qemu.commandline-kept", Severity::warning,
                                          "libvirt has no element for an option, so it is passed to QEMU unchanged.",
                                          ""};
inline const FindingKind kCpuModel{finding_list, "qemu.cpu-model", Severity::warning,
                                   "libvirt does not know the CPU model, so it is passed to QEMU unchanged.", ""};
inline const FindingKind kTopology{
    finding_list, "qemu.smp-preference", Severity::info,
    "The command leaves the CPU's topology open, and QEMU's rule for it changed with machine version 6.2.",
    "Name the version in the script if the guest was made with an older QEMU."};
inline const FindingKind kReadconfig{finding_list, "qemu.readconfig-missing", Severity::critical,
                                     "Options are in a file that could not be read.",
                                     "Put the file where the command names it, or use --base DIR."};
inline const FindingKind kSavedState{finding_list, "qemu.saved-state", Severity::warning,
                                     "The command resumes a saved machine; its memory cannot be carried.",
                                     "Start the machine, shut it down and migrate it then."};
inline const FindingKind kHostValue{finding_list, "qemu.host-value", Severity::info,
                                    "The script asks the host for a value, and this host's is used.",
                                    "Set it in the script if another host is meant."};

}  // namespace ferry::qemu
