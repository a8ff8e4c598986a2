// SPDX-License-Identifier: Apache-2.0
// What all parts of the importer share: the options, the machine that grows, the ledger, and what is asked.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "importers/common.hpp"
#include "importers/qemu/findings.hpp"
#include "importers/qemu/launch.hpp"
#include "importers/qemu/options.hpp"
#include "model/machine.hpp"

namespace ferry::qemu {

// "pc-q35-6.1": q35, 6.1. Without a version the newest is meant.
struct MachineType {
  bool q35 = false;
  std::string name = "pc";  // as the model has it: "pc", "q35", "pc-i440fx-4.0"
  std::optional<unsigned> major, minor;
  [[nodiscard]] bool before(unsigned other_major, unsigned other_minor) const {
    return major && std::pair(*major, *minor) < std::pair(other_major, other_minor);
  }
};

class Context {
 public:
  Context(const Launch &launch, const ImportOptions &options);

  const Launch &launch;
  const ImportOptions &import;
  std::vector<Option> options;
  ImportedMachine out;
  MachineType type;
  std::vector<std::string> added;  // what QEMU adds by itself, for the finding

  [[nodiscard]] Machine &machine() { return out.machine; }
  [[nodiscard]] Hardware &hardware() { return out.machine.hardware; }

  [[nodiscard]] std::vector<Option *> all(std::string_view name);
  [[nodiscard]] Option *last(std::string_view name);
  [[nodiscard]] bool has(std::string_view name) { return last(name) != nullptr; }

  // ---- taking values, through the ledger ----
  // The key's value where it stands last; nullopt when it is not there. An open value is asked for.
  std::optional<std::string> text(Option &option, std::string_view key, std::string_view field);
  std::optional<bool> flag(Option &option, std::string_view key, std::string_view field);
  std::optional<std::uint64_t> number(Option &option, std::string_view key, std::string_view field);
  std::vector<std::string> texts(Option &option, std::string_view key, std::string_view field);
  // Without taking it; open values as they are.
  [[nodiscard]] static const Key *find(const Option &option, std::string_view key);
  [[nodiscard]] static std::string peek(const Option &option, std::string_view key);

  // The option itself, when it has no argument.
  void take(Option &option, std::string_view field);
  void settle(Option &option, Disposition disposition, std::string_view note);
  void settle(Option &option, std::string_view key, Disposition disposition, std::string_view note);
  // All of the option that nobody took yet.
  void settle_rest(Option &option, Disposition disposition, std::string_view note);
  void take_rest(Option &option, std::string_view field);
  void hide(Option &option, std::string_view key);

  void raise(const FindingKind &kind, const Place &where, const std::string &message, std::string advice = {});
  void ask(std::string_view text, const Place &where);  // the open values in it
  void finish();                                        // throws when something was asked

  // The file that a path of the command means: absolute, and whether it is there.
  struct Found {
    std::filesystem::path path;
    bool exists = false;
  };
  Found locate(const std::string &path, const Place &where);

 private:
  std::string value_of(const Option &option, const Key &key);

  std::vector<std::size_t> asked_;
  bool told_folder_ = false;
};

// ---- one file each ----
void read_machine(Context &c);        // machine.cpp: -machine, version, memory, CPU, clock, names
void read_cpu(Context &c);            // cpu.cpp
void read_identity(Context &c);       // identity.cpp: -name, -uuid, -smbios
void read_housekeeping(Context &c);   // housekeeping.cpp: what says nothing about the guest
void read_devices(Context &c);        // devices.cpp: everything that has a place
void read_firmware(Context &c);       // firmware.cpp
void read_ports(Context &c);          // ports.cpp: serial, parallel
void read_screens(Context &c);        // screens.cpp: -vnc, -spice, -display
void read_macos_release(Context &c);  // macos.cpp: after all that has names

}  // namespace ferry::qemu
