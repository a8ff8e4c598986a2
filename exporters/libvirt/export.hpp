// SPDX-License-Identifier: Apache-2.0
// From a machine and a host profile to libvirt's domain XML: a pure function.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exporters/libvirt/host/host_profile.hpp"
#include "model/machine.hpp"

namespace ferry::libvirt {

enum class MacPolicy { keep, regenerate };
enum class UuidPolicy { keep, regenerate, given };

struct ExportOptions {
  std::string name;   // of the domain; already safe
  std::string title;  // shown to people in place of the name; empty: the machine's own name
  MacPolicy mac_policy = MacPolicy::keep;
  std::map<std::size_t, MacAddress> macs;  // by NIC number, from 0
  UuidPolicy uuid_policy = UuidPolicy::keep;
  std::optional<Uuid> uuid;       // UuidPolicy::given
  std::uint64_t random_seed = 0;  // for regenerated MACs and UUIDs; 0: the planner takes one from the source
  std::map<std::size_t, std::string> networks;  // NIC number -> user | bridge:br0 | network:NAME | none
  std::optional<bool> keep_nic_names;           // --nic-names keep|off; nullopt: where no taint is needed
  bool keep_smbios_strings = false;             // --smbios keep: the source platform's vendor strings
  bool keep_disk_models = false;                // --disk-model keep: "VBOX HARDDISK"
  std::optional<std::string> disk_bus;          // --disk-bus: sata, scsi, virtio, ide, usb, nvme
  bool shared_folders = false;                  // --shared-folders virtiofs
  std::optional<std::string> video_model;       // --video
  bool map_host_devices = false;                // --host-devices: serial and parallel devices of the host
};

// What a drive's medium becomes on the target. Indexes are those of the model.
struct TargetMedium {
  std::size_t controller = 0, drive = 0;
  std::filesystem::path file;     // absolute
  std::string format;             // "qcow2", "raw"
  std::filesystem::path backing;  // overlay mode: the untouched source
  std::string backing_format;
  bool read_only = false, shareable = false, transient = false;
  bool no_snapshots = false;       // the disk has one state for all snapshots
  std::uint64_t virtual_size = 0;  // bytes
};

// The variable store that the firmware is started with; chosen by the planner from the profile.
struct TargetFirmware {
  FirmwareDescriptor descriptor;
  std::filesystem::path nvram;  // the machine's own copy
  bool secure_boot = false;
};

struct TargetNic {  // for the report
  std::string mac, model, network;
  std::optional<std::string> guest_name;  // the interface name that systemd gives it
};

// A port of the host that the machine listens on while it runs.
struct ListenPort {
  std::string protocol;  // "tcp", "udp"
  std::string address;   // IPv4; empty: any
  std::uint16_t port = 0;
  std::string use;  // "Network card 1's port forward": for messages
  Place origin;
  [[nodiscard]] std::string key() const { return protocol + ":" + std::to_string(port); }
};

// Where a drive went: parallel to the domain's disks.
struct TargetDisk {
  std::size_t controller = 0, drive = 0;  // indexes of the model
  std::string target;                     // "sda": what SnapshotInput names
  std::string bus;                        // libvirt's: "sata"
};

struct ExportInput {
  const Machine *machine = nullptr;    // names, guest OS
  const Hardware *hardware = nullptr;  // the current state's, or a snapshot's
  const HostProfile *host = nullptr;
  ExportOptions options;
  std::vector<TargetMedium> media;
  std::filesystem::path folder;  // of the machine's new files: --dest; empty: that of its media
  std::optional<TargetFirmware> firmware;
  std::string field_prefix;  // of settlements: "hardware", "snapshots.2.hardware"
};

struct ExportResult {
  std::string domain_xml;
  Uuid domain_uuid;
  std::vector<TargetNic> nics;
  std::vector<TargetDisk> disks;
  bool has_tpm = false;  // the domain has an emulated one
  std::vector<ListenPort> listen;
  std::uint64_t memory = 0;  // bytes
  std::vector<Finding> findings;
  std::vector<Settlement> settlements;  // what became of each field of the model
};

// Never touches the host. Throws Error unsupported for a machine that no libvirt/QEMU x86 host can run
// (ARM guest, unknown chipset) and conflict for a MAC or UUID that a defined domain has (naming the option).
[[nodiscard]] ExportResult export_domain(const ExportInput &input);

// Which firmware pair suits the machine on this host: from one descriptor, raw, x86_64 or i386, the
// right size class. nullopt for BIOS machines. Throws Error unsupported when an EFI machine meets a host without.
[[nodiscard]] std::optional<FirmwareDescriptor> choose_firmware(const Hardware &hardware, const HostProfile &host,
                                                                bool secure_boot);

// Snapshot metadata for virDomainSnapshotCreateXML(REDEFINE).
struct SnapshotInput {
  std::string name, description, parent;  // names in the qcow2 and in libvirt are the same
  std::int64_t created = 0;
  std::string domain_xml;                  // of the snapshot's own hardware
  std::vector<std::string> disk_targets;   // "sda": those with an internal snapshot
  std::vector<std::string> other_targets;  // those without
};
[[nodiscard]] std::string snapshot_xml(const SnapshotInput &input);

}  // namespace ferry::libvirt
