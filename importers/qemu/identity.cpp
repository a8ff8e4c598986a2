// SPDX-License-Identifier: Apache-2.0
// Name, UUID, SMBIOS.
#include <array>

#include "importers/qemu/context.hpp"

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

struct SmbiosKey {
  std::string_view type, key, name;  // name: libvirt's group and entry
};
constexpr std::array kSmbiosKeys{
    SmbiosKey{"0", "vendor", "bios.vendor"},
    SmbiosKey{"0", "version", "bios.version"},
    SmbiosKey{"0", "date", "bios.date"},
    SmbiosKey{"0", "release", "bios.release"},
    SmbiosKey{"1", "manufacturer", "system.manufacturer"},
    SmbiosKey{"1", "product", "system.product"},
    SmbiosKey{"1", "version", "system.version"},
    SmbiosKey{"1", "serial", "system.serial"},
    SmbiosKey{"1", "sku", "system.sku"},
    SmbiosKey{"1", "family", "system.family"},
    SmbiosKey{"2", "manufacturer", "baseBoard.manufacturer"},
    SmbiosKey{"2", "product", "baseBoard.product"},
    SmbiosKey{"2", "version", "baseBoard.version"},
    SmbiosKey{"2", "serial", "baseBoard.serial"},
    SmbiosKey{"2", "asset", "baseBoard.asset"},
    SmbiosKey{"2", "location", "baseBoard.location"},
    SmbiosKey{"3", "manufacturer", "chassis.manufacturer"},
    SmbiosKey{"3", "version", "chassis.version"},
    SmbiosKey{"3", "serial", "chassis.serial"},
    SmbiosKey{"3", "asset", "chassis.asset"},
    SmbiosKey{"3", "sku", "chassis.sku"},
};

void read_uuid(Context &c, const Option &option, const std::string &written) {
  if (has_open(written)) {
    c.raise(kOpenValue, option.where,
            "The UUID depends on the running script (" + text::printable(shown(written, c.launch.opens)) +
                "); the machine gets one to keep.");
    return;
  }
  const auto uuid = Uuid::parse(written);
  if (!uuid) {
    throw Error(ErrorKind::malformed, {.where = option.where,
                                       .message = "this is not a UUID",
                                       .found = "'" + text::printable(written) + "'",
                                       .advice = "Correct the command and try again."});
  }
  c.hardware().smbios.uuid = *uuid;
  c.hardware().smbios.origin = option.where;
}

// The key's value as it stands: what is open in it may be made anew.
std::string take_as_written(Context &c, Option &option, std::string_view key, std::string_view field) {
  std::string value;
  for (Key &one : option.keys) {
    if (one.name != key) continue;
    one.taken = true;
    c.out.ledger.take(one.entry, field);
    value = one.value;
  }
  return value;
}

void read_smbios(Context &c, Option &option) {
  Smbios &smbios = c.hardware().smbios;
  const std::string type = Context::peek(option, "type");
  if (Context::find(option, "file") != nullptr) {
    c.settle(option, Disposition::dropped, "a table of the user's own is not carried over");
    c.raise(kDropped, option.where, "An SMBIOS table from a file is not carried over.");
    return;
  }
  smbios.origin = option.where;
  std::size_t taken = 0;
  for (const SmbiosKey &row : kSmbiosKeys) {
    if (row.type != type || Context::find(option, row.key) == nullptr) continue;
    const auto value = c.text(option, row.key, "hardware.smbios.strings");
    smbios.strings[std::string(row.name)] = value.value_or("");
    ++taken;
  }
  if (type == "1" && Context::find(option, "uuid") != nullptr) {
    read_uuid(c, option, take_as_written(c, option, "uuid", "hardware.smbios.uuid"));
    ++taken;
  }
  if (type == "11") {
    for (const std::string &value : c.texts(option, "value", "hardware.smbios.strings")) {
      std::size_t n = 0;
      while (smbios.strings.contains("oemStrings." + std::to_string(n))) ++n;
      smbios.strings["oemStrings." + std::to_string(n)] = value;
      ++taken;
    }
  }
  if (taken > 0) {
    c.settle(option, "type", Disposition::irrelevant, "which table the values go to");
    c.settle(option, "uefi", Disposition::dropped, "a bit of the BIOS table");
    return;
  }
  // libvirt's schema refuses an empty table, which is what macOS scripts ask for.
  c.take_rest(option, "hardware.qemu_arguments");
  c.hardware().qemu_arguments.insert(c.hardware().qemu_arguments.end(), {"-smbios", option.argument});
  c.raise(kCommandlineKept, option.where,
          "libvirt has no element for -smbios " + text::printable(option.argument) + "; QEMU gets it as it is.");
}

}  // namespace

void read_identity(Context &c) {
  Machine &machine = c.machine();
  for (Option *option : c.all("name")) {
    if (const auto name = c.text(*option, "guest", "name"); name && !name->empty()) machine.name = *name;
    c.settle(*option, "process", Disposition::irrelevant, "the process's name on the host");
    c.settle(*option, "debug-threads", Disposition::irrelevant, "names of threads on the host");
  }
  for (Option *option : c.all("uuid")) read_uuid(c, *option, take_as_written(c, *option, "", "hardware.smbios.uuid"));
  for (Option *option : c.all("smbios")) read_smbios(c, *option);
}

}  // namespace ferry::qemu
