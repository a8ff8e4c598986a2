// SPDX-License-Identifier: Apache-2.0
// Findings that the spine raises. docs/findings.md lists them with those of the other components.
#pragma once

#include "model/finding.hpp"

namespace ferry::migration {

inline constinit FindingList finding_list;

inline const FindingKind kNameChanged{finding_list, "name.changed", Severity::info,
                                      "The machine's name has characters that libvirt or a file name cannot have.",
                                      "Choose another one with --name."};
inline const FindingKind kNameNumbered{
    finding_list, "name.numbered", Severity::info,
    "Another machine that is migrated with this one has the same name; a number is added to this one's.",
    "Choose another one with --name, or with a pattern for all: --name '{name}-new'."};
inline const FindingKind kBuiltInProfile{
    finding_list, "host.built-in-profile", Severity::info,
    "libvirt was not asked, so the plan is made for a conservative Debian 12 host.",
    "Name the connection with --connect to have it asked, or plan for a recorded host with --host-profile."};
inline const FindingKind kSnapshotsFlattened{finding_list, "snapshot.flattened", Severity::info,
                                             "The snapshots are left behind because --snapshots flatten was asked for.",
                                             "Leave the option out to keep them."};
inline const FindingKind kSnapshotsStartNow{
    finding_list, "snapshot.start-now", Severity::warning,
    "The snapshots are left behind: a machine that starts at once has the current state alone.",
    "Add --snapshots keep to have all of it copied first."};
inline const FindingKind kSnapshotsInImages{
    finding_list, "snapshot.in-images", Severity::warning,
    "A disk is passed to QEMU without libvirt's knowledge, so the snapshots are inside of the images alone.",
    "Go back to one with 'qemu-img snapshot -a NAME IMAGE' for each image while the machine is off."};
inline const FindingKind kSnapshotRenamed{finding_list, "snapshot.renamed", Severity::info,
                                          "A snapshot's name is not unique, or not one that libvirt accepts.", ""};
inline const FindingKind kSnapshotMemoryDropped{
    finding_list, "snapshot.memory-dropped", Severity::warning,
    "A snapshot was taken while the machine ran; its memory cannot be carried over, and its disks are as after a power "
    "cut.",
    "Let the guest check its file systems after you revert to it: it boots afresh."};
inline const FindingKind kSnapshotOnlyDisk{
    finding_list, "snapshot.disk-only", Severity::warning,
    "A disk belongs to snapshots but no longer to the machine; it is kept as an image that only they attach.", ""};
inline const FindingKind kSnapshotDiskMissing{finding_list, "snapshot.disk-missing", Severity::warning,
                                              "A snapshot's state of a disk cannot be read; the snapshot is left out.",
                                              "Repair the image and migrate again if you need the snapshot."};
inline const FindingKind kOlderState{
    finding_list, "disk.older-state", Severity::critical,
    "The settings attach an older state of a disk: images that continue it lie beside it, and nothing attaches them.",
    "Take the newest state with --newest-state, or move those images away if the older state is meant."};
inline const FindingKind kNewestStateTaken{
    finding_list, "disk.newest-state", Severity::warning,
    "A disk is taken in the newest state that lies beside it, because --newest-state was asked for.",
    "Check that the guest has its newest files: the settings named an older state."};
inline const FindingKind kPortBusy{
    finding_list, "host.port-busy", Severity::warning,
    "A port of this host that the machine needs is in use right now.",
    "Stop what listens there before you start the machine, or give the machine another port with --forward."};
inline const FindingKind kGuestNotRead{
    finding_list, "guest.not-read", Severity::info,
    "What is on a disk could not be read, so nothing is known of the guest there but what the settings say.", ""};
inline const FindingKind kBootDriver{
    finding_list, "guest.boot-driver", Severity::critical,
    "The guest does not load the driver of the bus that its disk gets: it will not boot.",
    "Choose a bus whose driver it loads with --disk-bus."};
inline const FindingKind kBootDriverThere{finding_list, "guest.boot-driver-there", Severity::info,
                                          "The guest loads the driver of the bus that its disk gets.", ""};
inline const FindingKind kGuestFixed{
    finding_list, "guest.fixed", Severity::warning,
    "A few bytes of the guest's own settings are changed in the copy, because it would not boot, or not use its disks, "
    "without.",
    "Leave the copy as the source is with --guest-fix off."};
inline const FindingKind kGuestDiskOffline{
    finding_list, "guest.disk-offline", Severity::warning,
    "A Windows server leaves disks that are new to it offline, and to it every disk is new that moved.",
    "Bring such a disk online once in the new machine, in its PowerShell: 'Set-Disk -Number N -IsOffline $false', then "
    "the same with -IsReadOnly."};
inline const FindingKind kGuestHibernated{
    finding_list, "guest.hibernated", Severity::critical,
    "Windows is hibernated: it will try to go on in the middle of its work, on other hardware.",
    "When Windows says that it cannot resume, let it delete the restoration data; what was not saved is lost."};
inline const FindingKind kGuestDirty{finding_list, "guest.dirty", Severity::warning,
                                     "A file system was not unmounted, or has errors.",
                                     "Let the guest check it when it starts for the first time."};
inline const FindingKind kGuestBitlocker{
    finding_list, "guest.bitlocker", Severity::critical,
    "BitLocker is opened by the machine's TPM, which will not do so on other hardware: Windows asks for the recovery "
    "key.",
    "Have the recovery key at hand when you start the new machine: Microsoft keeps it with the owner's account."};
inline const FindingKind kGuestMount{
    finding_list, "guest.mount", Severity::warning,
    "The guest's fstab or crypttab names a device by its bus or model, which the new machine does not have so.",
    "Name it by UUID= in that file; where the guest stops for it, start it with 'systemd.unit=emergency.target'."};
inline const FindingKind kGuestInterface{
    finding_list, "guest.interface", Severity::warning,
    "The guest's own files configure a network interface by a name that no card of the new machine gets.",
    "Use --nic-names keep (the domain is then tainted), or change the name in that file at the machine's console."};
inline const FindingKind kGuestOsDiffers{
    finding_list, "guest.os-differs", Severity::warning,
    "The settings name another operating system than the one that is on the disks; the machine is made for the latter.",
    ""};
inline const FindingKind kSeedMade{
    finding_list, "guest.seed", Severity::info,
    "What the source's platform handed to the guest (guestinfo, OVF properties) is on a CD of the new machine: "
    "cloud-init's NoCloud, or an OVF environment.",
    "If the guest's software does not read it, configure the guest by hand; --seed off makes no such CD."};
inline const FindingKind kSeedLeftOut{
    finding_list, "guest.seed-left-out", Severity::warning,
    "What the source's platform hands to the guest is left behind because --seed off was asked for.",
    "Configure the guest by hand if it asks for it when it starts."};
inline const FindingKind kSeedValues{
    finding_list, "guest.seed-values", Severity::warning,
    "The package asks for values that its guest is configured with, and they are empty: VMware would not start it.",
    "Give each with --ovf-property KEY=VALUE; with --seed off the guest is told nothing."};
inline const FindingKind kNoDisk{
    finding_list, "machine.no-disk", Severity::warning, "The machine has no disk.",
    "Attach the disk and migrate again, unless the machine boots from a CD or the network."};
inline const FindingKind kDiskLinked{
    finding_list, "disk.linked", Severity::critical,
    "The new machine uses the source's own image, and writes to it, because --disk-mode link was asked for.",
    "Do not start the source machine any more, or migrate with --disk-mode overlay or copy."};
inline const FindingKind kReadsSource{
    finding_list, "disk.reads-source", Severity::warning,
    "The machine starts at once and reads its source until the copy behind it is whole (--start-now).",
    "Leave the source where it is, unchanged, until 'virt-ferry runs' says that the run is done."};
inline const FindingKind kCopiedFirst{
    finding_list, "disk.copied-first", Severity::warning,
    "The snapshots are kept, so the disks are copied before the machine starts, in spite of --start-now.",
    "Leave out --snapshots keep to start at once, with the current state alone."};
inline const FindingKind kDiskSkipped{
    finding_list, "disk.skipped", Severity::critical, "A disk is left out because --skip-disk asked for it.",
    "Keep the source until the guest runs without it; attach the disk to the new machine by hand."};
inline const FindingKind kRemovableMissing{finding_list, "medium.removable-missing", Severity::warning,
                                           "The image in a CD or floppy drive does not exist; the drive stays empty.",
                                           "Insert another image after the migration."};
inline const FindingKind kRemovableLinked{finding_list, "medium.removable-linked", Severity::info,
                                          "The image in a CD drive is used where it is.",
                                          "Keep the file, or copy it with --removable copy."};
inline const FindingKind kSavedStateDiscarded{
    finding_list, "state.discarded", Severity::warning,
    "The machine's saved state is left behind because --discard-saved-state was asked for.",
    "Let the guest check its file systems when it first starts."};
inline const FindingKind kManifestChecked{
    finding_list, "ova.manifest", Severity::info,
    "The package has a manifest; the digests of its files are checked while they are read.", ""};
inline const FindingKind kManifestNotChecked{
    finding_list, "ova.manifest-not-checked", Severity::warning,
    "The digests in the package's manifest are not checked: the machine starts before its files are read whole.",
    "Migrate without --start-now to have them checked."};
inline const FindingKind kManifestIncomplete{
    finding_list, "ova.manifest-incomplete", Severity::warning,
    "The package's manifest does not list an image of the machine, so nothing shows whether the image was damaged or "
    "changed.",
    "If the package may have been changed on its way, compare the image's digest with the one its maker publishes."};

inline const FindingKind kSourceInUse{
    finding_list, "source.in-use", Severity::critical, "The source is in use, and --allow-in-use was asked for.",
    "Check the guest's file systems: what was written in the meantime may be incomplete in the copy."};
inline const FindingKind kReadUncaged{
    finding_list, "source.read-uncaged", Severity::warning,
    "The source was read in virt-ferry itself, because it could not be read in a process that may do nothing else.",
    "If the machine comes from somebody else, plan it where such processes can be started; virt-ferry host says "
    "what is lacking."};
inline const FindingKind kStaleLock{
    finding_list, "source.stale-lock", Severity::warning,
    "VMware left a lock behind whose owner is gone, as after a power cut.",
    "Make sure that the machine does not run anywhere, and check the guest's file systems."};
inline const FindingKind kRunsElsewhere{
    finding_list, "source.remote", Severity::info,
    "The machine is on another host: whether it runs there is known by VMware's locks alone.",
    "Make sure that it is switched off there before its disks are copied."};
inline const FindingKind kOutsideOwn{
    finding_list, "source.outside", Severity::warning,
    "A file of the machine is outside its folder, in another folder of your own machines.",
    "Make sure that the file belongs to this machine if the machine comes from somebody else."};
inline const FindingKind kOutsideRefused{
    finding_list, "source.outside-refused", Severity::critical,
    "A file of the machine is in a place that no machine's files are read from; plan and migrate refuse it.",
    "If it belongs to the machine, allow its folder with --allow-outside."};
inline const FindingKind kRemovableEmptied{finding_list, "medium.removable-emptied", Severity::info,
                                           "A CD or floppy drive is left empty because --removable none was asked "
                                           "for.",
                                           "Insert an image after the migration."};
inline const FindingKind kRunCrashed{
    finding_list, "run.crashed", Severity::info,
    "An earlier run for the same machine was interrupted before it had made one; what it left is removed first.", ""};
inline const FindingKind kRunFinished{finding_list, "run.finished", Severity::info,
                                      "An earlier run for the same machine was interrupted, or had no libvirt, after "
                                      "it had made all files; it is finished instead of started again.",
                                      ""};
inline const FindingKind kRunReplaced{finding_list, "run.replaced", Severity::info,
                                      "What --overwrite replaced was removed, because the run succeeded.", ""};
inline const FindingKind kFirmwareByDrivers{
    finding_list, "firmware.by-drivers", Severity::info,
    "The machine starts with an EFI firmware that has the driver of its disks' controller, or that --firmware names.",
    ""};
inline const FindingKind kSecureBootDropped{
    finding_list, "firmware.secure-boot-dropped", Severity::critical,
    "The machine ran with Secure Boot, for which this host has no firmware; it runs without.",
    "If the guest needs it, install a firmware with Secure Boot (package ovmf) and migrate again."};

// ---- identity ----
inline const FindingKind kUuidChoice{
    finding_list, "smbios.uuid", Severity::info,
    "The report says which SMBIOS UUID the guest sees, and how it compares with the source's.",
    "Use --uuid if the guest's software expects another one."};
inline const FindingKind kUuidGenerated{finding_list, "smbios.uuid-generated", Severity::warning,
                                        "The source has no usable UUID for the guest.",
                                        "Use --uuid to set one that the guest's software knows."};
inline const FindingKind kMacInvalid{finding_list, "nic.mac-invalid", Severity::warning,
                                     "The network card has a MAC address that no card can have; it gets a new one.",
                                     "Use --mac N=XX:XX:XX:XX:XX:XX to choose another one."};
inline const FindingKind kUuidShared{
    finding_list, "smbios.uuid-shared", Severity::warning,
    "Another machine that is migrated with this one has the same UUID; this one gets a new one.",
    "Choose with a manifest's 'uuid' which machine keeps it; software that is licensed by the UUID may ask again."};
inline const FindingKind kMacShared{
    finding_list, "nic.mac-shared", Severity::warning,
    "A card of another machine that is migrated with this one has the same MAC address; this card gets a new one.",
    "Check what depends on the address: the guest's network settings, the leases of a DHCP server."};
inline const FindingKind kRemovableOutside{
    finding_list, "medium.outside", Severity::warning,
    "The image in a CD or floppy drive is a file of yours outside the machine's folder.",
    "Make sure that the guest may read it if the machine comes from somebody else; --removable none leaves such drives "
    "empty."};
inline const FindingKind kPlatformTools{
    finding_list, "medium.platform-tools", Severity::info,
    "The drive contains the source platform's own CD with drivers and tools for guests; it is left empty.", ""};
inline const FindingKind kDiskInPlace{
    finding_list, "disk.in-place", Severity::warning,
    "The disk is QEMU's own already and stays where it is (--disk-mode link); the new machine writes to it.",
    "Run either the source's command or the new machine, never both at once, or migrate with --disk-mode copy."};

}  // namespace ferry::migration
