// SPDX-License-Identifier: Apache-2.0
// What a look into a machine's disks found: what is there, whatever the settings say of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ferry {

// A partition, a disk without partitions, or a logical volume, which has the disk and number of the partition that it
// begins on.
struct ObservedVolume {
  std::size_t disk = 0;      // of the machine, in the source's order, from 1
  std::size_t number = 0;    // of the partition, from 1; 0: the whole disk
  std::uint64_t start = 0;   // bytes
  std::uint64_t length = 0;  // bytes
  std::string type;          // as the table says: "07", GPT's GUID
  std::string content;       // "ntfs", "ext4", "lvm", "bitlocker" ...; empty: unknown
  std::string label;
  std::string id;       // the file system's own: a UUID, or a serial number in hex
  std::string part_id;  // GPT's
  bool dirty = false;   // it was not unmounted, or has errors
  // BitLocker: what opens it, "tpm", "password", "recovery", "clear-key" (it is suspended) ...
  std::vector<std::string> protectors;
  std::string problem;              // why it could not be read: a clause
  std::string logical_volume = {};  // "debian/root"; empty: it is none

  // "partition 2 of disk 1", "disk 1", "logical volume debian/root on disk 1".
  [[nodiscard]] std::string named() const {
    const std::string whole = "disk " + std::to_string(disk);
    if (!logical_volume.empty()) return "logical volume " + logical_volume + " on " + whole;
    return number == 0 ? whole : "partition " + std::to_string(number) + " of " + whole;
  }
};

struct ObservedDisk {
  std::size_t number = 0;  // from 1
  std::string table;       // "gpt", "mbr"; empty: none
  bool boot_code = false;  // its first sector has code that a BIOS starts
  std::string problem;     // why nothing more was seen: a clause
};

// A driver or a program that Windows has as a service.
struct ObservedService {
  std::string name;
  std::uint32_t start = 0;                           // 0 boot, 1 system, 2 automatic, 3 on demand, 4 disabled
  std::optional<std::uint32_t> start_override = {};  // what counts instead
  // Where on the disk the two DWORDs lie, bytes; nullopt: not in one piece.
  std::optional<std::uint64_t> start_at = {}, override_at = {};

  [[nodiscard]] bool starts_at_boot() const { return start_override.value_or(start) == 0; }
};

struct ObservedControlSet {
  std::uint32_t number = 0;
  std::vector<ObservedService> services;  // of storage and network, and guests' tools
  // What becomes of disks that Windows has not seen before: 1 they are used, 2 not those on SCSI and the like, 3 none,
  // 4 none that is built in.
  std::optional<std::uint32_t> san_policy = {};
  std::optional<std::uint64_t> san_policy_at = {};  // as ObservedService::start_at
};

// A connection of Windows with an address of its own.
struct ObservedAddress {
  std::string adapter;  // "Ethernet", or its GUID
  std::vector<std::string> addresses;
};

struct ObservedWindows {
  std::size_t disk = 0, partition = 0;  // ObservedVolume's
  std::string folder;                   // "Windows"
  std::string product;                  // "Windows 11 Pro"
  std::string version;                  // "10.0.22631"
  std::string release;                  // "23H2", "Service Pack 1"
  std::string architecture;             // "x86_64", "i686", "aarch64"
  std::string computer_name;
  bool server = false;
  bool hibernated = false;      // its memory lies in hiberfil.sys
  bool fast_startup = false;    // it hibernates when it is shut down
  bool registry_dirty = false;  // the hive SYSTEM was not written to its end, or its logs are newer
  std::uint32_t current = 0, default_set = 0, last_known_good = 0;  // control sets; 0: not said
  std::vector<ObservedControlSet> control_sets;
  std::vector<ObservedAddress> addresses;
  std::vector<std::string> tools;  // "VMware Tools", "VirtualBox Guest Additions" ...
};

struct ObservedKernel {
  std::string version;
  std::string initramfs;             // its file; empty: none was found
  bool examined = false;             // whether what is in it was read
  bool host_only = false;            // made for the hardware that it was made on
  std::vector<std::string> drivers;  // of storage that it holds, or that are in the kernel: "virtio_blk"
  std::string problem;               // why it could not be examined: a clause
};

// A line of fstab or crypttab.
struct ObservedMount {
  std::string file;    // "/etc/fstab"
  std::string device;  // "UUID=...", "/dev/sda2"
  std::string target;  // "/", a name
};

// A configuration that names a network interface.
struct ObservedInterface {
  std::string file;
  std::string name;
};

struct ObservedLinux {
  std::size_t disk = 0, partition = 0;
  std::string id;       // os-release's: "debian"
  std::string version;  // "12"
  std::string product;  // "Debian GNU/Linux 12 (bookworm)"
  std::string architecture;
  std::string host_name;
  std::vector<ObservedKernel> kernels;  // newest first
  std::vector<ObservedMount> mounts;
  std::vector<ObservedInterface> interfaces;
  bool cloud_init = false;
  std::string instance_id;  // cloud-init's
  std::vector<std::string> tools;
};

// A program that EFI firmware can start.
struct ObservedLoader {
  std::size_t disk = 0, partition = 0;
  std::string file;  // "\EFI\debian\shimx64.efi"
};

struct Observed {
  std::vector<ObservedDisk> disks;
  std::vector<ObservedVolume> volumes;
  std::vector<ObservedWindows> windows;
  std::vector<ObservedLinux> linux_systems;
  std::vector<ObservedLoader> loaders;
  std::uint64_t bytes_read = 0;  // of the guest's disks
};

}  // namespace ferry
