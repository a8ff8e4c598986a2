// SPDX-License-Identifier: Apache-2.0
// A libvirt domain as plain values, in libvirt's own terms: what the XML will say, before it is XML.
// Facts: libvirt's "Domain XML format" and, where noted, tries on libvirt 9.0 with QEMU 7.2.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/identity.hpp"

namespace ferry::libvirt {

struct PciAddress {
  unsigned bus = 0, slot = 0, function = 0;
  bool multifunction = false;
  friend bool operator==(const PciAddress &, const PciAddress &) = default;
};

struct DriveAddress {
  unsigned controller = 0, bus = 0, target = 0, unit = 0;
  friend bool operator==(const DriveAddress &, const DriveAddress &) = default;
};

struct UsbAddress {
  unsigned bus = 0;
  std::string port;
};

struct CpuFeaturePolicy {
  std::string name, policy;  // "require", "optional", "disable"
};

// An element that no struct of ours says: of devices that only machines of QEMU have.
struct DomainElement {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::vector<DomainElement> children;
  std::string text;
};

struct DomainCpu {
  std::string mode;   // "host-passthrough", "maximum", "custom"; empty: QEMU's default model
  std::string model;  // of mode "custom"
  unsigned sockets = 1, cores = 1, threads = 1;
  std::vector<CpuFeaturePolicy> features;
  std::string vendor_id;
  unsigned dies = 1;
  bool emulated_cache = false;  // a level 3 cache as QEMU makes it up
};

struct DomainOs {
  std::string machine;  // "pc", "q35"
  std::string loader;   // pflash image; empty: BIOS
  bool secure_loader = false;
  std::string nvram, nvram_template;
  std::optional<unsigned> boot_menu_timeout_ms;
  bool boot_menu = false;
  bool sysinfo = false;
  std::string kernel, initrd, command_line;
};

struct DomainFeatures {
  bool acpi = true, apic = true, pae = false, smm = false;
  // Enlightenments in the order of libvirt's documentation; "spinlocks" carries its retries in `spinlocks`.
  std::vector<std::string> hyperv;
  std::set<std::string> hyperv_variants;  // "stimer_direct": <stimer><direct/>
  unsigned spinlock_retries = 8191;       // what virt-install and oVirt use
  std::string hyperv_vendor;              // of "vendor_id"
  bool kvm_hidden = false;
  std::optional<bool> vmport = false;  // VMware's backdoor port; not said when absent
  std::optional<bool> smm_off;
};

struct Timer {
  std::string name;
  std::string tickpolicy;       // empty: not said
  std::optional<bool> present;  // not said when absent
};

struct DomainClock {
  std::string offset;                      // "utc", "localtime", "variable"
  std::optional<std::int64_t> adjustment;  // seconds, of "variable"
  std::string basis;                       // "utc", "localtime", of "variable"
  std::vector<Timer> timers;
};

struct DomainController {
  std::string type;  // "pci", "ide", "sata", "scsi", "usb", "virtio-serial", "nvme"
  unsigned index = 0;
  std::string model;
  std::optional<PciAddress> address;
  std::optional<bool> hotplug;             // <target hotplug=>
  std::optional<unsigned> chassis, port;   // of a pcie-root-port
  std::optional<unsigned> chassis_number;  // of a pci-bridge
  std::optional<unsigned> master_port;     // of a companion: <master startport=>
  std::string alias;
  std::string serial;  // of an NVMe controller
};

// <backingStore>: what libvirt does not find by the image's header alone.
struct DomainBacking {
  std::string format;
  std::string file;                      // a part of it; empty: a server
  std::uint64_t offset = 0, length = 0;  // bytes
  std::string socket, name;              // of a server of NBD, and its export there
  unsigned reconnect = 0;                // seconds that QEMU waits for it; 0: libvirt cannot say it
};

struct DomainDisk {
  std::string device;  // "disk", "cdrom", "floppy"
  std::string bus;     // "ide", "sata", "scsi", "virtio", "usb", "fdc", "nvme"
  std::string target;  // "sda"
  std::string file;    // empty: no medium
  std::string format;
  std::string cache, discard, io, detect_zeroes, error_policy, read_error_policy;
  std::string serial, wwn, vendor, product;
  bool read_only = false, shareable = false, transient = false, solid_state = false;
  bool no_snapshots = false;
  std::optional<DomainBacking> backing;
  std::optional<unsigned> boot_order;
  std::optional<DriveAddress> drive;
  std::optional<PciAddress> pci;
  std::optional<UsbAddress> usb;
  std::string alias;
};

struct HostForward {
  std::string protocol;       // "tcp", "udp"
  std::string address;        // of the host, empty: any
  std::string guest_address;  // empty: the one that the guest gets by DHCP
  unsigned host_port = 0, guest_port = 0;
};

struct DomainInterface {
  std::string type;    // "user", "bridge", "network", "ethernet", "mcast", "server", "client"
  std::string source;  // bridge or network name
  std::string mac, model;
  std::string ip;  // the user network's own address, "10.0.3.0"; empty: the default 10.0.2.0
  unsigned prefix = 24;
  bool passt = false;
  std::vector<HostForward> forwards;  // of passt
  bool link_up = true;
  std::optional<unsigned> boot_order;
  std::optional<PciAddress> address;
  std::optional<UsbAddress> usb;
  std::optional<std::pair<unsigned, unsigned>> isa;  // I/O base and interrupt
  std::string target;                                // the tap device of "ethernet"
  std::string socket_address, socket_port;           // of "mcast", "server", "client"
  std::string alias;
};

struct DomainChar {
  std::string type;  // "pty", "file", "unix", "tcp", "udp", "null", "dev"
  std::string path;  // of file, unix, dev
  std::string mode;  // "bind", "connect"
  std::string host, service;
  unsigned port = 0;
};

struct DomainVideo {
  std::string model;
  std::optional<unsigned> vram_kib;
  unsigned heads = 1;
  bool accelerated = false;                                     // 3D, by virgl
  std::vector<std::pair<std::string, std::string>> attributes;  // of <model>, besides
  std::string x, y;                                             // <resolution>
  std::string alias;
  std::optional<PciAddress> address;
};

struct DomainSound {
  std::string model;
  std::string codec;
  std::optional<PciAddress> address;
};

struct DomainTpm {
  std::string model, version;
};

struct DomainFilesystem {
  std::string source, tag;
  bool read_only = false;
  std::optional<PciAddress> address;
};

struct DomainInput {
  std::string type, bus;
};

struct QemuProperty {
  std::string name, type, value;
};

struct QemuOverride {
  std::string alias;
  std::vector<QemuProperty> properties;
};

struct Domain {
  std::string type;  // "kvm", "qemu"
  std::string name, uuid, title, description, osinfo_id;
  std::string generation_id;  // "auto": another one at each start
  std::uint64_t memory_kib = 0, current_memory_kib = 0;
  std::uint64_t most_memory_kib = 0;  // with what can be plugged in; 0: nothing
  unsigned memory_slots = 0;
  bool shared_memory = false;  // memfd, shared: virtiofs needs it
  unsigned vcpus = 1;
  std::optional<unsigned> vcpus_now;  // fewer than there can be
  bool huge_pages = false, preallocated = false;
  std::optional<unsigned> cpu_quota_percent;
  DomainOs os;
  DomainFeatures features;
  DomainCpu cpu;
  DomainClock clock;
  // <sysinfo type='smbios'>: group ("bios", "system", "baseBoard", "chassis") -> entries in order
  std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>> sysinfo;
  std::vector<std::string> oem_strings;
  std::string emulator;
  std::vector<DomainDisk> disks;
  std::vector<DomainController> controllers;
  std::vector<DomainFilesystem> filesystems;
  std::vector<DomainInterface> interfaces;
  std::vector<DomainChar> serials, parallels;
  bool spice_channel = false;
  bool agent_channel = false;                   // of QEMU's guest agent
  bool folder_channel = false;                  // of the folders that a SPICE viewer shares
  bool clipboard = true, file_transfer = true;  // through SPICE
  std::string iommu;                            // its model; empty: none
  std::vector<DomainInput> inputs;
  std::optional<DomainTpm> tpm;
  std::string graphics;  // "spice", "vnc"; empty: none
  std::optional<DomainSound> sound;
  std::string audio;  // backend "spice", "none"; empty: not said
  DomainVideo video;
  unsigned usb_redirections = 0;
  bool smartcard = false;  // a reader for the viewer's cards, through SPICE
  bool balloon = false;
  std::string balloon_model = "virtio", balloon_alias;
  std::optional<PciAddress> balloon_address;
  std::vector<DomainElement> other_devices;
  std::optional<bool> suspend_to_mem = false, suspend_to_disk = false;  // not said when absent
  std::vector<std::string> qemu_arguments;
  std::vector<QemuOverride> qemu_overrides;
};

}  // namespace ferry::libvirt
