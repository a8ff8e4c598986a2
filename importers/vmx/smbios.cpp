// SPDX-License-Identifier: Apache-2.0
// What the guest reads in the SMBIOS tables. uuid.bios is the 16 bytes as they lie in the table; the guest's serial
// number is the same text behind "VMware-". acpi.smbiosVersion2.7, which upgraded machines carry as FALSE, says more of
// the tables' version than firmware and virtual hardware do [believed].
#include "importers/vmware/smbios.hpp"

#include "importers/vmx/findings.hpp"
#include "importers/vmx/reader.hpp"

#include "support/text.hpp"

namespace ferry::vmx {
namespace {

bool reflects_host(Reader &reader, const char *key, const std::string &field) {
  const bool reflects = reader.settings.boolean(key, field).value_or(false);
  if (reflects) {
    reader.settings.settle(key, Disposition::dropped, "the strings of the source's host are not in the file");
    if (reader.report) reader.find(kHostSerial, key, std::string(key) + " is TRUE");
  } else if (reader.settings.has(key)) {
    reader.settings.settle(key, Disposition::irrelevant, "this is the default");
  }
  return reflects;
}

}  // namespace

void read_smbios(Reader &reader, Hardware &hardware) {
  Settings &settings = reader.settings;
  Smbios &smbios = hardware.smbios;
  smbios.origin = settings.place("uuid.bios");
  smbios.uuid_little_endian = false;
  const auto is_27 = settings.boolean("acpi.smbiosVersion2.7", reader.field("smbios.uuid"));
  smbios.older_than_2_6 = is_27 ? !*is_27 : vmware::has_old_smbios(hardware.firmware.type, reader.hardware_version);
  if (const auto value = settings.filled("uuid.bios", reader.field("smbios.uuid"))) {
    smbios.uuid = Uuid::parse(text::trim(*value));
    if (!smbios.uuid) reader.find(kBadValue, "uuid.bios", "\"" + text::printable(*value) + "\" is not a UUID");
  }
  const std::string strings = reader.field("smbios.strings");
  const bool host_all = reflects_host(reader, "SMBIOS.reflectHost", strings);
  const bool host_serial = reflects_host(reader, "serialNumber.reflectHost", strings);
  const bool host_model = reflects_host(reader, "hw.model.reflectHost", strings);
  const bool host_board = reflects_host(reader, "board-id.reflectHost", strings);
  const auto set = [&](const char *key, const char *name, bool from_host) {
    const auto value = settings.filled(key, strings);
    if (value && !from_host) smbios.strings[name] = *value;
  };
  if (smbios.uuid && !host_all && !host_serial) smbios.strings["system.serial"] = vmware::serial_number(*smbios.uuid);
  set("serialNumber", "system.serial", host_serial);
  set("smbios.assetTag", "chassis.asset", false);
  set("hw.model", "system.product", host_all || host_model);
  set("smbios.manufacturer", "system.manufacturer", host_all);
  set("board-id", "baseBoard.product", host_all || host_board);
  set("smbios.system.family", "system.family", host_all);
}

}  // namespace ferry::vmx
