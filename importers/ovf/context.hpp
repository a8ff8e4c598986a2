// SPDX-License-Identifier: Apache-2.0
// What the parts of the OVF importer share while they read one virtual system.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "importers/common.hpp"
#include "importers/ovf/envelope.hpp"
#include "importers/ovf/findings.hpp"
#include "importers/ovf/package.hpp"

namespace ferry::ovf {

// Whose conventions fill in what OVF leaves open. Told by vssd:VirtualSystemType, else by the extensions in use.
enum class Platform { other, vmware, virtualbox, ovirt };

// Where a controller's Item went: several IDE Items share one controller of the model.
struct ControllerPlace {
  std::string instance;   // InstanceID
  std::size_t index = 0;  // in hardware.controllers
  unsigned channel = 0;   // IDE
  unsigned bus = 0;       // the Item's Address: VMware's bus number
};

struct Context {
  const Package &package;
  const ImportOptions &options;
  Machine &machine;
  std::vector<Finding> &findings;
  SettingsReader envelope;
  std::vector<SettingsReader> contents;  // collections around the system, then the system
  std::string version;                   // as version_of()
  Platform platform = Platform::other;
  std::string configuration;  // the chosen deployment option; empty when the package offers none
  std::map<std::string, SettingsReader> files, disks;  // by id
  std::map<std::string, SettingsReader> networks;      // by name
  std::set<std::string> isolated;                      // networks that vCloud fences off
  std::map<std::string, std::string> properties;       // values by key, as chosen by the configuration
  std::map<std::string, std::string> drive_of;         // InstanceID -> "hardware.controllers.0.drives.1"
  std::map<std::string, std::string> boot_name_of;     // InstanceID -> BootDevice::detail: "scsi0:1", "ethernet0"
  std::map<std::size_t, std::string> boot_instances;   // index in boot_order -> the InstanceID that it names
  std::set<std::string> used_disks;                    // ids of the DiskSection that a drive has

  std::vector<ControllerPlace> controller_places;

  [[nodiscard]] const SettingsReader &system() const { return contents.back(); }
  void raise(const FindingKind &kind, const Place &where, const std::string &message, std::string advice = {}) {
    findings.push_back(ferry::raise(kind, where, message, std::move(advice)));
  }
};

// "name" quoted for a message, with control characters visible.
[[nodiscard]] std::string in_quotes(std::string_view text);

// The text of a child element, trimmed; nullopt when it is absent or empty. Takes nothing in the ledger.
[[nodiscard]] std::optional<std::string> peek(const SettingsReader &element, std::string_view child);
// The value of an attribute; nullopt when it is absent or empty. Takes nothing in the ledger.
[[nodiscard]] std::optional<std::string> peek_attribute(const SettingsReader &element, std::string_view name);

// ---- collect.cpp: what the sections declare, before any device is read ----

// Fills files, disks, networks, configuration and properties.
void collect_declarations(Context &in);

// ---- properties.cpp: what the package asks whoever deploys it, and gives to the guest ----

// Fills properties, with what --ovf-property says. Throws Error usage where that names none of the package's.
void collect_properties(Context &in);
// What the guest is to be handed, and what becomes of the elements that say so.
void read_guest_data(Context &in);

// Replaces a whole "${key}" by the property's value; nullopt when there is no such property or value.
[[nodiscard]] std::optional<std::string> substitute(const Context &in, const std::string &text);

// ---- media.cpp ----

// The medium that a HostResource names ("ovf:/disk/id", "/file/id", "id"). `field` is the drive's medium field.
[[nodiscard]] Medium medium_of(Context &in, const std::string &host_resource, const Place &where,
                               const std::string &field);
// The medium of a declared disk, with its parents.
[[nodiscard]] Medium medium_of_disk(Context &in, const std::string &disk_id, const std::string &field);
// Where the file of that id lies; empty when it is not in the package (a finding then says so).
void resolve_file(Context &in, const std::string &file_id, ImageFile &image, const Place &where,
                  const std::string &field);

// Makes a file of the package the machine's firmware variables.
void attach_nvram(Context &in, const FileRange &file);

// ---- hardware.cpp, controllers.cpp, devices.cpp, vmware_config.cpp, identity.cpp, sections.cpp, guest_os.cpp,
// virtualbox.cpp ----

// Reads the VirtualHardwareSection into machine.hardware.
void read_hardware(Context &in);
// After everything else: what the platform does where the package is silent.
void apply_platform_defaults(Context &in);
// Throws Error encrypted where parts of the package are (OVF 2.x).
void refuse_encrypted(const Context &in);
// Name, description, guest system, boot order and everything else outside of the hardware; settles the rest.
void read_identity(Context &in);
// The guest system from an OperatingSystemSection. Throws Error unsupported for another processor than x86.
void read_guest_os(Context &in, const SettingsReader &section);
// vCloud's MAC addresses, after the network cards.
void read_connections(Context &in);
void settle_sections(Context &in);

}  // namespace ferry::ovf
