// SPDX-License-Identifier: Apache-2.0
// The families come from VMware's documentation, its knowledge base, the vSphere security guides, and the files in
// the wild. Rows are searched from the top: put a narrow pattern before a wide one.
#include "importers/vmx/known_keys.hpp"

namespace ferry::vmx {
namespace {

constexpr Disposition kIrrelevant = Disposition::irrelevant;
constexpr Disposition kDropped = Disposition::dropped;

constexpr std::size_t kLongestKey = 200;  // matching takes time in the square of the length

constexpr std::string_view kHousekeeping = "VMware's own housekeeping";
constexpr std::string_view kWindow = "how VMware's window shows the machine";
constexpr std::string_view kHostShare =
    "how VMware shares out its host; set limits on the new machine if you need them";
constexpr std::string_view kLimit =
    "a limit on the host's resources; set it on the new machine (cputune, memtune, iotune) if you need it";
constexpr std::string_view kTools = "VMware Tools do nothing on QEMU; use the QEMU guest agent and SPICE agent";
constexpr std::string_view kMonitor = "tunes VMware's own monitor";
constexpr std::string_view kGuestChannel = "a channel between VMware Tools and their host, which QEMU has not";
constexpr std::string_view kSlot = "only the slots of disk and USB controllers and of network cards are kept";
constexpr std::string_view kBridge = "bridges are laid out anew; the slots of the devices are kept where QEMU can";
constexpr std::string_view kVmci = "VMware's VMCI device has no counterpart; only VMware's own software uses it";
constexpr std::string_view kSnapshots = "VMware's policy on snapshots, which its list (.vmsd) holds";
constexpr std::string_view kCluster = "belongs to vCenter, vMotion, fault tolerance or replication";
constexpr std::string_view kEncryption = "VMware's encryption of the settings themselves";
constexpr std::string_view kPassthrough = "a device of the source's host; pass one of this host through by hand";
constexpr std::string_view kDebug = "a debugging aid of VMware";

// A plain array: clang 14 cannot deduce a std::array of more than 256 elements.
constexpr KnownKey kTable[] = {
    // the file itself
    KnownKey{".encoding", kIrrelevant, "the file's text encoding"},
    KnownKey{"encoding", kIrrelevant, "the file's text encoding"},
    KnownKey{"config.version", kIrrelevant, "the file format's version"},
    KnownKey{"config.readonly", kIrrelevant, kHousekeeping},
    KnownKey{"virtualhw.productcompatibility", kIrrelevant, kHousekeeping},
    KnownKey{"virtualhw.scheduledupgrade.*", kIrrelevant, kHousekeeping},
    KnownKey{"virtualhw.initialversion", kIrrelevant, kHousekeeping},
    KnownKey{"extendedconfigfile", kIrrelevant, "names the .vmxf file, which holds teams and tools' install state"},
    KnownKey{"vmxstats.filename", kIrrelevant, kHousekeeping},
    KnownKey{"workingdir", kIrrelevant, "where VMware puts its own files"},
    KnownKey{"suspend.directory", kIrrelevant, "where VMware puts its own files"},
    KnownKey{"redologdir", kIrrelevant, "where VMware puts its own files"},
    KnownKey{"snapshot.*", kIrrelevant, kSnapshots},
    KnownKey{"snapshot#.*", kIrrelevant, kSnapshots},
    KnownKey{"autoprotect.*", kDropped, "automatic snapshots stop; make them by a timer on this host if you need them"},
    KnownKey{"rollingtier#.*", kDropped,
             "automatic snapshots stop; make them by a timer on this host if you need them"},
    KnownKey{"rollingtier*", kIrrelevant, kSnapshots},
    KnownKey{"vm.autosnapshot*", kIrrelevant, kSnapshots},
    KnownKey{"disk.locking", kIrrelevant, "locks of VMware's own"},
    KnownKey{"vmxd.*", kIrrelevant, kHousekeeping},
    KnownKey{"cleanshutdown", kIrrelevant, "whether VMware itself ended well"},
    KnownKey{"softpoweroff", kIrrelevant, kHousekeeping},
    KnownKey{"powertype.*", kIrrelevant, "what the power buttons of VMware's window do"},
    KnownKey{"powertype*", kIrrelevant, "what the power buttons of VMware's window do"},
    KnownKey{"poweron.*", kIrrelevant, kHousekeeping},
    KnownKey{"autostart*", kDropped, "whether the machine starts with its host; use virsh autostart"},
    KnownKey{"autostop*", kDropped, "whether the machine stops with its host; use virsh autostart"},
    KnownKey{"gui.*", kIrrelevant, kWindow},
    KnownKey{"unity.*", kIrrelevant, kWindow},
    KnownKey{"priority.*", kIrrelevant, kHostShare},
    KnownKey{"log.*", kIrrelevant, "VMware's log files"},
    KnownKey{"logging", kIrrelevant, "VMware's log files"},
    KnownKey{"vmx.log.*", kIrrelevant, "VMware's log files"},
    KnownKey{"vmkernel.*", kIrrelevant, kMonitor},
    KnownKey{"vm.createdate", kIrrelevant, kHousekeeping},
    KnownKey{"vm.genid", kDropped, "the generation id changes, as it does when a machine is restored from a copy"},
    KnownKey{"vm.genidx", kDropped, "the generation id changes, as it does when a machine is restored from a copy"},
    KnownKey{"uuid.location", kIrrelevant, "where VMware last saw the file"},
    KnownKey{"uuid.action", kIrrelevant, "what VMware does when the file has moved"},
    KnownKey{"vc.uuid", kIrrelevant, "vCenter's own identity of the machine"},
    KnownKey{"viv.moid", kIrrelevant, kCluster},
    KnownKey{"vio.*", kIrrelevant, kCluster},
    KnownKey{"nvp.*", kIrrelevant, kCluster},
    KnownKey{"vapp.*", kIrrelevant, kCluster},
    KnownKey{"root-disk-uuid", kIrrelevant, kCluster},
    KnownKey{"deploymentplatform", kIrrelevant, kHousekeeping},
    KnownKey{"invmteam", kIrrelevant, "teams of VMware Workstation"},
    KnownKey{"team.*", kIrrelevant, "teams of VMware Workstation"},
    KnownKey{"guestosaltname", kIrrelevant, "a name for people; guestOS says the same"},
    KnownKey{"guestos.detailed.data", kIrrelevant, "what VMware Tools last said of the guest"},
    KnownKey{"guestinfo.detailed.data", kIrrelevant, "what VMware Tools last said of the guest"},
    KnownKey{"guestinfo.appinfo", kIrrelevant, "what VMware Tools last said of the guest"},
    KnownKey{"guestinfo.vmtools.*", kIrrelevant, "what VMware Tools last said of themselves"},
    KnownKey{"guestinfo.toolsinstallerrcode", kIrrelevant, "what VMware Tools last said of themselves"},
    KnownKey{"guestinfo.*", kDropped,
             "QEMU has no guestinfo; give the guest its data another way (cloud-init: NoCloud)"},
    KnownKey{"machine.id", kDropped, kGuestChannel},
    KnownKey{"templatevm", kIrrelevant, kHousekeeping},
    KnownKey{"policy.*", kDropped, "VMware ACE and restricted machines have no counterpart"},
    KnownKey{"rvm.*", kDropped, "VMware ACE and restricted machines have no counterpart"},
    KnownKey{"ace.*", kDropped, "VMware ACE and restricted machines have no counterpart"},
    KnownKey{"roamingvm.*", kIrrelevant, kHousekeeping},
    KnownKey{"checkpoint.*", kIrrelevant, "VMware's saved states"},
    KnownKey{"checkpointfbsize", kIrrelevant, "VMware's saved states"},
    KnownKey{"suspend.disabled", kIrrelevant, "VMware's saved states"},
    KnownKey{"svmotion.*", kIrrelevant, kCluster},
    KnownKey{"cbtmotion.*", kIrrelevant, kCluster},
    KnownKey{"filesearchpath", kIrrelevant, "where VMware looks for its own files"},
    KnownKey{"msg.*", kIrrelevant, "how VMware answers its own questions"},
    KnownKey{"answer.msg.*", kIrrelevant, "how VMware answers its own questions"},
    KnownKey{"hints.*", kIrrelevant, kWindow},
    KnownKey{"hint.*", kIrrelevant, kWindow},
    KnownKey{"pref.*", kIrrelevant, kWindow},
    KnownKey{"webupdate.*", kIrrelevant, kHousekeeping},
    KnownKey{"vmplayer.*", kIrrelevant, kWindow},
    KnownKey{"fusion.*", kIrrelevant, kWindow},
    KnownKey{"proxyapps.*", kDropped, "Fusion's links between Mac and guest programs have no counterpart"},
    KnownKey{"gui.applymydockiconsettings", kIrrelevant, kWindow},
    KnownKey{"applicationmenu*", kIrrelevant, kWindow},

    // encryption
    KnownKey{"encryption.*", kDropped, kEncryption},
    KnownKey{"encryptedvm.*", kIrrelevant, kEncryption},
    KnownKey{"vmx.encryptiontype", kIrrelevant, kEncryption},
    KnownKey{"cryptostate", kIrrelevant, kEncryption},
    KnownKey{"vtpm.ekc*", kDropped, "the TPM's endorsement certificates; the new TPM has its own"},
    KnownKey{"vtpm.*", kDropped, "the TPM starts anew"},
    KnownKey{"managedvm.*", kDropped, "VMware manages this machine's encryption"},
    KnownKey{"vvtd.enable", kDropped, "an IOMMU for the guest; add <iommu> when the guest runs its own guests on it"},
    KnownKey{"vbs.*", kDropped, "virtualisation-based security; it works when nested virtualisation does"},
    KnownKey{"windows.vbs.enabled", kDropped,
             "virtualisation-based security; it works when nested virtualisation does"},
    KnownKey{"sgx.*", kDropped, "SGX enclaves are bound to their host"},
    KnownKey{"sev.*", kDropped, "encrypted memory is bound to its host"},
    KnownKey{"tdx.*", kDropped, "encrypted memory is bound to its host"},

    // CPU, memory, scheduling
    KnownKey{"maxvcpus", kIrrelevant, "a limit for adding CPUs while VMware runs"},
    KnownKey{"vcpu.hotremove", kDropped, "CPUs cannot be taken out of the running machine"},
    KnownKey{"cpuid.corespersocket.*", kIrrelevant, kHousekeeping},
    KnownKey{"cpuid.*", kDropped, "a CPUID setting without a counterpart; choose a CPU model in its place"},
    KnownKey{"guestcpuid.*", kIrrelevant, "what VMware found last time"},
    KnownKey{"hostcpuid.*", kIrrelevant, "what VMware found last time"},
    KnownKey{"usercpuid.*", kIrrelevant, "what VMware found last time"},
    KnownKey{"evccompatibilitymode", kIrrelevant, kCluster},
    KnownKey{"featmask.*", kDropped, "a CPU feature masked for vMotion; choose a CPU model in its place"},
    KnownKey{"featurecompat.*", kIrrelevant, kCluster},
    KnownKey{"vhv.*", kDropped, kMonitor},
    KnownKey{"vpmc.*", kDropped, "performance counters: add <pmu state='on'/> if the guest needs them"},
    KnownKey{"vcpu.*", kDropped, kMonitor},
    KnownKey{"vcpu#.*", kIrrelevant, kHostShare},
    KnownKey{"numvcpus.*", kIrrelevant, kHousekeeping},
    KnownKey{"hypervisor.*", kDropped, kMonitor},
    KnownKey{"monitor.*", kIrrelevant, kMonitor},
    KnownKey{"monitor_control.*", kIrrelevant, kMonitor},
    KnownKey{"ulm.*", kIrrelevant, kMonitor},
    KnownKey{"processor#.use", kIrrelevant, kHostShare},
    KnownKey{"processors.*", kIrrelevant, kHostShare},
    KnownKey{"numa.*", kIrrelevant, kHostShare},
    KnownKey{"sched.cpu.max", kDropped, kLimit},
    KnownKey{"sched.cpu.affinity", kDropped, kLimit},
    KnownKey{"sched.mem.max", kDropped, kLimit},
    KnownKey{"sched.mem.prealloc*", kDropped, kLimit},
    KnownKey{"sched.*.throughputcap", kDropped, kLimit},
    KnownKey{"sched.*", kIrrelevant, kHostShare},
    KnownKey{"mem.*", kIrrelevant, kHostShare},
    KnownKey{"memallowautoscaledown", kIrrelevant, kHostShare},
    KnownKey{"memtrimrate", kIrrelevant, kHostShare},
    KnownKey{"mainmem.*", kIrrelevant, kHostShare},
    KnownKey{"prefvmx.*", kIrrelevant, kHostShare},
    KnownKey{"minvmmemdomain*", kIrrelevant, kHostShare},
    KnownKey{"host.*", kIrrelevant, kHostShare},
    KnownKey{"resourcepool*", kIrrelevant, kHostShare},
    KnownKey{"latency.*", kIrrelevant, kHostShare},
    KnownKey{"timetracker.*", kIrrelevant, kMonitor},
    KnownKey{"timetracker_*", kIrrelevant, kMonitor},
    KnownKey{"pseudoperf.*", kIrrelevant, kMonitor},
    KnownKey{"halt_*", kIrrelevant, kMonitor},
    KnownKey{"keepperflog*", kIrrelevant, kDebug},
    KnownKey{"nvdimm#*", kDropped, "a non-volatile memory module; add <memory model='nvdimm'> by hand"},
    KnownKey{"nvdimm*", kDropped, "a non-volatile memory module; add <memory model='nvdimm'> by hand"},

    // time
    KnownKey{"tools.synctime*", kDropped, "VMware Tools set the guest's clock no longer; let the guest use NTP"},
    KnownKey{"time.synchronize.*", kDropped, "VMware Tools set the guest's clock no longer; let the guest use NTP"},
    KnownKey{"timesync.*", kDropped, "VMware Tools set the guest's clock no longer; let the guest use NTP"},
    KnownKey{"rtc.*", kIrrelevant, kMonitor},
    KnownKey{"hpet#.*", kIrrelevant, kMonitor},
    KnownKey{"ptsc.*", kIrrelevant, kMonitor},
    KnownKey{"precisionclock#.*", kDropped, "a clock device of VMware's"},

    // tools and the channels between guest and host
    KnownKey{"tools.*", kDropped, kTools},
    KnownKey{"toolscripts.*", kDropped, kTools},
    KnownKey{"toolsinstallmanager.*", kIrrelevant, kTools},
    KnownKey{"tools_*", kDropped, kTools},
    KnownKey{"isolation.*", kDropped, kGuestChannel},
    KnownKey{"hgfs.*", kDropped, kGuestChannel},
    KnownKey{"sharedfolder.*", kIrrelevant, "how VMware numbers shared folders"},
    KnownKey{"sharedfolder#.*", kIrrelevant, "how VMware keeps shared folders"},
    KnownKey{"messagebus.*", kIrrelevant, kGuestChannel},
    KnownKey{"vmci#.*", kDropped, kVmci},
    KnownKey{"vmci.*", kDropped, kVmci},
    KnownKey{"vmci#:*", kDropped, kVmci},
    KnownKey{"vsock.*", kDropped, kVmci},
    KnownKey{"vmsafe.*", kDropped, kGuestChannel},
    KnownKey{"vix.*", kIrrelevant, kGuestChannel},
    KnownKey{"guest.*", kDropped, kGuestChannel},
    KnownKey{"dataset.*", kDropped, kGuestChannel},
    KnownKey{"datasets.*", kDropped, kGuestChannel},
    KnownKey{"devices.*", kDropped, kGuestChannel},
    KnownKey{"ctkenabled", kIrrelevant, "VMware's record of changed blocks for backups"},
    KnownKey{"ctkdisallowed", kIrrelevant, "VMware's record of changed blocks for backups"},
    KnownKey{"ghi.*", kDropped, kGuestChannel},
    KnownKey{"printers.*", kDropped, "VMware's virtual printers; share the host's printers over the network"},
    KnownKey{"thinprint.*", kDropped, "VMware's virtual printers; share the host's printers over the network"},
    KnownKey{"disable_acceleration", kIrrelevant, kMonitor},

    // cluster
    KnownKey{"vmotion.*", kIrrelevant, kCluster},
    KnownKey{"migrate.*", kIrrelevant, kCluster},
    KnownKey{"migration.*", kIrrelevant, kCluster},
    KnownKey{"ftcpt.*", kIrrelevant, kCluster},
    KnownKey{"ft.*", kIrrelevant, kCluster},
    KnownKey{"faulttolerance*", kIrrelevant, kCluster},
    KnownKey{"replay.*", kIrrelevant, "recording and replaying of VMware Workstation"},
    KnownKey{"replay_*", kIrrelevant, "recording and replaying of VMware Workstation"},
    KnownKey{"hbr_filter.*", kIrrelevant, kCluster},
    KnownKey{"hbr.*", kIrrelevant, kCluster},
    KnownKey{"dvfilter.*", kIrrelevant, kCluster},
    KnownKey{"lwd*", kIrrelevant, kCluster},
    KnownKey{"iofilters", kIrrelevant, kCluster},
    KnownKey{"ovf.*", kIrrelevant, kCluster},
    KnownKey{"vcloud.*", kIrrelevant, kCluster},
    KnownKey{"vvol*", kIrrelevant, kCluster},
    KnownKey{"vsan*", kIrrelevant, kCluster},
    KnownKey{"das.*", kIrrelevant, kCluster},
    KnownKey{"dr.enabled", kIrrelevant, kCluster},

    // firmware
    KnownKey{"bios440.filename", kDropped, "a BIOS image of the user's own; QEMU's firmware is used"},
    KnownKey{"bios.forcesetuponce", kDropped, "opens the setup at the next start only"},
    KnownKey{"bios.*", kDropped, "a setting of VMware's BIOS"},
    KnownKey{"efi*.filename", kDropped, "a firmware image of the user's own; QEMU's firmware is used"},
    KnownKey{"efi.nvram.var.*", kDropped, "an EFI variable set from outside (Apple's MLB and ROM)"},
    KnownKey{"efi.*", kDropped, "a setting of VMware's EFI"},
    KnownKey{"uefi.*", kDropped, "a setting of VMware's EFI"},
    KnownKey{"firmware.*", kDropped, "a setting of VMware's firmware"},
    KnownKey{"acpi.*", kDropped, "a setting of VMware's ACPI tables"},
    KnownKey{"ioapic.*", kDropped, kMonitor},
    KnownKey{"ich7m.*", kDropped, "details of a Mac's board"},
    KnownKey{"system-id.*", kDropped, "an identity that VMware shows to macOS guests"},
    KnownKey{"uhci.*", kDropped, kSlot},
    KnownKey{"tpm.present", kDropped, "a TPM of the source's host; virtual ones are called vtpm"},
    KnownKey{"vwifi.*", kDropped, "a wireless card that QEMU has not"},
    KnownKey{"webcam.*", kDropped, kPassthrough},
    KnownKey{"nvme.enable", kIrrelevant, "whether VMware offers NVMe controllers"},
    KnownKey{"chipset.*", kDropped, "battery and timer details of VMware's board"},
    KnownKey{"smbios.*", kDropped, "an SMBIOS detail without a counterpart"},
    KnownKey{"smc.*", kDropped, "the Apple SMC needs a key that only a Mac gives; see the macOS notes"},
    KnownKey{"*.reflecthost", kDropped, "strings of the source's host are not in the file"},
    KnownKey{"board-id*", kDropped, "an SMBIOS detail without a counterpart"},
    KnownKey{"hw.model*", kDropped, "an SMBIOS detail without a counterpart"},
    KnownKey{"serialnumber*", kDropped, "an SMBIOS detail without a counterpart"},

    // PCI
    KnownKey{"pcibridge#.*", kIrrelevant, kBridge},
    KnownKey{"pcibridge.*", kIrrelevant, kBridge},
    KnownKey{"pci.*", kIrrelevant, kBridge},
    KnownKey{"pcihole.*", kIrrelevant, kBridge},
    KnownKey{"pcipassthru#.*", kDropped, kPassthrough},
    KnownKey{"pcipassthru*", kDropped, kPassthrough},
    KnownKey{"vgpu*", kDropped, kPassthrough},
    KnownKey{"migratable_vgpu*", kDropped, kPassthrough},

    // storage
    KnownKey{"*.saswwid", kDropped, "the new controller and its disks have world-wide names of their own"},
    KnownKey{"scsi#:#.ctkenabled", kIrrelevant, "VMware's record of changed blocks for backups"},
    KnownKey{"*:#.ctkenabled", kIrrelevant, "VMware's record of changed blocks for backups"},
    KnownKey{"*:#.redo", kIrrelevant, kHousekeeping},
    KnownKey{"*:#.shares", kIrrelevant, kHostShare},
    KnownKey{"*:#.throughputcap", kIrrelevant, kHostShare},
    KnownKey{"*:#.bandwidthcap", kIrrelevant, kHostShare},
    KnownKey{"*:#.exclusive", kIrrelevant, "whether VMware took its host's drive for itself"},
    KnownKey{"*:#.allowguestconnectioncontrol", kIrrelevant, kTools},
    KnownKey{"*:#.digestenabled", kIrrelevant, kHousekeeping},
    KnownKey{"*:#.digestfilename", kIrrelevant, kHousekeeping},
    KnownKey{"*:#.iofilters*", kIrrelevant, kCluster},
    KnownKey{"*:#.writethrough", kIrrelevant, "how the host caches writes is decided anew"},
    KnownKey{"*:#.mode", kIrrelevant, "says nothing of a drive without a disk"},
    KnownKey{"*:#.filename", kIrrelevant, "says nothing of this kind of drive"},
    KnownKey{"*:#.devicetype", kIrrelevant, "says nothing of this kind of drive"},
    KnownKey{"*:#.rawdiskdescriptor*", kDropped, "a raw disk of the source's host"},
    KnownKey{"*:#.deletable", kIrrelevant, kHousekeeping},
    KnownKey{"*:#.wwn", kDropped, "the new disk has a world-wide name of its own"},
    KnownKey{"*:#.filters", kIrrelevant, kCluster},
    KnownKey{"*:#.untaggedcommands", kIrrelevant, kMonitor},
    KnownKey{"*:#.*reservation", kIrrelevant, kHostShare},
    KnownKey{"*:#.clone*", kIrrelevant, kHousekeeping},
    KnownKey{"*:#.hostbuffer*", kIrrelevant, kMonitor},
    KnownKey{"*:#.slotnumber", kIrrelevant, kHousekeeping},
    KnownKey{"scsi#.*", kDropped, "tunes VMware's SCSI controller"},
    KnownKey{"sata#.*", kDropped, "tunes VMware's SATA controller"},
    KnownKey{"nvme#.subnqnuuid", kDropped, "the new controller has an NVMe name of its own"},
    KnownKey{"nvme#.*", kDropped, "tunes VMware's NVMe controller"},
    KnownKey{"ide#.*", kDropped, "tunes VMware's IDE controller"},
    KnownKey{"floppy#.*", kIrrelevant, "says nothing of this kind of drive"},
    KnownKey{"disk.enableuuid", kDropped,
             "the guest saw each disk's UUID as its serial number; paths in /dev/disk/by-id change"},
    KnownKey{"disk.*", kDropped, "tunes VMware's disk layer"},
    KnownKey{"disklib.*", kDropped, "tunes VMware's disk layer"},
    KnownKey{"diskconsolidate*", kIrrelevant, kHousekeeping},
    KnownKey{"hard-disk.*", kIrrelevant, "tunes VMware's disk layer"},
    KnownKey{"aiomgr.*", kIrrelevant, "tunes VMware's disk layer"},
    KnownKey{"buslogic.*", kIrrelevant, "a warning of VMware's about guest drivers"},
    KnownKey{"lsilogic.*", kIrrelevant, "a warning of VMware's about guest drivers"},
    KnownKey{"pvscsi.*", kDropped, "tunes VMware's SCSI controller"},
    KnownKey{"scsi.*", kDropped, "tunes VMware's SCSI controller"},
    KnownKey{"cdrom.*", kIrrelevant, "tunes VMware's CD drives"},
    KnownKey{"undopoints.*", kIrrelevant, kSnapshots},
    KnownKey{"undopoint.*", kIrrelevant, kSnapshots},
    KnownKey{"encryptdisk*", kIrrelevant, kEncryption},

    // network
    KnownKey{"ethernet#.wakeonpcktrcv", kIrrelevant, "whether a packet wakes a suspended machine"},
    KnownKey{"ethernet#.linkstatepropagation*", kDropped, "the link does not follow the host's cable"},
    KnownKey{"ethernet#.checkmacaddress", kIrrelevant, "VMware's check of the address range"},
    KnownKey{"ethernet#.uptcompatibility*", kIrrelevant, kCluster},
    KnownKey{"ethernet#.upt*", kIrrelevant, kCluster},
    KnownKey{"ethernet#.pvnid", kIrrelevant, "a LAN segment that the card is not connected to"},
    KnownKey{"ethernet#.vnet", kIrrelevant, "a network that the card is not connected to"},
    KnownKey{"ethernet#.shares", kIrrelevant, kHostShare},
    KnownKey{"ethernet#.limit", kIrrelevant, kHostShare},
    KnownKey{"ethernet#.reservation", kIrrelevant, kHostShare},
    KnownKey{"ethernet#.allowguestconnectioncontrol", kIrrelevant, kTools},
    KnownKey{"ethernet#.displayname", kIrrelevant, "a name for people"},
    KnownKey{"ethernet#.nooprom", kDropped, "network boot of this card; leave the card out of the boot order"},
    KnownKey{"ethernet#.nopromisc", kDropped, "libvirt's networks decide who may listen"},
    KnownKey{"ethernet#.rxbw.*", kDropped, "simulated loss and delay; use tc on this host"},
    KnownKey{"ethernet#.txbw.*", kDropped, "simulated loss and delay; use tc on this host"},
    KnownKey{"ethernet#.rxfi.*", kDropped, "simulated loss and delay; use tc on this host"},
    KnownKey{"ethernet#.txfi.*", kDropped, "simulated loss and delay; use tc on this host"},
    KnownKey{"ethernet#.ctxpernet*", kIrrelevant, "tunes VMware's network card"},
    KnownKey{"ethernet#.opaquenetwork.*", kIrrelevant, kCluster},
    KnownKey{"ethernet#.dvs.*", kIrrelevant, kCluster},
    KnownKey{"ethernet#.filter#.*", kDropped, "a vSphere network filter; use libvirt's nwfilter"},
    KnownKey{"ethernet#.*", kDropped, "tunes VMware's network card"},
    KnownKey{"ethernet.*", kDropped, "tunes VMware's network cards"},
    KnownKey{"vlance.*", kDropped, "network boot; choose the boot order on the new machine"},
    KnownKey{"vmxnet.*", kDropped, "network boot; choose the boot order on the new machine"},
    KnownKey{"vmxnet3.*", kDropped, "tunes VMware's network card"},
    KnownKey{"e1000*.*", kDropped, "tunes VMware's network card"},
    KnownKey{"vmnet#.*", kIrrelevant, "a network of the source's host"},
    KnownKey{"vmnet.*", kIrrelevant, "a network of the source's host"},
    KnownKey{"nmi.*", kIrrelevant, kDebug},

    // ports, sound, USB, input, display
    KnownKey{"serial#.*", kDropped, "tunes VMware's serial port"},
    KnownKey{"parallel#.*", kDropped, "tunes VMware's parallel port"},
    KnownKey{"sound.*", kIrrelevant, "how VMware plays sound on its host"},
    KnownKey{"usb.vbluetooth.*", kDropped,
             "VMware lends its host's Bluetooth; pass a Bluetooth adapter through by hand"},
    KnownKey{"usb.generic.*", kIrrelevant, "which of its host's USB devices VMware takes"},
    KnownKey{"usb.quirks.*", kIrrelevant, "which of its host's USB devices VMware takes"},
    KnownKey{"usb.restrictions.*", kIrrelevant, "which of its host's USB devices VMware takes"},
    KnownKey{"usb.*", kIrrelevant, "how VMware handles USB"},
    KnownKey{"ehci.*", kIrrelevant, "how VMware handles USB"},
    KnownKey{"usb_xhci.*", kIrrelevant, "how VMware handles USB"},
    KnownKey{"usb:#.*", kIrrelevant, "how VMware handles USB"},
    KnownKey{"ehci:#.*", kIrrelevant, "how VMware handles USB"},
    KnownKey{"usb_xhci:#.*", kIrrelevant, "how VMware handles USB"},
    KnownKey{"vusbmouse.*", kIrrelevant, "how VMware handles the pointer"},
    KnownKey{"mouse.*", kIrrelevant, "how VMware handles the pointer"},
    KnownKey{"vmmouse.*", kDropped, "VMware's pointer; a USB tablet takes its place"},
    KnownKey{"keyboard.*", kIrrelevant, "how VMware handles keys"},
    KnownKey{"keyboardandmouseprofile", kIrrelevant, "how VMware handles keys"},
    KnownKey{"mks.*", kIrrelevant, "how VMware draws and takes keys on its host"},
    KnownKey{"svga.pcislotnumber", kDropped, kSlot},
    KnownKey{"svga.*", kIrrelevant, "sizes of VMware's display adapter; the new one has its own"},
    KnownKey{"vga.*", kIrrelevant, "sizes of VMware's display adapter; the new one has its own"},
    KnownKey{"remotedisplay.*", kDropped, "limits of VMware's remote display"},
    KnownKey{"sensor.*", kDropped, "VMware lends its host's sensors to the guest"},
    KnownKey{"touchscreen.*", kDropped, "VMware's touch screen; add a multi-touch input device by hand"},
    KnownKey{"camera.*", kDropped, "VMware lends its host's camera; pass a USB camera through by hand"},
    KnownKey{"vcamera.*", kDropped, "VMware lends its host's camera; pass a USB camera through by hand"},
    KnownKey{"vwdt.*", kDropped, "a watchdog; add <watchdog> by hand"},
    KnownKey{"vwdt*", kDropped, "a watchdog; add <watchdog> by hand"},
    KnownKey{"battery.*", kDropped, "VMware shows its host's battery to the guest"},
    KnownKey{"lidswitch*", kDropped, "VMware shows its host's lid to the guest"},
    KnownKey{"dvx.*", kDropped, kPassthrough},
    KnownKey{"deviceplugin*", kDropped, kPassthrough},

    // debugging
    KnownKey{"debugstub.*", kDropped, "a debugger's door into the guest; use QEMU's gdb stub"},
    KnownKey{"debug*", kIrrelevant, kDebug},
    KnownKey{"vprobe.*", kIrrelevant, kDebug},
    KnownKey{"loglevel.*", kIrrelevant, kDebug},
    KnownKey{"stats.*", kIrrelevant, kDebug},
    KnownKey{"coredump*", kIrrelevant, kDebug},
    KnownKey{"vmx.*", kIrrelevant, kMonitor},
    KnownKey{"vm.*", kIrrelevant, kHousekeeping},
    KnownKey{"mvp.*", kIrrelevant, kHousekeeping},
    KnownKey{"parallels.*", kIrrelevant, "left by an import from another product"},
    KnownKey{"vpc.*", kIrrelevant, "left by an import from another product"},
    KnownKey{"converter.*", kIrrelevant, "left by VMware Converter"},
    KnownKey{"created.*", kIrrelevant, kHousekeeping},
    KnownKey{"__*", kIrrelevant, "a heading that somebody wrote into the file"},
};

}  // namespace

bool key_matches(std::string_view pattern, std::string_view key) {
  if (pattern.empty()) return key.empty();
  if (pattern.front() == '*') {
    for (std::size_t skip = 0; skip <= key.size(); ++skip) {
      if (key_matches(pattern.substr(1), key.substr(skip))) return true;
    }
    return false;
  }
  if (pattern.front() == '#') {
    std::size_t digits = 0;
    while (digits < key.size() && key[digits] >= '0' && key[digits] <= '9') ++digits;
    return digits > 0 && key_matches(pattern.substr(1), key.substr(digits));
  }
  return !key.empty() && key.front() == pattern.front() && key_matches(pattern.substr(1), key.substr(1));
}

const KnownKey *find_known_key(std::string_view key) {
  if (key.size() > kLongestKey) return nullptr;
  for (const KnownKey &known : kTable) {
    if (key_matches(known.pattern, key)) return &known;
  }
  return nullptr;
}

void settle_known_keys(Settings &settings) {
  settings.for_each_unknown([&](const std::string &key) {
    if (const KnownKey *known = find_known_key(key)) settings.settle(key, known->disposition, known->note);
  });
}

}  // namespace ferry::vmx
