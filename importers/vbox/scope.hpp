// SPDX-License-Identifier: Apache-2.0
// What the parts of the VirtualBox importer share while they read one machine.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "importers/settings_reader.hpp"
#include "importers/vbox/registry.hpp"
#include "importers/vbox/version.hpp"
#include "model/fields.hpp"

namespace ferry::vbox {

// One machine being read.
struct Import {
  SettingsVersion version;
  std::filesystem::path file;    // absolute
  std::filesystem::path folder;  // that holds it
  Machine &machine;
  std::vector<Finding> &findings;
  const names::Places &places;    // where else files may be
  MediaLibrary *media = nullptr;  // nullptr: embedded in an OVF; media are known by UUID only
  std::string embedded_nvram;     // embedded in an OVF: the path that <NVRAM> names, on the exporter's host

  void find(const FindingKind &kind, Place where, const std::string &message, std::string advice = {}) {
    findings.push_back(raise(kind, std::move(where), message, std::move(advice)));
  }
};

// One row of a table from the words of the format to the model's values.
template <class Value>
struct Word {
  std::string_view text;
  Value value;
};

// One <Hardware> being read into one model Hardware: the current one's or a snapshot's.
struct Scope {
  Import &in;
  SettingsReader owner;     // <Machine> or <Snapshot>
  SettingsReader hardware;  // its <Hardware>
  SettingsReader platform;  // its <Platform> since 1.20, else <Hardware> again
  std::string prefix;       // "hardware", "snapshots.2.hardware"
  Hardware &hw;
  std::map<std::string, std::uint64_t> bandwidth;  // network bandwidth groups: bytes per second

  [[nodiscard]] const SettingsVersion &version() const { return in.version; }
  // The ledger's name of a field of this hardware: "hardware.cpu.count".
  [[nodiscard]] std::string field(FieldOf<Hardware> below) const { return prefix + "." + std::string(below.text()); }
  [[nodiscard]] bool is_current() const { return prefix == "hardware"; }
};

// A number that fits the model's field. Throws Error malformed when it is not a number or above `largest`.
[[nodiscard]] std::optional<unsigned> small_number(const SettingsReader &element, std::string_view attribute,
                                                   std::string_view field, unsigned largest);
// The "enabled" attribute of the child `name`; takes nothing when there is no such child.
[[nodiscard]] std::optional<bool> enabled_child(const SettingsReader &parent, std::string_view name,
                                                std::string_view field);

void report_unknown_word(Import &in, const SettingsReader &element, std::string_view attribute,
                         const std::string &found, std::string_view assumed);

// The attribute's value by `words` (compared without regard to case: versions differ in it). An unknown word raises
// vbox.unknown-value and gives the first row. nullopt when the attribute is absent.
template <class Value>
[[nodiscard]] std::optional<Value> word(Import &in, const SettingsReader &element, std::string_view attribute,
                                        std::string_view field, std::span<const Word<Value>> words);

[[nodiscard]] bool same_word(std::string_view a, std::string_view b);

template <class Value>
std::optional<Value> word(Import &in, const SettingsReader &element, std::string_view attribute, std::string_view field,
                          std::span<const Word<Value>> words) {
  const auto text = element.text(attribute, field);
  if (!text) return std::nullopt;
  for (const Word<Value> &row : words) {
    if (same_word(row.text, *text)) return row.value;
  }
  report_unknown_word(in, element, attribute, *text, words.front().text);
  return words.front().value;
}

// ---- the parts; each reads its elements into scope.hw and settles what has no place there ----

void read_platform(Scope &scope);  // chipset, CPU, clock
void read_memory(Scope &scope);
void read_firmware(Scope &scope);
void read_display(Scope &scope);
void read_devices(Scope &scope);  // sound, input, shared folders, TPM, boot order
void read_usb(Scope &scope);
void read_ports(Scope &scope);
void read_network(Scope &scope);
void read_storage(Scope &scope);
// Everything above for one <Machine> or <Snapshot>. Throws Error malformed without <Hardware>.
void read_hardware(Import &in, const SettingsReader &owner, const std::string &prefix, Hardware &hw);

void read_snapshots(Import &in, const SettingsReader &machine);
// Extra data applies to the machine in every state: to the current hardware and to the snapshots'.
void read_extra_data(Import &in, const SettingsReader &machine);
// One "Dmi..." key of the BIOS or EFI device. False when SMBIOS has no place for it.
[[nodiscard]] bool apply_dmi(std::string_view key, const std::string &value, Smbios &smbios, std::string &field);

// The medium of a drive; nullopt for a CD or floppy that cannot be found. `image` is the element with the UUID;
// `field` names the drive's medium in the ledger; `name` the drive, for messages.
[[nodiscard]] std::optional<Medium> attach_medium(Import &in, const SettingsReader &image, std::string_view attribute,
                                                  DriveKind kind, const std::string &field, const std::string &name);

// After the snapshots: what VirtualBox will have done to immutable disks when the machine starts; with `keep` that is
// not done, and the disks are ordinary ones from then on.
void apply_auto_reset(Import &in, bool keep);

// After the snapshots: disks of the machine's own registry that no drive holds in any state.
void report_unused_disks(Import &in);
// The guest property by which VirtualBox notes that an encrypted disk keeps the machine from starting.
void report_locked_disks(Import &in, const SettingsReader &machine);

// After all parts: settles the settings that say nothing about the guest, by tables.
void settle_housekeeping(Import &in, const SettingsReader &root);

}  // namespace ferry::vbox
