// SPDX-License-Identifier: Apache-2.0
// The common machine model: what importers produce and everything else works on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/finding.hpp"
#include "model/guest_os.hpp"
#include "model/hardware.hpp"
#include "model/ledger.hpp"

namespace ferry {

enum class SourceKind { vbox, vmx, ovf, qemu, vagrant };

struct Source {
  SourceKind kind = SourceKind::vbox;
  std::filesystem::path file;  // absolute: the .vbox, .vmx, .ovf, .ova or .box
  std::string format_version;  // ".vbox" settings version "1.19-linux"; virtualHW.version; OVF namespace version
  std::string product;         // "VirtualBox 7.0", "VMware Workstation", as far as it is known
};

// A saved state (VirtualBox stateFile, VMware .vmss): memory and devices at a moment. Cannot be carried.
struct SavedState {
  std::filesystem::path file;
  Place origin;
};

// A node of the snapshot tree. Snapshots stand in Machine::snapshots with parents before children.
struct Snapshot {
  std::string id;  // the source's own identity: a UUID's text or VMware's uid
  std::string name;
  std::string description;
  std::optional<std::int64_t> created;  // seconds since 1970, UTC
  std::optional<std::size_t> parent;    // index in Machine::snapshots; nullopt: a root
  std::optional<SavedState> saved_state;
  Hardware hardware;  // with the media as they were
  Place origin;
};

// A value that the package's maker, or whoever deploys the machine, gives to the guest (OVF's Property).
struct DeploymentProperty {
  std::string key;        // as the guest reads it, with the product's class and instance: "web.port.1"
  std::string value;      // as it was chosen; empty: none
  std::string type;       // "string", "boolean", "ip" ...; empty: not said
  std::string label;      // for people
  bool required = false;  // the guest cannot do without a value
  Place origin;
};

// What the platform hands to the guest when that asks: VMware's guestinfo, OVF's environment.
struct GuestData {
  // cloud-init's documents, unpacked; empty: none.
  std::string user_data, vendor_data;
  std::string meta_data;       // without the two that follow
  std::string instance_id;     // by which cloud-init knows its machine
  std::string network_config;  // cloud-init's, of version 1 or 2
  std::vector<DeploymentProperty> properties;
  bool on_cd = false;  // the guest looks for its properties on a CD: OVF's transport "iso"
  Place origin;
};

struct Machine {
  Source source;
  std::string name;
  std::optional<Uuid> uuid;  // the source's identity of the machine (not what the guest sees: hardware.smbios)
  std::string description;
  std::vector<std::string> groups;
  GuestOs guest_os;
  Hardware hardware;
  std::vector<Snapshot> snapshots;
  std::optional<std::size_t> current_snapshot;  // index: what the current state grew out of
  bool current_state_modified = true;
  std::optional<SavedState> saved_state;
  bool encrypted = false;  // the whole machine is encrypted; nothing else is known
  std::optional<GuestData> guest_data;
  std::map<std::string, std::string> extra;  // macOS SMC key ("smc.key") and other values that mapping needs
  Place origin;
};

// What an importer gives for each machine that the source holds.
// What an importer keeps of its source for the work: nobody else looks into it.
class SourcePackage {
 public:
  virtual ~SourcePackage() = default;
};

struct ImportedMachine {
  Machine machine;
  Ledger ledger;
  std::vector<Finding> findings;
  std::shared_ptr<const SourcePackage> package = {};  // of an OVF: so that it is read once
};

}  // namespace ferry
