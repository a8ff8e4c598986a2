// SPDX-License-Identifier: Apache-2.0
// What the mapping to libvirt can have to say. Ids are stable and documented in docs/findings.md.
#pragma once

#include "model/finding.hpp"

namespace ferry::libvirt {

inline constinit FindingList finding_list;

// ---- the domain as a whole ----
inline const FindingKind kMachineVersionGone{finding_list, "board.version-gone", Severity::warning,
                                             "The host's QEMU no longer has the machine version that the source names.",
                                             "Keep a host with the older QEMU if the guest must see no change at all."};
inline const FindingKind kSlotMoved{finding_list, "board.slot-moved", Severity::warning,
                                    "libvirt has no such slot behind a PCI bridge, so the device moves.",
                                    "Check the names of network cards in the guest."};
inline const FindingKind kNicTap{finding_list, "network.tap", Severity::warning,
                                 "A network card uses a tap device of the host, which libvirt does not create.",
                                 "Create it before each start, or connect the card elsewhere with --network N=SPEC."};
inline const FindingKind kHostDeviceDropped{finding_list, "host.device-dropped", Severity::warning,
                                            "The machine takes a device of the host, but does not say which one.",
                                            "Add it by hand with virt-manager or virsh attach-device."};
inline const FindingKind kInvtsc{finding_list, "cpu.invtsc", Severity::info,
                                 "The machine asks for an invariant time stamp counter, which only some hosts have.",
                                 ""};
inline const FindingKind kDomainTainted{finding_list, "domain.tainted", Severity::warning,
                                        "The domain passes QEMU arguments that libvirt does not check.",
                                        "Remove these arguments if you need libvirt's full support: it marks the "
                                        "running domain as tainted, which is harmless."};
inline const FindingKind kNoKvm{
    finding_list, "host.no-kvm", Severity::warning,
    "libvirt offers no KVM on the host, so the machine runs in software emulation.",
    "Turn on virtualization in the host's firmware, and give your user access to /dev/kvm."};
inline const FindingKind kBoardChanged{finding_list, "board.changed", Severity::warning,
                                       "The machine gets a different chipset.",
                                       "Be ready to activate Windows again; Linux does not notice."};
inline const FindingKind kGuestOsUnknown{finding_list, "guest.os-unknown", Severity::info,
                                         "libosinfo has no id for the guest operating system.",
                                         "Choose the system in virt-manager if it is listed there."};
inline const FindingKind kGroupsDropped{finding_list, "machine.groups-dropped", Severity::info,
                                        "The machine was in groups, which libvirt does not have.", ""};
inline const FindingKind kMacosKeyMissing{
    finding_list, "macos.no-smc-key", Severity::critical, "A macOS guest's source has no SMC key.",
    "Set the key on the source machine, or add isa-applesmc to the domain by hand."};
inline const FindingKind kMacosCpu{finding_list, "macos.cpu", Severity::info,
                                   "A macOS guest gets a CPU model that it knows.", ""};
inline const FindingKind kMacosCpuTooOld{
    finding_list, "macos.cpu-too-old", Severity::critical,
    "macOS 13 and newer need a CPU with AVX2, which this host does not offer.",
    "Run it on a host whose processor has AVX2 and where KVM works, with a Haswell or Skylake-Client model."};
inline const FindingKind kMacosNic{finding_list, "macos.nic", Severity::warning,
                                   "A macOS guest gets a network card that its release has a driver for.",
                                   "Set the model back in the domain if the guest has a driver of its own."};

// ---- CPU and memory ----
inline const FindingKind kCpuClamped{finding_list, "cpu.count-reduced", Severity::critical,
                                     "The machine has more virtual CPUs than the host allows.",
                                     "Run it on a host that allows more, if the guest needs them."};
inline const FindingKind kCpuTopology{finding_list, "cpu.topology-changed", Severity::warning,
                                      "The source's cores per socket do not divide its number of CPUs.",
                                      "Set <topology> in the domain if the guest's licences count sockets."};
inline const FindingKind kCpuProfileDropped{finding_list, "cpu.profile-dropped", Severity::warning,
                                            "The source imitated a certain CPU, which QEMU does not.",
                                            "Choose a similar <model> in the domain if the guest needs it."};
inline const FindingKind kCpuFeatureDropped{finding_list, "cpu.feature-dropped", Severity::warning,
                                            "A CPU feature that the source sets is not known to libvirt.",
                                            "Look for its libvirt name in the output of 'virsh domcapabilities'."};
inline const FindingKind kNestedDependsOnHost{
    finding_list, "cpu.nested", Severity::info, "The guest runs virtual machines of its own.",
    "Make sure that nesting is on: see /sys/module/kvm_intel/parameters/nested or kvm_amd's."};
inline const FindingKind kExecutionCapDropped{
    finding_list, "cpu.execution-cap-dropped", Severity::warning,
    "A CPU execution cap cannot be set on a session connection.",
    "Limit the QEMU process with systemd-run, or define the machine on qemu:///system with <cputune>."};
inline const FindingKind kIoapicAlwaysOn{
    finding_list, "cpu.ioapic-on", Severity::warning, "The source machine had no I/O APIC.",
    "Replace the HAL of an old Windows that was installed without an APIC, if it does not start."};
inline const FindingKind kMemoryAssumed{finding_list, "memory.assumed", Severity::warning,
                                        "The source does not say how much memory the machine has.",
                                        "Set the right size with virsh setmaxmem or in virt-manager."};
inline const FindingKind kCardReaderDropped{finding_list, "usb.card-reader-dropped", Severity::warning,
                                            "The machine had a reader for smart cards, which this host's QEMU cannot "
                                            "give it.",
                                            "Pass a reader of the host's through to the guest by hand."};
inline const FindingKind kMemoryHotAdd{
    finding_list, "memory.hot-add", Severity::info,
    "Memory can be added while the machine runs, as at the source; for that libvirt wants a NUMA node.",
    "To change the memory for good, change <memory> and the node's size with 'virsh edit'; --hot-add off does "
    "without."};
inline const FindingKind kBalloon{finding_list, "memory.balloon", Severity::info,
                                  "The source reclaimed memory with a balloon.",
                                  "Install the virtio balloon driver in the guest."};
inline const FindingKind kLargePagesDropped{finding_list, "memory.large-pages-dropped", Severity::info,
                                            "The source used large pages.",
                                            "Set up huge pages on the host and add <hugepages/> to the domain."};

// ---- identity ----
inline const FindingKind kSmbiosStringDropped{finding_list, "smbios.string-dropped", Severity::warning,
                                              "A DMI string that the user set cannot be given to libvirt.",
                                              "Tell software in the guest that checks it."};
inline const FindingKind kSmbiosPlatformKept{finding_list, "smbios.platform-kept", Severity::info,
                                             "The source platform's DMI strings are kept, as asked.",
                                             "Remove <sysinfo> from the domain if the guest misbehaves."};

// ---- storage ----
inline const FindingKind kControllerReplaced{
    finding_list, "disk.controller-replaced", Severity::critical,
    "The disk's controller has no counterpart; the disk moves to another bus, from which the guest may not boot.",
    "Make sure that the guest has the driver, or choose another bus with --disk-bus."};
inline const FindingKind kNvmeByArguments{
    finding_list, "disk.nvme-by-arguments", Severity::warning,
    "libvirt before 11.5 has no NVMe disks; they are passed to QEMU as arguments, and libvirt knows nothing of them.",
    "Take snapshots with 'qemu-img snapshot' while the machine is off; with a newer libvirt migrate again."};
inline const FindingKind kDriveMovedBus{finding_list, "drive.other-bus", Severity::warning,
                                        "A drive moves to another bus than it had.",
                                        "Check the guest's fstab and boot loader if they name the drive by path."};
inline const FindingKind kDriveMovedPort{finding_list, "drive.other-port", Severity::info,
                                         "A drive keeps its bus but gets another port.",
                                         "Check the guest's fstab for names below /dev/disk/by-path."};
inline const FindingKind kDiskLeftOut{finding_list, "disk.left-out", Severity::critical,
                                      "A disk has no image to attach.",
                                      "Attach one by hand, or give the machine its disk before migrating."};
inline const FindingKind kDriveUnsupported{finding_list, "drive.unsupported", Severity::warning,
                                           "The host has no place for a drive of this kind.",
                                           "Use the medium in another drive."};
inline const FindingKind kHostDriveDropped{finding_list, "drive.host-device", Severity::info,
                                           "A drive gave access to the source host's own drive.",
                                           "Insert an image, or attach the drive with virsh attach-disk."};
inline const FindingKind kDiskNotShareable{finding_list, "disk.not-shared", Severity::warning,
                                           "A disk was shared between machines, which QEMU allows for raw images only.",
                                           "Convert it to raw, and mark it <shareable/> in each domain."};
inline const FindingKind kDiskTransient{finding_list, "disk.transient", Severity::warning,
                                        "The disk forgets its changes when the machine stops, as on the source.",
                                        "Remove <transient/> from the domain to keep changes."};
inline const FindingKind kDiskReadOnlyTransient{finding_list, "disk.read-only-transient", Severity::warning,
                                                "A disk was read-only, which QEMU does not offer on its bus.",
                                                "Move it with --disk-bus scsi if the guest must not write at all."};
inline const FindingKind kDiskSerial{finding_list, "disk.serial-changed", Severity::warning,
                                     "The guest sees a different serial number for the disk.",
                                     "Check the guest's fstab for names below /dev/disk/by-id."};
inline const FindingKind kDiskModel{finding_list, "disk.model-changed", Severity::info,
                                    "The guest sees a different model string for the drive.",
                                    "Use --disk-model keep if the guest names its disks by it."};

// ---- network ----
inline const FindingKind kNicModelChanged{finding_list, "nic.model-changed", Severity::warning,
                                          "The network card has no exact counterpart.",
                                          "Make sure that the guest has a driver for the new card; Linux has one."};
inline const FindingKind kNicNameChanges{
    finding_list, "nic.name-changes", Severity::warning, "A Linux guest will name the network card differently.",
    "Use --nic-names keep (the domain is then tainted), or rename the card in the guest's network configuration."};
inline const FindingKind kNicTargetMissing{
    finding_list, "nic.target-missing", Severity::warning, "The bridge or network that --network names does not exist.",
    "Create it before you start the machine, which does not start without it; or choose another one with --network."};
inline const FindingKind kNicIsolated{finding_list, "nic.isolated", Severity::warning,
                                      "The network that the card was on does not exist here; the card's link is down.",
                                      "Use --network N=network:NAME, or N=user to let the guest reach the Internet."};
inline const FindingKind kNicUserNetwork{
    finding_list, "nic.user-network", Severity::warning, "The card's network is replaced by user networking.",
    "Allow a bridge in /etc/qemu/bridge.conf and use --network N=bridge:NAME for a card that others can reach."};
inline const FindingKind kNicReachesLoopback{
    finding_list, "nic.reaches-loopback", Severity::warning,
    "The guest reaches services of the host that listen on its loopback address only, which it did not before.",
    "Protect such services with a password, or use --network N=bridge:NAME, network:NAME or none."};
inline const FindingKind kForwardAddress{
    finding_list, "nic.forward-address", Severity::warning, "A port forward listens on one address of the host only.",
    "Give the host that address before you start the machine, or change the forward with virsh edit."};
inline const FindingKind kForwardDropped{finding_list, "nic.forward-dropped", Severity::warning,
                                         "A port forward cannot be carried over.",
                                         "Forward the port on the host, or choose a port from 1024 on with --forward."};
inline const FindingKind kPortShared{finding_list, "host.port-shared", Severity::warning,
                                     "Two machines listen on the same port of the host: only one of them can run.",
                                     "Give one of them another port with --forward, or run them one at a time."};
inline const FindingKind kForwardByPasst{finding_list, "nic.forward-passt", Severity::info,
                                         "Port forwards go through passt, which gives the guest other addresses.",
                                         "Let the guest get its address by DHCP."};
inline const FindingKind kBandwidthDropped{finding_list, "nic.bandwidth-dropped", Severity::info,
                                           "A bandwidth limit cannot be set on a session connection.",
                                           "Limit it in the guest or on the host's bridge."};

// ---- display, sound, input, USB ----
inline const FindingKind kNoSpice{finding_list, "display.no-spice", Severity::warning, "The host has no SPICE.",
                                  "Open the display with virt-manager or virt-viewer."};
inline const FindingKind kNoDisplay{finding_list, "display.none", Severity::critical,
                                    "The host offers no display at all.",
                                    "Use the serial console, or install QEMU with SPICE or VNC."};
inline const FindingKind kMonitorsReduced{finding_list, "display.monitors", Severity::info,
                                          "The machine had several monitors and the new card has one.",
                                          "Use --video qxl (Windows, with its driver) or --video virtio."};
inline const FindingKind k3dDropped{finding_list, "display.3d-dropped", Severity::info,
                                    "3D acceleration is not carried over.",
                                    "Use --video virtio for a Linux guest, then turn on 3D in virt-manager."};
inline const FindingKind kRemoteDisplayDropped{
    finding_list, "display.remote-dropped", Severity::info,
    "The machine's remote display is not opened to the network.",
    "Add a <listen> and a password to <graphics> if it is to be reached from elsewhere."};
inline const FindingKind kSoundDropped{finding_list, "sound.dropped", Severity::warning,
                                       "The host has no sound card to give.", ""};
inline const FindingKind kSoundChanged{finding_list, "sound.changed", Severity::info,
                                       "The sound card is replaced by a similar one.",
                                       "Install a driver for it in the guest if needed."};
inline const FindingKind kSoundSilent{finding_list, "sound.silent", Severity::info,
                                      "Without SPICE the sound goes nowhere.",
                                      "Set <audio type='pulseaudio'/> or 'pipewire' in the domain to hear it."};
inline const FindingKind kUsbControllerChanged{finding_list, "usb.controller-dropped", Severity::warning,
                                               "The host has no USB controller of this kind.",
                                               "Add another one in virt-manager."};
inline const FindingKind kUsbFiltersDropped{
    finding_list, "usb.filters-dropped", Severity::info, "USB filters are not carried over.",
    "Redirect devices from the viewer, or attach them with virsh attach-device."};
inline const FindingKind kInputChanged{finding_list, "input.changed", Severity::info,
                                       "The pointing device is replaced by a similar one.", ""};
inline const FindingKind kTabletAdded{finding_list, "input.tablet-added", Severity::info,
                                      "A USB tablet is added, so that the guest's pointer follows the window's.",
                                      "Remove it from the domain if the guest cannot handle it."};

// ---- serial and parallel ports, TPM, folders ----
inline const FindingKind kPortDropped{finding_list, "port.dropped", Severity::warning,
                                      "A serial or parallel port cannot be carried over.", ""};
inline const FindingKind kPortMoved{finding_list, "port.moved", Severity::info,
                                    "A serial or parallel port had an unusual address.",
                                    "Change the address in the guest's driver settings."};
inline const FindingKind kPortNotConnected{finding_list, "port.not-connected", Severity::warning,
                                           "A serial or parallel port was connected to something on the source's host.",
                                           "Use --host-devices to connect it to the same device or path here."};
inline const FindingKind kPortFileMoved{finding_list, "port.path-changed", Severity::info,
                                        "A port's file or socket is created in the machine's new folder.",
                                        "Use --host-devices to use the source's own path."};
inline const FindingKind kPortListensLocally{finding_list, "port.listens-locally", Severity::info,
                                             "A port that listened on the network is reachable from this host only.",
                                             "Change <source host=> in the domain to open it to others."};
inline const FindingKind kTpmDropped{
    finding_list, "tpm.dropped", Severity::critical, "The host has no TPM emulator.",
    "Install swtpm and swtpm-tools; BitLocker asks for the recovery key, so have it at hand."};
inline const FindingKind kTpmBitlocker{
    finding_list, "tpm.sealed", Severity::critical,
    "What the guest sealed in its TPM will not open, because the firmware is a different one.",
    "Have the recovery key at hand before the first start."};
inline const FindingKind kFolderDropped{finding_list, "folder.dropped", Severity::warning,
                                        "Shared folders are not carried over.",
                                        "Use --shared-folders virtiofs, share them in GNOME Boxes or virt-viewer "
                                        "(spice-webdavd in the guest), or over SSH or Samba."};

// ---- snapshots ----
// Tried: libvirt 9.0 goes back to and deletes what is carried over, also while the machine runs, and refuses to make
// new ones; 11.3 and 12.8 do all three.
inline const FindingKind kSnapshotNewUefi{
    finding_list, "snapshot.new-uefi", Severity::warning,
    "libvirt before 10.9 cannot take new internal snapshots of machines with UEFI variables.",
    "Take new ones with 'virsh snapshot-create-as --disk-only', or upgrade libvirt; reverting to those that are "
    "carried over works."};

}  // namespace ferry::libvirt
