// SPDX-License-Identifier: Apache-2.0
// Findings that the spine raises. docs/findings.md lists them with those of the other components.
#pragma once

#include "model/finding.hpp"

namespace ferry::migration {

inline constinit FindingList finding_list;

inline const FindingKind kNameChanged{finding_list, "name.changed", Severity::info,
                                      "The machine's name has characters that libvirt or a file name cannot carry.",
                                      "Choose another one with --name."};
inline const FindingKind kNameNumbered{
    finding_list, "name.numbered", Severity::info,
    "Another machine that is migrated with this one has the same name; this one's is numbered.",
    "Choose another one with --name, or with a pattern for all: --name '{name}-new'."};
inline const FindingKind kBuiltInProfile{
    finding_list, "host.built-in-profile", Severity::info,
    "libvirt was not asked, so the plan is made for a conservative Debian 12 host.",
    "With --no-define, name the connection with --connect to have it asked; else install libvirt, or plan for a "
    "recorded host with --host-profile."};
inline const FindingKind kSnapshotsFlattened{finding_list, "snapshot.flattened", Severity::info,
                                             "The snapshots are left behind because --snapshots flatten was asked for.",
                                             "Leave the option out to keep them."};
inline const FindingKind kSnapshotRenamed{finding_list, "snapshot.renamed", Severity::info,
                                          "A snapshot's name is not unique or not one that libvirt takes.",
                                          "Nothing needs to be done."};
inline const FindingKind kSnapshotMemoryDropped{
    finding_list, "snapshot.memory-dropped", Severity::warning,
    "A snapshot was taken while the machine ran; its memory cannot be carried, its disks are as after a power cut.",
    "Reverting to it boots the guest afresh; let its file system check run."};
inline const FindingKind kSnapshotOnlyDisk{finding_list, "snapshot.disk-only", Severity::warning,
                                           "A disk belongs to snapshots but no longer to the machine.",
                                           "It is kept as an image of its own that only those snapshots attach."};
inline const FindingKind kSnapshotDiskMissing{
    finding_list, "snapshot.disk-missing", Severity::warning, "A snapshot's state of a disk cannot be read.",
    "The snapshot is left out; the current state is whole. Delete the snapshot in the source, or repair the image."};
inline const FindingKind kOlderState{
    finding_list, "disk.older-state", Severity::critical,
    "The settings attach an older state of a disk: images that continue it lie beside it, and nothing attaches them.",
    "Take the newest state with --newest-state; or move those images away, if the older state is meant."};
inline const FindingKind kNewestStateTaken{
    finding_list, "disk.newest-state", Severity::warning,
    "A disk is taken in the newest state that lies beside it, because --newest-state was asked for.",
    "Check that the guest has its newest files; the settings named an older state."};
inline const FindingKind kPortBusy{
    finding_list, "host.port-busy", Severity::warning,
    "A port of this host that the machine needs is in use right now.",
    "Stop what listens there before the machine is started, or give the machine another port with virsh edit."};
inline const FindingKind kNoDisk{finding_list, "machine.no-disk", Severity::warning, "The machine has no disk.",
                                 "Nothing needs to be done, if it boots from a CD or the network; otherwise attach "
                                 "the disk in the source and migrate again."};
inline const FindingKind kDiskLinked{
    finding_list, "disk.linked", Severity::critical,
    "The new machine uses the source's own image because --disk-mode link was asked for, and writes to it.",
    "Do not start the source machine any more, or migrate with --disk-mode overlay or copy."};
inline const FindingKind kDiskSkipped{
    finding_list, "disk.skipped", Severity::critical, "A disk is left out because --skip-disk asked for it.",
    "Keep the source until the guest runs without it; attach the disk to the new machine by hand."};
inline const FindingKind kRemovableMissing{finding_list, "medium.removable-missing", Severity::warning,
                                           "The image in a CD or floppy drive is not there; the drive stays empty.",
                                           "Insert another image after the migration."};
inline const FindingKind kRemovableLinked{finding_list, "medium.removable-linked", Severity::info,
                                          "The image in a CD drive is used where it is.",
                                          "Keep the file, or copy it to the new machine with --removable copy."};
inline const FindingKind kSavedStateDiscarded{
    finding_list, "state.discarded", Severity::warning,
    "The machine's saved state is left behind because --discard-saved-state was asked for.",
    "The guest boots afresh; let its file system check run."};
inline const FindingKind kManifestChecked{
    finding_list, "ova.manifest", Severity::info,
    "The package has a manifest; every member's digest is checked before the conversion.", "Nothing needs to be done."};

inline const FindingKind kSourceInUse{
    finding_list, "source.in-use", Severity::critical, "The source is in use, and --allow-in-use was asked for.",
    "Check the guest's file systems: what was written meanwhile may be in the copy by halves."};
inline const FindingKind kStaleLock{finding_list, "source.stale-lock", Severity::warning,
                                    "VMware left a lock behind whose holder is gone, as after a power cut.",
                                    "Check that the machine does not run anywhere, and the guest's file systems."};
inline const FindingKind kOutsideOwn{
    finding_list, "source.outside", Severity::warning,
    "A file of the machine lies outside of its folder, in another folder of your own machines.",
    "Check that the file belongs to this machine before you migrate a machine of somebody else's."};
inline const FindingKind kOutsideRefused{
    finding_list, "source.outside-refused", Severity::critical,
    "A file of the machine lies where a machine's files are not taken from; plan and migrate refuse it.",
    "If it belongs to the machine, allow its folder with --allow-outside."};
inline const FindingKind kRemovableEmptied{finding_list, "medium.removable-emptied", Severity::info,
                                           "A CD or floppy drive is left empty because --removable none was asked "
                                           "for.",
                                           "Insert an image after the migration."};
inline const FindingKind kRunCrashed{finding_list, "run.crashed", Severity::info,
                                     "An earlier run of the same machine was cut off before it had made one.",
                                     "Nothing needs to be done: what it left is removed first."};
inline const FindingKind kRunFinished{
    finding_list, "run.finished", Severity::info,
    "An earlier run of the same machine was cut off, or had no libvirt, after it had made all files.",
    "Nothing needs to be done: it is finished instead of begun anew."};
inline const FindingKind kRunReplaced{finding_list, "run.replaced", Severity::info,
                                      "What --overwrite replaced is gone since the run ended well.",
                                      "Nothing needs to be done."};
inline const FindingKind kSecureBootDropped{
    finding_list, "firmware.secure-boot-dropped", Severity::critical,
    "The machine ran with Secure Boot, and this host has no firmware for it; it runs without.",
    "Install a firmware with Secure Boot (package ovmf) and migrate again, if the guest insists on it."};

// ---- identity ----
inline const FindingKind kUuidChoice{finding_list, "smbios.uuid", Severity::info,
                                     "Which SMBIOS UUID the guest sees, and what it has in common with the source.",
                                     "Use --uuid if the guest's software expects another."};
inline const FindingKind kUuidGenerated{finding_list, "smbios.uuid-generated", Severity::warning,
                                        "The source has no usable UUID for the guest.",
                                        "Use --uuid to set one that the guest's software knows."};
inline const FindingKind kMacInvalid{finding_list, "nic.mac-invalid", Severity::warning,
                                     "The card's address is no valid one for a card.",
                                     "Use --mac N=XX:XX:XX:XX:XX:XX to choose one."};

}  // namespace ferry::migration
