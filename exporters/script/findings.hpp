// SPDX-License-Identifier: Apache-2.0
// Findings of the script exporter. docs/findings.md lists them with those of the other components.
#pragma once

#include "model/finding.hpp"

namespace ferry::script {

inline constinit FindingList finding_list;

inline const FindingKind kLeftOut{finding_list, "script.left-out", Severity::warning,
                                  "The domain says something that the script does not.",
                                  "Add QEMU's own option to the script if the guest needs it."};
inline const FindingKind kDeviceLeftOut{finding_list, "script.device-left-out", Severity::critical,
                                        "A device of the domain is not in the script.",
                                        "Add QEMU's own option to the script if the guest needs it."};
inline const FindingKind kNetworkChanged{
    finding_list, "script.network-changed", Severity::warning,
    "A card's network is libvirt's; in the script the card is on QEMU's user network.",
    "Where it should be on a bridge, allow that in /etc/qemu/bridge.conf and write -netdev bridge,br=NAME."};
inline const FindingKind kLinkDown{
    finding_list, "script.link-down", Severity::warning,
    "A card's link is down, which no QEMU option can express; the card is connected to nothing.",
    "Use 'set_link net0 off' in QEMU's console to take the cable out."};
inline const FindingKind kHostDevice{
    finding_list, "script.host-device", Severity::warning,
    "A device of the host is given to the machine; without libvirt nobody prepares it.",
    "Make sure that you may open the device, and that no driver of the host uses it, before you start the script."};
inline const FindingKind kSnapshots{finding_list, "script.snapshots", Severity::info,
                                    "The machine has snapshots, which only libvirt lists.",
                                    "'qemu-img snapshot -l' shows those inside of the images."};
inline const FindingKind kSameImages{
    finding_list, "script.same-images", Severity::info,
    "The script runs the domain's own images; libvirt and the script cannot run it at the same time.",
    "Shut the machine down in one before you start it in the other; copy the images for a machine of its own."};
inline const FindingKind kTpmNew{finding_list, "script.tpm-new", Severity::warning, "The script's TPM starts empty.",
                                 "Have recovery keys at hand: what the guest sealed in its TPM does not open."};
inline const FindingKind kSecret{finding_list, "script.secret", Severity::warning,
                                 "A password or key of the domain is not written into the script.",
                                 "The screen is reached by a socket that is yours alone; it needs no password."};

}  // namespace ferry::script
