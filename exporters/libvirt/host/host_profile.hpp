// SPDX-License-Identifier: Apache-2.0
// What libvirt says of a host, recorded: all that mapping needs to know, so that a plan is a pure function.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "exporters/target.hpp"

namespace ferry::libvirt {

// Why a host has no KVM, where that is known.
enum class KvmLack { unknown, processor, module, access };

struct HostProfile {
  std::string name;       // "Debian 12, libvirt 9.0.0, QEMU 7.2"
  bool built_in = false;  // the conservative one: nobody asked libvirt
  std::string uri = "qemu:///session";
  unsigned libvirt_version = 0;  // major * 1000000 + minor * 1000 + release
  unsigned qemu_version = 0;     // the same scale
  std::string architecture = "x86_64";
  std::filesystem::path emulator;       // "/usr/bin/qemu-system-x86_64"
  bool kvm = false;                     // guests of type 'kvm' can be defined, by libvirt's capabilities
  KvmLack kvm_lack = KvmLack::unknown;  // of this host, when `kvm` is not set; never recorded
  bool ipv6 = true;
  unsigned max_vcpus = 255;

  std::set<std::string> machine_types;    // "pc-i440fx-7.2", "pc", "pc-q35-7.2", "q35"
  std::set<std::string> cpu_modes;        // "host-passthrough", "host-model", "maximum", "custom"
  std::set<std::string> cpu_models;       // usable custom models
  std::set<std::string> disk_buses;       // "ide", "sata", "scsi", "virtio", "usb", "fdc", "nvme"
  std::set<std::string> graphics;         // "spice", "vnc"
  std::set<std::string> video_models;     // "vga", "qxl", "virtio", "cirrus", "bochs", "vmvga", "none"
  std::set<std::string> sound_models;     // what the emulator can: "ac97", "ich6", "ich9", "sb16", "es1370"
  std::set<std::string> nic_models;       // "e1000", "e1000e", "e1000-82545em", "virtio", "vmxnet3", "pcnet", "rtl8139"
  std::set<std::string> scsi_models;      // "virtio-scsi", "lsilogic", "lsisas1068", "vmpvscsi"
  std::set<std::string> usb_models;       // "pci-ohci", "ich9-ehci1", "nec-xhci", "qemu-xhci", "piix3-uhci"
  std::set<std::string> tpm_models;       // "tpm-crb", "tpm-tis"
  std::set<std::string> tpm_backends;     // "emulator"
  std::set<std::string> hyperv_features;  // enlightenments that domcapabilities lists
  std::set<std::string> network_backends;    // "passt", "default"
  std::set<std::string> filesystem_drivers;  // "virtiofs", "path"
  std::set<std::string> char_types;          // "spicevmc" for channels, redirdev "usb" support and the like
  bool usb_redirection = false;
  bool nvme_device = false;  // the emulator has NVMe controllers, whatever libvirt knows of them
  bool smartcard = false;    // the emulator has a card reader that a SPICE viewer's cards go into
  bool virgl = false;        // the emulator has virtio-vga-gl, and the session's user may use the host's GPU

  std::vector<target::FirmwareImage> firmware;  // in the host's order of preference
  std::set<std::string> bridges;                // that qemu-bridge-helper allows this user
  std::set<std::string> networks;               // defined libvirt networks on this connection
  // What defined domains listen on when they run: "tcp:2222" -> the domain; never recorded.
  std::map<std::string, std::string> host_ports;
  std::set<std::string> domain_names;                // defined on this connection
  std::map<std::string, std::string> domain_uuids;   // uuid -> name of the domain that has it
  std::map<std::string, std::string> mac_addresses;  // MAC -> name of the domain that has it
  std::map<std::string, std::string> domain_runs;    // name -> the run of ours that made the domain; never recorded
  bool swtpm_setup = false, virtiofsd = false, passt = false;
  unsigned osinfo_db = 0;  // release of osinfo-db, 20221203; 0 when it is not installed
  unsigned landlock = 0;   // version of the kernel's Landlock; 0: none. What cages programs that read images
  bool seccomp = false;    // the same for system calls
  std::filesystem::path image_folder;  // where the session keeps images
};

// The JSON form, version-tagged; unknown members are an error that names them. Throws Error malformed/io.
[[nodiscard]] HostProfile load_host_profile(const std::filesystem::path &file);
[[nodiscard]] std::string host_profile_json(const HostProfile &profile);

// The profile that is used when nobody asked libvirt: what Debian 12 has, without KVM knowledge, without bridges.
[[nodiscard]] HostProfile builtin_host_profile();
// The same with what can be seen of this host without libvirt: KVM, firmware, programs and bridges.
[[nodiscard]] HostProfile unasked_host_profile(const std::string &uri);

}  // namespace ferry::libvirt
