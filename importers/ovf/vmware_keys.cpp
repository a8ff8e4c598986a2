// SPDX-License-Identifier: Apache-2.0
// Keys: the properties of VirtualMachineConfigSpec, VirtualDevice and its kinds in VMware's vSphere Web Services API
// reference, in the dotted form that ovftool writes them; families of .vmx keys.
#include "importers/ovf/vmware_keys.hpp"

#include <array>

#include "model/support/text.hpp"

namespace ferry::ovf {
namespace {

constexpr auto kIrrelevant = Disposition::irrelevant;
constexpr auto kDropped = Disposition::dropped;

constexpr std::string_view kPower = "what VMware's power buttons do; libvirt's shut the guest down by ACPI";
constexpr std::string_view kTools = "steers VMware Tools, which do nothing in the new machine";
constexpr std::string_view kHost = "steers the source host, not the guest";
constexpr std::string_view kMac = "only macOS guests have it";
constexpr std::string_view kShares =
    "a share of the source host's resources; set it with 'virsh schedinfo' or "
    "'virsh memtune' if it is wanted";
constexpr std::string_view kConfidential =
    "encrypted memory needs a processor and firmware that a session machine does "
    "not get; set it up by hand";
constexpr std::string_view kBacking = "how the source host stores the device; the new one is stored anew";
constexpr std::string_view kPassthrough = "a device of the source host";
constexpr std::string_view kBridges = "the PCI bridges of the source platform; the new machine lays out its own";

constexpr std::array kMachine{
    KeyRule{"firmware", kDropped, "not a value that is known"},
    KeyRule{"uuid", kDropped, "not a UUID"},
    KeyRule{"instanceUuid", kIrrelevant, "the machine's identity in the source's vCenter"},
    KeyRule{"bootOptions.*", kDropped, "set the boot menu and order of the new machine with virt-manager"},
    KeyRule{"cpuHotRemoveEnabled", kDropped, "the new machine's processors are fixed while it runs"},
    KeyRule{"simultaneousThreads", kIrrelevant, "one thread for each core, as in the new machine"},
    KeyRule{"virtualICH7MPresent", kDropped, kMac},
    KeyRule{"virtualSMCPresent", kDropped, kMac},
    KeyRule{"motherboardLayout", kIrrelevant, "the inner layout of VMware's board; the new machine has QEMU's"},
    KeyRule{"powerOpInfo.*", kIrrelevant, kPower},
    KeyRule{"tools.syncTimeWithHost", kDropped, "the guest's own time service (NTP) keeps the time in the new machine"},
    KeyRule{"tools.*", kIrrelevant, kTools},
    KeyRule{"flags.vbsEnabled", kDropped,
            "Windows' virtualization based security: needs nested virtualization and "
            "Secure Boot in the new machine"},
    KeyRule{"flags.vvtdEnabled", kDropped, "a virtual IOMMU; add one with virsh edit if the guest uses it"},
    KeyRule{"flags.virtualMmuUsage", kIrrelevant, kHost},
    KeyRule{"flags.virtualExecUsage", kIrrelevant, kHost},
    KeyRule{"flags.snapshot*", kIrrelevant, kHost},
    KeyRule{"flags.*", kIrrelevant, kHost},
    KeyRule{"sgxInfo.flcMode", kIrrelevant, "says how SGX would be used; its memory size is another setting"},
    KeyRule{"sgxInfo.*", kDropped, "SGX memory of the source host's processor"},
    KeyRule{"sev*", kDropped, kConfidential},
    KeyRule{"tdx*", kDropped, kConfidential},
    KeyRule{"fixedPassthruHotPlugEnabled", kDropped, kPassthrough},
    KeyRule{"cpuAllocation.*", kDropped, kShares},
    KeyRule{"memoryAllocation.*", kDropped, kShares},
    KeyRule{"memoryReservationLockedToMax", kDropped, kShares},
    KeyRule{"cpuAffinity*", kDropped, kShares},
    KeyRule{"memoryAffinity*", kDropped, kShares},
    KeyRule{"latencySensitivity*", kDropped, kShares},
    KeyRule{"cpuFeatureMask*", kDropped, "hides processor features; set them with virsh edit if the guest needs it"},
    KeyRule{"vPMCEnabled", kDropped, "performance counters; the host's processor model decides in the new machine"},
    KeyRule{"virtualNuma*", kDropped, "the new machine has one NUMA node; set more with virsh edit"},
    KeyRule{"numa*", kDropped, "the new machine has one NUMA node; set more with virsh edit"},
    KeyRule{"vmOpNotificationToAppEnabled", kDropped, kTools},
    KeyRule{"swapPlacement", kIrrelevant, kHost},
    KeyRule{"swapDirectory", kIrrelevant, kHost},
    KeyRule{"changeTrackingEnabled", kIrrelevant, kHost},
    KeyRule{"maxMksConnections", kDropped, "how many consoles may be open at once"},
    KeyRule{"guestAutoLockEnabled", kDropped, "locks the guest when its console is closed"},
    KeyRule{"messageBusTunnelEnabled", kDropped, kTools},
    KeyRule{"guestMonitoringModeInfo*", kDropped, kTools},
    KeyRule{"consolePreferences*", kIrrelevant, kHost},
    KeyRule{"npiv*", kDropped, "an identity on the source's Fibre Channel network"},
    KeyRule{"ft*", kDropped, "VMware's fault tolerance"},
    KeyRule{"migrateEncryption", kIrrelevant, kHost},
    KeyRule{"crypto*", kDropped, "encryption by the source host's key server"},
    KeyRule{"vAppConfig*", kDropped, "deployment properties; configure the guest by hand"},
    KeyRule{"repConfig*", kDropped, "VMware's replication"},
    KeyRule{"files.*", kIrrelevant, kHost},
    KeyRule{"managedBy*", kIrrelevant, kHost},
    KeyRule{"annotation", kIrrelevant, "stands in the annotation as well"},
    KeyRule{"pmemFailover*", kDropped, "persistent memory of the source host"},
    KeyRule{"vmxStatsCollectionEnabled", kIrrelevant, kHost},
    KeyRule{"vmOpNotification*", kDropped, kTools},
    KeyRule{"deviceGroups*", kDropped, kPassthrough},
};

constexpr std::array kDevice{
    KeyRule{"slotInfo.*", kIrrelevant, "the slot of a device that no guest names by it"},
    KeyRule{"wakeOnLanEnabled", kIrrelevant, "waking by network works on machines that sleep; these are started"},
    KeyRule{"connectable.*", kIrrelevant, "whether the guest may disconnect the device"},
    KeyRule{"backing.writeThrough", kDropped,
            "writes go to the host's disk at once; choose the cache mode "
            "'writethrough' with virt-manager if it is wanted"},
    KeyRule{"backing.exclusive", kIrrelevant, kBacking},
    KeyRule{"backing.allowedDevice*", kDropped, kPassthrough},
    KeyRule{"backing.deviceId", kDropped, kPassthrough},
    KeyRule{"backing.systemId", kDropped, kPassthrough},
    KeyRule{"backing.vendorId", kDropped, kPassthrough},
    KeyRule{"backing.id", kDropped, kPassthrough},
    KeyRule{"backing.vgpu", kDropped, kPassthrough},
    KeyRule{"backing.migrateSupported", kDropped, kPassthrough},
    KeyRule{"backing.enhancedMigrateCapability", kDropped, kPassthrough},
    KeyRule{"backing.digestEnabled", kIrrelevant, kBacking},
    KeyRule{"backing.sharing", kDropped, "several machines use the disk at once"},
    KeyRule{"backing.*", kIrrelevant, kBacking},
    KeyRule{"guestReadOnly", kDropped, "the disk is read-only for the guest; set <readonly/> with virsh edit"},
    KeyRule{"virtualDiskFormat", kIrrelevant, "512-byte sectors, as the new disk shows"},
    KeyRule{"sharesLevel", kDropped, kShares},
    KeyRule{"shares*", kDropped, kShares},
    KeyRule{"storageIOAllocation*", kDropped, kShares},
    KeyRule{"resourceAllocation*", kDropped, kShares},
    KeyRule{"uptCompatibilityEnabled", kDropped, "a fast path through the source host's network card"},
    KeyRule{"uptv2Enabled", kDropped, "a fast path through the source host's network card"},
    KeyRule{"enableMPTSupport", kDropped, kPassthrough},
    KeyRule{"use3dRenderer", kIrrelevant, kHost},
    KeyRule{"useAutoDetect", kIrrelevant, kHost},
    KeyRule{"graphicsMemorySizeInKB", kIrrelevant, "memory that the source host's 3D renderer may use"},
    KeyRule{"videoRamSizeInKB", kDropped, "not a size that is known"},
    KeyRule{"numDisplays", kDropped, "not a number of monitors that is known"},
    KeyRule{"allowUnrestrictedCommunication", kIrrelevant, "VMware's channel between guests"},
    KeyRule{"filter*", kIrrelevant, "VMware's channel between guests"},
    KeyRule{"ehciEnabled", kIrrelevant, "USB 2, which the controller's own kind says as well"},
    KeyRule{"autoConnectDevices", kDropped, "passes new USB devices of the source host to the guest"},
    KeyRule{"yieldOnPoll", kIrrelevant, "how the source host schedules a polling guest"},
    KeyRule{"uuid", kIrrelevant, "the device's identity on the source host"},
    KeyRule{"hotAddRemove", kIrrelevant, "devices can be added while the machine runs, as in the new machine"},
    KeyRule{"sharedBus", kDropped, "several machines use the bus at once"},
    KeyRule{"scsiCtlrUnitNumber", kIrrelevant, "the adapter's own id on its bus"},
    KeyRule{"busNumber", kIrrelevant, "the controller's number, which its address says as well"},
    KeyRule{"unitNumber", kIrrelevant, "the device's number, which its address says as well"},
    KeyRule{"addressType", kIrrelevant, "how the MAC address came to be"},
    KeyRule{"externalId", kIrrelevant, "the device's identity on the source's network"},
    KeyRule{"deviceInfo.*", kIrrelevant, "a label of the device"},
    KeyRule{"key", kIrrelevant, "the device's identity on the source host"},
    KeyRule{"controllerKey", kIrrelevant, "the device's controller, which its parent says as well"},
    KeyRule{"nativeUnmanagedLinkedClone", kIrrelevant, kBacking},
    KeyRule{"iofilter*", kIrrelevant, kBacking},
    KeyRule{"diskObjectId", kIrrelevant, kBacking},
    KeyRule{"vDiskId*", kIrrelevant, kBacking},
    KeyRule{"vFlashCacheConfigInfo*", kDropped, kBacking},
    KeyRule{"protocol", kDropped, "the time protocol of VMware's clock device"},
    KeyRule{"runOnBoot", kDropped, "the watchdog starts with the machine"},
};

constexpr std::array kVmx{
    KeyRule{"guestinfo.*", kDropped, "handed to the guest by VMware Tools; configure the guest by hand"},
    KeyRule{"machine.id", kDropped, "handed to the guest by VMware Tools; configure the guest by hand"},
    KeyRule{"tools.*", kIrrelevant, kTools},
    KeyRule{"toolScripts*", kIrrelevant, kTools},
    KeyRule{"vmware.tools.*", kIrrelevant, kTools},
    KeyRule{"isolation.*", kIrrelevant, kTools},
    KeyRule{"time.synchronize.*", kIrrelevant, kTools},
    KeyRule{"guestOS*", kIrrelevant, "stands in the operating system section as well"},
    KeyRule{"guest.*", kIrrelevant, kTools},
    KeyRule{"pciBridge*", kIrrelevant, kBridges},
    KeyRule{"svga.*", kIrrelevant, "the display's own settings stand with the display"},
    KeyRule{"mks.*", kIrrelevant, kHost},
    KeyRule{"RemoteDisplay.*", kDropped, "the source's remote console; the new machine has libvirt's"},
    KeyRule{"vmci*", kIrrelevant, "VMware's channel between guest and host, for VMware Tools"},
    KeyRule{"vmotion.*", kIrrelevant, kHost},
    KeyRule{"migrate.*", kIrrelevant, kHost},
    KeyRule{"snapshot.*", kIrrelevant, kHost},
    KeyRule{"sched.*", kIrrelevant, kShares},
    KeyRule{"virtualHW.*", kIrrelevant, "the version of VMware's hardware"},
    KeyRule{"config.*", kIrrelevant, "the version of VMware's file"},
    KeyRule{"featMask.*", kDropped, "processor features; set them with virsh edit if the guest needs it"},
    KeyRule{"cpuid.*", kDropped, "processor features; set them with virsh edit if the guest needs it"},
    KeyRule{"hypervisor.cpuid.v0", kDropped,
            "hides the hypervisor from the guest; set <kvm><hidden state='on'/></kvm> "
            "with virsh edit"},
    KeyRule{"monitor*", kIrrelevant, kHost},
    KeyRule{"monitor_control.*", kIrrelevant, kHost},
    KeyRule{"disk.enableUUID", kIrrelevant, "the new disks have serial numbers in any case"},
    KeyRule{"disk.*", kIrrelevant, kBacking},
    KeyRule{"diskLib.*", kIrrelevant, kBacking},
    KeyRule{"ctkEnabled", kIrrelevant, kBacking},
    KeyRule{"disable_acceleration", kIrrelevant, kHost},
    KeyRule{"vmGenCounter.*", kDropped,
            "a counter by which a guest sees that it was copied; add <genid/> with virsh edit"},
    KeyRule{"vm.genid*", kDropped, "a counter by which a guest sees that it was copied; add <genid/> with virsh edit"},
    KeyRule{"log.*", kIrrelevant, kHost},
    KeyRule{"logging", kIrrelevant, kHost},
    KeyRule{"vmx.*", kIrrelevant, kHost},
    KeyRule{"answer.*", kIrrelevant, kHost},
    KeyRule{"msg.*", kIrrelevant, kHost},
    KeyRule{"uuid.*", kIrrelevant, "an identity on the source host"},
    KeyRule{"vc.uuid", kIrrelevant, "an identity on the source host"},
    KeyRule{"smbios.*", kDropped, "strings of the source host in the SMBIOS tables; use --smbios"},
    KeyRule{"board-id*", kDropped, kMac},
    KeyRule{"hw.model*", kDropped, kMac},
    KeyRule{"serialNumber*", kDropped, kMac},
    KeyRule{"ich7m.present", kDropped, kMac},
    KeyRule{"smc.*", kDropped, kMac},
    KeyRule{"keyboard.*", kIrrelevant, kHost},
    KeyRule{"mouse.*", kIrrelevant, kHost},
    KeyRule{"bios.*", kDropped, "set the boot menu and order of the new machine with virt-manager"},
    KeyRule{"efi.*", kDropped, "set the boot menu and order of the new machine with virt-manager"},
    KeyRule{"uefi.*", kDropped, "set the boot menu and order of the new machine with virt-manager"},
    KeyRule{"boot*", kDropped, "set the boot menu and order of the new machine with virt-manager"},
    KeyRule{"rtc.*", kDropped, "the clock's offset; set it with virsh edit"},
    KeyRule{"powerType.*", kIrrelevant, kPower},
    KeyRule{"gui.*", kIrrelevant, kHost},
    KeyRule{"hgfs.*", kDropped, kTools},
    KeyRule{"sharedFolder*", kDropped, "a folder of the source host"},
    KeyRule{"pciPassthru*", kDropped, kPassthrough},
    KeyRule{"ethernet*", kDropped, "a setting of the source host's network"},
    KeyRule{"scsi*", kIrrelevant, kBacking},
    KeyRule{"sata*", kIrrelevant, kBacking},
    KeyRule{"nvme*", kIrrelevant, kBacking},
    KeyRule{"ide*", kIrrelevant, kBacking},
    KeyRule{"floppy*", kIrrelevant, kBacking},
    KeyRule{"serial*", kDropped, "a setting of the port on the source host"},
    KeyRule{"parallel*", kDropped, "a setting of the port on the source host"},
    KeyRule{"usb*", kDropped, "a USB device or setting of the source host"},
    KeyRule{"ehci*", kIrrelevant, "USB 2, which the devices say as well"},
    KeyRule{"sound*", kIrrelevant, "the sound card stands among the devices"},
    KeyRule{"vtpm.*", kDropped, "the TPM's state is not in the package"},
    KeyRule{"managedvm.*", kIrrelevant, kHost},
    KeyRule{"encryption.*", kDropped, "encryption by the source host's key"},
    KeyRule{"numa*", kDropped, "the new machine has one NUMA node; set more with virsh edit"},
    KeyRule{"cpuid*", kDropped, "processor features; set them with virsh edit if the guest needs it"},
    KeyRule{"numvcpus", kIrrelevant, "stands among the devices"},
    KeyRule{"memsize", kIrrelevant, "stands among the devices"},
    KeyRule{"mem*", kIrrelevant, kHost},
    KeyRule{"mainMem*", kIrrelevant, kHost},
    KeyRule{"prefvmx.*", kIrrelevant, kHost},
    KeyRule{"MemTrimRate", kIrrelevant, kHost},
    KeyRule{"MemAllowAutoScaleDown", kIrrelevant, kHost},
    KeyRule{"workingDir", kIrrelevant, kHost},
    KeyRule{"extendedConfigFile", kIrrelevant, kHost},
    KeyRule{"cleanShutdown", kIrrelevant, kHost},
    KeyRule{"softPowerOff", kIrrelevant, kHost},
    KeyRule{"checkpoint.*", kIrrelevant, kHost},
    KeyRule{"replay.*", kIrrelevant, kHost},
    KeyRule{"displayName", kIrrelevant, "the machine's name stands elsewhere"},
    KeyRule{"annotation", kIrrelevant, "stands in the annotation as well"},
    KeyRule{"nvp.*", kIrrelevant, kHost},
    KeyRule{"dvfilter*", kDropped, "a filter of the source host's network"},
    KeyRule{"evcCompatibilityMode", kIrrelevant, kHost},
    KeyRule{"viv.*", kIrrelevant, kHost},
    KeyRule{"tools", kIrrelevant, kTools},
    KeyRule{"hpet*", kIrrelevant, "a timer of the source platform"},
    KeyRule{"vcpu.*", kIrrelevant, kHost},
    KeyRule{"unity.*", kIrrelevant, kTools},
    KeyRule{"priority.*", kIrrelevant, kHost},
    KeyRule{"virtual*", kIrrelevant, kHost},
    KeyRule{"vhu.*", kIrrelevant, kHost},
    KeyRule{"acpi.*", kDropped, "ACPI settings of the source platform; the new machine has QEMU's"},
    KeyRule{"chipset.*", kDropped, "settings of VMware's board"},
    KeyRule{"timeTracker.*", kIrrelevant, kHost},
    KeyRule{"host.*", kIrrelevant, kHost},
    KeyRule{"policy.*", kDropped, "a policy of VMware Workstation's managed machines"},
};

}  // namespace

std::span<const KeyRule> machine_keys() { return kMachine; }
std::span<const KeyRule> device_keys() { return kDevice; }
std::span<const KeyRule> vmx_keys() { return kVmx; }

const KeyRule *find_key(std::span<const KeyRule> rules, std::string_view key) {
  for (const KeyRule &rule : rules) {
    const bool open = rule.key.ends_with('*');
    const std::string_view pattern = rule.key.substr(0, rule.key.size() - (open ? 1 : 0));
    if (open ? text::iequals_ascii(key.substr(0, pattern.size()), pattern) : text::iequals_ascii(key, pattern)) {
      return &rule;
    }
  }
  return nullptr;
}

}  // namespace ferry::ovf
