// SPDX-License-Identifier: Apache-2.0
// The parts of reading a machine's hardware out of its settings: each takes its own keys and fills its own part.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "importers/vmx/settings.hpp"
#include "importers/vmx/vmx.hpp"
#include "model/fields.hpp"

#include "support/file_names.hpp"

namespace ferry::vmx {

// What all parts need. One per configuration: the machine's, and each snapshot's.
struct Reader {
  Settings &settings;
  std::vector<Finding> &findings;
  std::filesystem::path folder;  // of the .vmx; relative paths start there
  std::string prefix;            // of the ledger's fields: "hardware." or "snapshots.2.hardware."
  GuestOs guest{};
  unsigned hardware_version = 0;            // virtualHW.version; 0 when the file does not say
  bool report = true;                       // false: findings about media were raised for the machine itself already
  names::Places places{};                   // where else files may be
  std::optional<bool> keep_disk_changes{};  // ImportOptions'
  const Inside *inside = nullptr;           // the files are in an archive, and not in `folder`

  [[nodiscard]] std::string field(FieldOf<Hardware> below) const { return prefix + std::string(below.text()); }
  void find(const FindingKind &kind, std::string_view key, const std::string &message) {
    findings.push_back(raise(kind, settings.place(key), message));
  }
};

// Everything; leaves keys that say nothing about hardware as they are.
[[nodiscard]] Hardware read_hardware(Reader &reader);

void read_firmware(Reader &reader, Hardware &hardware);
void read_boot_order(Reader &reader, Hardware &hardware);
void read_cpu(Reader &reader, Hardware &hardware);
void read_cpuid_masks(Reader &reader, Cpu &cpu);
void read_memory(Reader &reader, Hardware &hardware);
void read_storage(Reader &reader, Hardware &hardware);
void read_network(Reader &reader, Hardware &hardware);
void read_ports(Reader &reader, Hardware &hardware);
void read_sound(Reader &reader, Hardware &hardware);
void read_usb(Reader &reader, Hardware &hardware);
void read_display(Reader &reader, Hardware &hardware);
void read_clock(Reader &reader, Hardware &hardware);
void read_tpm(Reader &reader, Hardware &hardware);
void read_shared_folders(Reader &reader, Hardware &hardware);
void read_passthrough(Reader &reader);
void read_smbios(Reader &reader, Hardware &hardware);

// Whether the device `name` ("usb_xhci:0") on a USB bus is a drive with an image; read_storage() reads those.
[[nodiscard]] bool is_usb_drive(const Settings &settings, const std::string &name);

// The image that `location` (a value of `key`) names: relative to the .vmx, absolute, "[datastore] path", with
// Windows separators. `pieces` stays empty when it is not there; raises findings.
[[nodiscard]] ImageFile locate_image(Reader &reader, std::string_view key, const std::string &location);
// The file that a key such as nvram names, or nullopt; no findings.
[[nodiscard]] std::optional<std::filesystem::path> locate_file(const Reader &reader, const std::string &location);

// A slot number as the guest sees it; VMware writes -1 for "not yet given out".
[[nodiscard]] std::optional<unsigned> read_pci_slot(Reader &reader, const std::string &device, std::string_view field);

}  // namespace ferry::vmx
