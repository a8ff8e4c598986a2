// SPDX-License-Identifier: Apache-2.0
// What the guest reads in the SMBIOS tables. uuid.bios is the 16 bytes as they lie in the table; the guest's
// serial number is the same text behind "VMware-". VMware's BIOS says SMBIOS 2.4 up to Workstation 12 and ESXi 6.0
// (kernel logs name 2.4 for BIOS dates to 09/2015), 2.7 later; its EFI has always said 2.7 [believed].
// acpi.smbiosVersion2.7, which upgraded machines carry as FALSE, overrides both [believed].
#include "importers/vmx/findings.hpp"
#include "importers/vmx/reader.hpp"
#include "model/support/text.hpp"

namespace ferry::vmx {
namespace {

constexpr unsigned kFirstWithSmbios27 = 14;  // virtual hardware of Workstation 14 and ESXi 6.7

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

// "VMware-56 4d b0 8e d5 91 3c 27-ed 61 e7 a8 83 4d 0b 9c"
std::string serial_of(const Uuid &uuid) {
  std::string digits;
  for (const char c : uuid.text()) {
    if (c != '-') digits += c;
  }
  std::string out = "VMware-";
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    if (i != 0) out += i == 16 ? '-' : ' ';
    out += digits.substr(i, 2);
  }
  return out;
}

}  // namespace

void read_smbios(Reader &reader, Hardware &hardware) {
  Settings &settings = reader.settings;
  Smbios &smbios = hardware.smbios;
  smbios.origin = settings.place("uuid.bios");
  smbios.uuid_little_endian = false;
  const auto is_27 = settings.boolean("acpi.smbiosVersion2.7", reader.field("smbios.uuid"));
  smbios.older_than_2_6 =
      is_27 ? !*is_27 : hardware.firmware.type == FirmwareType::bios && reader.hardware_version < kFirstWithSmbios27;
  if (const auto value = settings.filled("uuid.bios", reader.field("smbios.uuid"))) {
    smbios.uuid = Uuid::parse(text::trim(*value));
    if (!smbios.uuid) reader.find(kBadValue, "uuid.bios", "\"" + text::printable(*value) + "\" is no UUID");
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
  if (smbios.uuid && !host_all && !host_serial) smbios.strings["system.serial"] = serial_of(*smbios.uuid);
  set("serialNumber", "system.serial", host_serial);
  set("smbios.assetTag", "chassis.asset", false);
  set("hw.model", "system.product", host_all || host_model);
  set("smbios.manufacturer", "system.manufacturer", host_all);
  set("board-id", "baseBoard.product", host_all || host_board);
  set("smbios.system.family", "system.family", host_all);
}

}  // namespace ferry::vmx
