// SPDX-License-Identifier: Apache-2.0
// What a machine is made of. Plain values. std::optional means "the source did not say, and its platform has
// no default that matters"; where the platform has a default, the importer fills it in (importers/vbox/defaults,
// importers/vmware/defaults), so that nothing behind it asks which platform it was.
//
// Every struct carries `origin`, the place in the source that declared it, for findings. The ledger names
// fields by their JSON path in the machine: "hardware.cpu.count", "snapshots.0.hardware.nics.1.mac".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/medium.hpp"

namespace ferry {

// ---- places ----

// Where a PCI device is, when the source tells: as the guest finds it.
struct PciPlace {
  unsigned bus = 0;  // 0: the root bus; N: behind Hardware::bridges[N - 1]
  unsigned slot = 0, function = 0;
  bool multifunction = false;
  friend bool operator==(const PciPlace &, const PciPlace &) = default;
};

// Where a USB device is plugged in.
struct UsbPlace {
  unsigned controller = 0;  // index in Hardware::usb_controllers
  std::string port;         // "1"; "2.1": behind the hub in port 2
};

// ---- firmware, board, CPU, memory ----

enum class FirmwareType { bios, efi32, efi64 };

struct Firmware {
  FirmwareType type = FirmwareType::bios;
  std::optional<bool> secure_boot;                  // nullopt: the variable store decides
  std::optional<std::filesystem::path> nvram_file;  // absolute, exists; VirtualBox's or VMware's own format
  std::optional<FileRange> nvram_inside;            // instead of nvram_file: a part of a larger file (an .ova)
  bool nvram_gzip = false;                          // the part is of what that file inflates to
  bool nvram_encrypted = false;
  bool nvram_qcow2 = false;  // nvram_file is a qcow2 image of a store of QEMU's
  bool nvram_keys = false;   // the Secure Boot keys of the store are among the variables that can be carried
  std::optional<std::filesystem::path> loader_file;  // the firmware image that the source runs, if it is here
  std::optional<unsigned> boot_menu_timeout_ms;
  std::optional<bool> boot_menu;
  bool acpi = true;
  bool ioapic = true;
  Place origin;
};

enum class Chipset { piix3, ich9, i440bx_vmware, armv8_virtual };

struct CpuFeature {
  std::string name;  // libvirt's feature name, "vmx"
  bool enabled = true;
};

struct Cpu {
  enum class Architecture { x86, x86_64, arm64 };
  Architecture architecture = Architecture::x86_64;
  unsigned count = 1;  // virtual CPUs in all
  std::optional<unsigned> cores_per_socket;
  std::optional<unsigned> threads_per_core;
  std::optional<bool> pae, long_mode, nested_virtualization, apic, x2apic, hotplug;
  std::optional<unsigned> execution_cap_percent;
  std::optional<std::string> profile;  // VirtualBox CPU profile: "Intel Core i7-6700K"
  std::optional<std::string> model;    // QEMU's name: "Penryn"; "host" and "max" are the host's own and all of it
  std::optional<std::string> vendor;   // what the guest reads instead of the model's: "GenuineIntel"
  std::optional<unsigned> sockets, dies, most;        // most: that can be plugged in
  std::optional<bool> hypervisor_hidden;              // the guest does not find KVM's signature
  std::map<std::string, std::string> enlightenments;  // Hyper-V's, by libvirt's names: "relaxed": "on"
  std::vector<CpuFeature> features;                   // asked for or masked one by one
  Place origin;
};

struct Memory {
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> balloon_bytes;  // memory given back to the host
  std::optional<bool> page_fusion, large_pages;
  bool hot_add = false;
  bool preallocated = false;
  Place origin;
};

enum class Paravirtualization { none, legacy, minimal, hyperv, kvm };  // "Default" is resolved by guest OS

// ---- storage ----

enum class ControllerType {
  ide_piix3,
  ide_piix4,
  ide_ich6,
  ide_vmware,
  ahci,
  lsilogic,
  lsilogic_sas,
  buslogic,
  pvscsi,
  virtio_scsi,
  nvme,
  usb_storage,
  floppy,
  virtio_blk,  // the drive is a device of its own
  lsi53c895a,
  megasas,
  am53c974,
};

// True for each of the IDE chips, whose drives have a channel and a device (master or slave).
[[nodiscard]] bool is_ide(ControllerType type);

enum class DriveKind { disk, cdrom, floppy };

struct Drive {
  DriveKind kind = DriveKind::disk;
  unsigned port = 0;             // IDE: channel; SATA: port; SCSI: target; NVMe: namespace; floppy: drive number
  unsigned device = 0;           // IDE: 0 master, 1 slave; otherwise 0
  std::optional<Medium> medium;  // nullopt: an empty drive
  std::optional<std::string> host_device;    // the drive passes through this device of the source's host
  std::optional<std::string> client_device;  // VMware: "emptyBackingString" and the like, nothing on our side
  std::optional<std::string> serial;         // as the guest sees it, where that is known
  std::optional<std::string> model;          // as the guest sees it; nullopt: what Platform says
  std::optional<bool> nonrotational, discard, hotpluggable, passthrough, temporary_eject;
  bool connected_at_start = true;
  std::optional<PciPlace> place;  // of a drive that is a PCI device
  std::optional<UsbPlace> usb;
  std::optional<unsigned> boot_index;  // rank among the devices that the firmware tries, the lowest first
  std::optional<std::string> cache, io, detect_zeroes, error_policy, read_error_policy;  // by QEMU's names
  std::map<std::string, std::string> properties;  // of the device, by QEMU's names
  Place origin;
};

struct Controller {
  ControllerType type = ControllerType::ahci;
  std::string name;    // "SATA", "scsi0"
  unsigned index = 0;  // instance among those of its type
  std::optional<unsigned> ports;
  // As the guest sees it: VirtualBox bus 0 slot (of functions of the ICH9 that slot, 31), VMware pciSlotNumber.
  std::optional<unsigned> pci_slot;
  std::optional<bool> host_io_cache;
  bool bootable = true;
  std::string device;  // what QEMU calls it, when the source is QEMU
  std::optional<PciPlace> place;
  std::map<std::string, std::string> properties;  // of the device, by QEMU's names
  std::vector<Drive> drives;
  Place origin;
};

// ---- network ----

enum class NicModel {
  am79c960,
  am79c970a,
  am79c973,  // PCnet
  e1000_82540em,
  e1000_82543gc,
  e1000_82545em,
  e1000e,
  e82583v,
  virtio,
  vlance,
  vmxnet,
  vmxnet2,
  vmxnet3,
  flexible,
  ne1000,
  ne2000,
  wd8003,
  wd8013,
  elnk2,
  elnk1,
  usbnet,
};

enum class NicMode {
  none,
  null,
  nat,
  nat_network,
  bridged,
  internal,
  host_only,
  host_only_network,
  generic,
  cloud,
  custom,
  tap,     // a tap device of the host's; network is its name
  socket,  // QEMU's own sockets; network is "mcast", "listen" or "connect" and the address
};

struct PortForward {
  enum class Protocol { tcp, udp };
  std::string name;
  Protocol protocol = Protocol::tcp;
  std::string host_address, guest_address;  // empty: any, the guest's own
  std::uint16_t host_port = 0, guest_port = 0;
  Place origin;
};

struct Nic {
  NicModel model = NicModel::e1000_82540em;
  std::optional<MacAddress> mac;  // nullopt: generated at the next start
  bool mac_generated = false;     // the platform made it; a copy of the machine would get another
  unsigned slot = 0;              // adapter number, from 0
  // As Controller's; of a card on another bus than PCI the slot that the platform keeps for it.
  std::optional<unsigned> pci_slot;
  NicMode mode = NicMode::nat;
  std::string network;                  // host interface, internal network, vmnet or port group
  std::optional<std::string> nat_cidr;  // "10.0.2.0/24", where the network behind NAT is known
  // Of NAT: the guest reaches what listens on the old host's loopback address only, through its gateway's.
  std::optional<bool> nat_reaches_loopback;
  bool cable_connected = true;
  std::vector<PortForward> forwards;
  std::optional<unsigned> boot_priority;  // VirtualBox's: 1 is tried first, 0 last
  std::optional<unsigned> boot_index;     // as Drive's
  std::optional<std::uint64_t> bandwidth_bytes_per_second;
  std::map<std::string, std::string> properties;  // generic drivers, TFTP, DNS: by the source's own names
  std::string device;                             // what QEMU calls it, when the source is QEMU
  std::optional<PciPlace> place;
  std::optional<UsbPlace> usb;
  Place origin;
};

// Every importer adds a card's forwards through this. Throws Error malformed for more than any card has.
void add_forward(Nic &nic, PortForward forward);

// ---- other devices ----

struct CharPort {  // a serial or parallel port
  enum class Backend { disconnected, host_device, pipe, file, tcp, udp, unix_socket, thin_print };
  unsigned slot = 0;  // COM1 is 0
  Backend backend = Backend::disconnected;
  std::string path;  // device, file or pipe name; "host:port" for TCP
  bool server = false;
  std::optional<std::string> uart;  // "16550A"
  std::optional<unsigned> io_base, irq;
  bool connected_at_start = true;
  Place origin;
};

struct Sound {
  enum class Model {
    ac97,
    sb16,
    hda,
    hda_vmware,
    es1371,
    virtio
  };  // hda: the ICH6's; hda_vmware: a chip of VMware's own
  Model model = Model::ac97;
  std::optional<std::string> codec;
  std::optional<std::string> host_driver;
  bool output = true, input = true;
  std::optional<unsigned> pci_slot;  // as Controller's
  std::string device;                // what QEMU calls it, when the source is QEMU
  std::optional<PciPlace> place;
  Place origin;
};

struct UsbController {
  enum class Type { ohci, uhci, ehci, xhci };
  Type type = Type::ohci;
  std::optional<unsigned> pci_slot;  // as Controller's
  std::string device;                // what QEMU calls it, when the source is QEMU
  std::optional<PciPlace> place;
  std::optional<unsigned> companion_of, first_port;  // of a UHCI that serves the slow devices of an EHCI
  Place origin;
};

struct UsbFilter {
  std::string name;
  bool active = true;
  std::optional<std::string> vendor_id, product_id, revision, manufacturer, product, serial_number, port;
  Place origin;
};

struct Input {
  enum class Pointing { ps2_mouse, usb_mouse, usb_tablet, usb_multi_touch, combo };
  enum class Keyboard { ps2, usb, combo };
  Pointing pointing = Pointing::ps2_mouse;
  Keyboard keyboard = Keyboard::ps2;
  Place origin;
};

struct Display {
  enum class Adapter { none, vboxvga, vmsvga, vboxsvga, vmware_svga, qemu_ramfb, qemu_card };
  Adapter adapter = Adapter::vboxvga;
  std::optional<std::uint64_t> video_memory_bytes;
  unsigned monitors = 1;
  bool accelerate_3d = false, accelerate_2d = false;
  std::string device;  // what QEMU calls it, when the source is QEMU
  std::optional<PciPlace> place;
  std::map<std::string, std::string> properties;  // of the device, by QEMU's names
  struct Remote {                                 // VRDE or VMware's VNC; the password is never kept
    bool enabled = false;
    std::string ports, address;
    Place origin;
  };
  std::optional<Remote> remote;
  // What the guest's agent may hand on between the guest and who looks at it; the source does not say when absent.
  enum class Exchange { off, to_guest, to_host, both };
  std::optional<Exchange> clipboard, files;  // files: dragged and dropped
  Place origin;
};

struct Clock {
  enum class Base { local_time, utc };
  Base base = Base::utc;
  std::int64_t offset_ms = 0;
  std::optional<bool> hpet;
  std::optional<std::string> rtc_policy, pit_policy;  // what happens to lost ticks, by libvirt's names
  Place origin;
};

struct Tpm {
  enum class Version { v1_2, v2_0, host, swtpm };
  Version version = Version::v2_0;
  std::string device;                               // QEMU's name: "tpm-tis"; empty: the target chooses
  bool state_encrypted = false;                     // VMware's vTPM always; its state cannot be carried
  std::optional<std::filesystem::path> state_file;  // swtpm's own, absolute, is there
  bool unused = false;                              // a template's: no guest has sealed anything in it
  Place origin;
};

struct BootDevice {
  enum class Kind { none, floppy, cdrom, disk, network, usb };
  Kind kind = Kind::disk;
  std::optional<std::string> detail;  // VMware hddOrder: "scsi0:0"
};

struct SharedFolder {
  std::string name, host_path, mount_point;
  bool writable = false, auto_mount = false;
  Place origin;
};

// Strings of the SMBIOS tables that the user set; keys are libvirt's own:
// "bios.vendor", "system.manufacturer", "system.serial", "baseBoard.product", "chassis.asset", "oemStrings.0".
struct Smbios {
  std::optional<Uuid> uuid;  // as the source writes it
  // How the source platform lays the UUID into the table: true: the first three fields little-endian, as QEMU
  // does; false: plain bytes (VirtualBox's default, VMX uuid.bios).
  bool uuid_little_endian = true;
  // The SMBIOS version that the source platform reports is below 2.6, so Linux prints plain bytes.
  bool older_than_2_6 = false;
  std::map<std::string, std::string> strings;
  Place origin;
};

// How a Linux guest of the platform names its network cards (systemd's rules on what the platform shows it).
enum class NicNames {
  unknown,
  by_path,  // "enp0s3": bus and slot of the card's PCI address
  by_slot,  // "ens33": the number of the hot-pluggable slot
};

// What the source's platform shows a guest wherever the machine does not say otherwise. Empty when the source does not
// tell which platform it was.
struct Platform {
  NicNames nic_names = NicNames::unknown;
  // Names of drives: "ide.disk", "ide.cdrom", "sata.disk", "sata.cdrom" are ATA model strings, "scsi.vendor" goes
  // before "scsi.disk" and "scsi.cdrom"; "nvme.disk".
  std::map<std::string, std::string> drive_models;
  std::map<std::string, std::string> smbios_strings;  // keys as those of Smbios::strings, which go before these
  std::string smbios_tools;  // "VMware": whose tools in the guest take a machine with these strings for their own
};

// A bus behind the root bus.
struct PciBridge {
  std::string device;  // QEMU's name: "pcie-root-port", "pci-bridge"
  std::string name;    // "pci.1"
  std::optional<unsigned> chassis, port;
  PciPlace place;
  Place origin;
};

// A device that only machines of QEMU have, by QEMU's own names.
struct Device {
  enum class Kind {
    balloon,
    channel,      // a port of a serial_bus; properties: name, backend, path
    file_system,  // properties: path, tag, access, readonly
    host_pci,     // properties: host
    host_usb,     // properties: vendor and product, or bus and device
    hub,
    input,
    iommu,
    random,
    redirection,
    serial_bus,
    smartcard,
    sound,
    video,
    watchdog,
  };
  Kind kind = Kind::input;
  std::string device;  // "virtio-balloon-pci"
  std::optional<PciPlace> place;
  std::optional<UsbPlace> usb;
  std::map<std::string, std::string> properties;
  Place origin;
};

// A kernel that is started without the guest's boot loader.
struct KernelBoot {
  std::filesystem::path kernel, initrd;
  std::string command_line;
  Place origin;
};

// All devices of one state of a machine: the current one, or a snapshot's.
struct Hardware {
  Firmware firmware;
  Chipset chipset = Chipset::piix3;
  std::string machine_type;                               // QEMU's name, "pc-i440fx-6.1", when the source is QEMU
  std::map<std::string, std::string> machine_properties;  // "vmport": "off"
  Cpu cpu;
  Memory memory;
  std::optional<Paravirtualization> paravirtualization;
  std::vector<PciBridge> bridges;
  std::vector<Controller> controllers;
  std::vector<Nic> nics;
  std::vector<CharPort> serial_ports, parallel_ports;
  std::optional<Sound> sound;
  std::vector<UsbController> usb_controllers;
  std::vector<UsbFilter> usb_filters;
  Input input;
  Display display;
  Clock clock;
  std::optional<Tpm> tpm;
  std::vector<BootDevice> boot_order;  // empty: neither the source nor its platform says one
  std::vector<SharedFolder> shared_folders;
  Smbios smbios;
  Platform platform;
  bool card_reader = false;   // on USB, for cards of the host's or the viewer's
  std::optional<bool> iommu;  // the guest sees Intel's VT-d; one of QEMU's machines has a Device instead
  std::vector<Device> devices;
  std::optional<KernelBoot> kernel;
  std::vector<std::string> qemu_arguments;  // what no member says, with a place of its own where it is a device

  // Board, cards, controllers and drives carry QEMU's names and places (`device`, `place`): nothing is left to choose.
  [[nodiscard]] bool described_by_qemu() const { return !machine_type.empty(); }
};

}  // namespace ferry
