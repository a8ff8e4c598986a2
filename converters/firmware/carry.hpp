// SPDX-License-Identifier: Apache-2.0
// A guest's UEFI variables, from VirtualBox's or VMware's store into a fresh copy of the host's OVMF store.
//
// In a plan: read_nvram(), secure_boot_of(), select_variables() tell what will be carried; nothing is written.
// In a run: carry_variables() makes the machine's store from the template of the chosen firmware descriptor.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "converters/firmware/variable.hpp"
#include "converters/images/cache.hpp"
#include "model/finding.hpp"
#include "model/hardware.hpp"
#include "model/medium.hpp"

namespace ferry::firmware {

struct NvramSource {
  FileRange range;
  bool encrypted = false;  // the machine's settings say so
  bool gzip = false;       // the range is of what the file inflates to
};
// nullopt when the machine has no such file.
[[nodiscard]] std::optional<NvramSource> nvram_source(const Firmware &firmware);

enum class NvramKind { unreadable, virtualbox, vmware };

// A virtual TPM's content.
struct TpmContents {
  std::vector<std::uint8_t> state;  // libtpms' permanent state; empty when there is none
  std::string problem;              // why a state that is there cannot be used
};

struct NvramContents {
  NvramKind kind = NvramKind::unreadable;
  Place where;
  std::vector<Variable> variables;  // live ones
  TpmContents tpm;                  // VirtualBox's TPM 2.0
  std::vector<Finding> findings;
};

// Never throws for what is in the file or for a file that cannot be read: then `kind` is unreadable, and a finding
// says why. A machine is migrated without its variables rather than not at all.
// `cache` may know the way through a file that is a gzip stream.
[[nodiscard]] NvramContents read_nvram(const NvramSource &source, image::Cache *cache = nullptr);

// Whether the guest ran with Secure Boot: VirtualBox's store says it (a platform key is enrolled, and it is not
// switched off). nullopt for VMware, whose .vmx says it, and for what could not be read.
[[nodiscard]] std::optional<bool> secure_boot_of(const NvramContents &contents);

struct KeptEntry {
  std::uint16_t number = 0;
  std::string description;  // "debian"
  std::string file;         // "\EFI\debian\grubx64.efi"
};
struct DroppedEntry {
  std::uint16_t number = 0;
  std::string description;
  std::string reason;
};

struct Selection {
  std::vector<Variable> boot_entries;  // Boot####, in short form, by number
  std::vector<std::uint16_t> order;    // the source's boot order, of kept entries only
  std::vector<Variable> keys;          // PK, KEK, db, dbx, SecureBootEnable, MokList; empty when none are carried
  std::vector<KeptEntry> kept;         // first those of `order`
  std::vector<DroppedEntry> dropped;
  std::vector<Finding> findings;  // with those of the contents
};

// `secure_boot`: the new machine gets it. Keys are carried only then, and only from VirtualBox.
[[nodiscard]] Selection select_variables(const NvramContents &contents, bool secure_boot);

struct CarryResult {
  std::vector<KeptEntry> kept;
  std::vector<DroppedEntry> dropped;
  bool keys_carried = false;
  std::vector<Finding> findings;  // the selection's, and what the template made necessary
};

// Writes `target`: the template with the selection's variables appended, mode 0600, re-read and compared before it
// gets its name. `template_store` is the raw store that belongs to the chosen loader (never of another size), and a
// blank one when keys are to be carried: into a store that has a platform key they are not.
// Throws Error malformed/unsupported/io for a template that cannot be used, conflict when `target` exists, verify
// when what was written does not read back.
CarryResult carry_variables(const Selection &selection, const std::filesystem::path &template_store,
                            const std::filesystem::path &target);

}  // namespace ferry::firmware
