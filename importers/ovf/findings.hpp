// SPDX-License-Identifier: Apache-2.0
// What the OVF importer tells about a package.
#pragma once

#include "model/finding.hpp"

namespace ferry::ovf {

inline constinit FindingList finding_list;

namespace finding {

inline const FindingKind kVersionUnknown{
    finding_list, "ovf.version-unknown", Severity::warning,
    "The envelope's namespace is not that of OVF 0.9, 1.x or 2.x; it is read as the newest version that is known.",
    "Compare the new machine with the package before you use it."};
inline const FindingKind kSectionRequired{
    finding_list, "ovf.section-required", Severity::critical,
    "The package contains a section that it requires its reader to understand, and virt-ferry does not know it.",
    "Ask the vendor of the package what the section does, and whether the machine works without it."};
inline const FindingKind kSectionOptional{finding_list, "ovf.section-optional", Severity::info,
                                          "An optional section that virt-ferry does not know was left out.",
                                          "Check whether the machine depends on what the section says."};
inline const FindingKind kElementUnknown{
    finding_list, "ovf.element-unknown", Severity::warning, "An element that virt-ferry does not know was left out.",
    "Look at the element in the descriptor, and set by hand what the machine needs."};
inline const FindingKind kConfiguration{finding_list, "ovf.configuration", Severity::info,
                                        "The package offers several deployment configurations; one of them is used.",
                                        "Choose another one with --ovf-configuration."};
inline const FindingKind kHardwareChoice{
    finding_list, "ovf.hardware-choice", Severity::info,
    "The package describes the hardware several times, for different platforms; one description is used.",
    "Compare the devices of the new machine with what the guest expects."};
inline const FindingKind kGuestData{
    finding_list, "ovf.guest-data", Severity::warning,
    "What VMware hands to the guest as guestinfo is not of a form that cloud-init reads, and is left behind.",
    "Configure the guest by hand, or from a CD that its software reads."};
inline const FindingKind kUuidNotStated{
    finding_list, "ovf.uuid-not-stated", Severity::info,
    "OVF does not state an SMBIOS UUID: each import on the source platform makes a new one, and so does this one.",
    "If a licence depends on it, give the UUID that the guest knows with --uuid."};
inline const FindingKind kMacGenerated{finding_list, "ovf.mac-generated", Severity::info,
                                       "The package gives no MAC address for a network card; a new one is generated.",
                                       "Give the address with --mac if the guest or the network needs the old one."};
inline const FindingKind kFoundElsewhere{
    finding_list, "ovf.found-elsewhere", Severity::info,
    "A file is not where the descriptor says; one of the same name nearby is used.",
    "Make sure that it is the same file."};
inline const FindingKind kFileMissing{
    finding_list, "ovf.file-missing", Severity::critical, "A file that the descriptor names is not in the package.",
    "Put the file beside the descriptor, or leave the disk out with --skip-disk missing."};
inline const FindingKind kFileSize{
    finding_list, "ovf.file-size", Severity::warning, "A file of the package is shorter than the descriptor says.",
    "Download the package again; where there is no better one, check the guest's file systems "
    "after the migration."};
inline const FindingKind kReferenceBroken{finding_list, "ovf.reference-broken", Severity::critical,
                                          "A drive refers to a disk or file that the descriptor does not declare.",
                                          "Correct the descriptor, or attach the disk by hand after the migration."};
inline const FindingKind kParentMissing{
    finding_list, "ovf.parent-missing", Severity::warning,
    "A drive does not say which controller it is attached to; one was chosen.",
    "Check that the guest finds its disks; choose another bus with --disk-bus if it does not."};
inline const FindingKind kAddressTaken{
    finding_list, "ovf.address-taken", Severity::warning,
    "A drive's place on its controller is unusable or already taken; the next free one is used.",
    "Check the order of the disks in the guest."};
inline const FindingKind kSubtypeUnknown{finding_list, "ovf.subtype-unknown", Severity::warning,
                                         "A device's model is unknown or not given; the platform's usual one is used.",
                                         "Check that the guest has a driver for it."};
inline const FindingKind kUnitsGuessed{finding_list, "ovf.units-guessed", Severity::warning,
                                       "An amount has no units, or units that make no sense; they were guessed.",
                                       "Check the amount in the new machine."};
inline const FindingKind kDeviceDropped{finding_list, "ovf.device-dropped", Severity::warning,
                                        "A device of the package has no counterpart and was left out.",
                                        "If the guest cannot do without it, add a device of this host by hand."};
inline const FindingKind kBlankDisk{finding_list, "ovf.blank-disk", Severity::info,
                                    "A disk has no file in the package; an empty one of the stated size is created.",
                                    ""};
inline const FindingKind kDiskUnused{
    finding_list, "ovf.disk-unused", Severity::warning,
    "The package contains a disk that none of its drives uses; it is not carried over.",
    "If the guest needs it, convert its file with 'virt-ferry disk convert' and attach it."};
inline const FindingKind kSignature{
    finding_list, "ovf.signature-not-checked", Severity::info,
    "The package is signed; its signature is not checked, only the digests in its manifest are.",
    "Check the signature with the vendor's tool if the package comes from an untrusted place."};
inline const FindingKind kVirtualBoxFallback{
    finding_list, "ovf.virtualbox-fallback", Severity::warning,
    "VirtualBox's own description inside the package could not be read; the OVF description is used instead.",
    "Compare the new machine with the original: MAC addresses and firmware settings are not in the OVF description."};
inline const FindingKind kMediumByPlace{
    finding_list, "ovf.medium-by-place", Severity::warning,
    "vbox:Machine names a disk that the package does not have; the disk of the OVF description is used.",
    "Check that the guest starts from the right disk."};
inline const FindingKind kMediumNotExported{finding_list, "ovf.medium-not-exported", Severity::warning,
                                            "A drive's medium was left out of the package when it was exported.",
                                            "Attach the medium after the migration."};

}  // namespace finding

}  // namespace ferry::ovf
