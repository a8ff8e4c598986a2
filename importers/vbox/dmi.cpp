// SPDX-License-Identifier: Apache-2.0
// SMBIOS strings that the user set through extra data. Facts: VirtualBox's manual, "Configuring the BIOS DMI
// Information". Values may be written "string:..." and "<EMPTY>".
#include <array>

#include "importers/vbox/scope.hpp"

namespace ferry::vbox {
namespace {

struct DmiKey {
  std::string_view virtualbox, model;
};
constexpr std::array<DmiKey, 23> kKeys{{{"DmiBIOSVendor", "bios.vendor"},
                                        {"DmiBIOSVersion", "bios.version"},
                                        {"DmiBIOSReleaseDate", "bios.date"},
                                        {"DmiSystemVendor", "system.manufacturer"},
                                        {"DmiSystemProduct", "system.product"},
                                        {"DmiSystemVersion", "system.version"},
                                        {"DmiSystemSerial", "system.serial"},
                                        {"DmiSystemSKU", "system.sku"},
                                        {"DmiSystemFamily", "system.family"},
                                        {"DmiBoardVendor", "baseBoard.manufacturer"},
                                        {"DmiBoardProduct", "baseBoard.product"},
                                        {"DmiBoardVersion", "baseBoard.version"},
                                        {"DmiBoardSerial", "baseBoard.serial"},
                                        {"DmiBoardAssetTag", "baseBoard.asset"},
                                        {"DmiBoardLocInChass", "baseBoard.location"},
                                        {"DmiChassisVendor", "chassis.manufacturer"},
                                        {"DmiChassisVersion", "chassis.version"},
                                        {"DmiChassisSerial", "chassis.serial"},
                                        {"DmiChassisAssetTag", "chassis.asset"},
                                        {"DmiChassisSKU", "chassis.sku"},
                                        {"DmiOEMVBoxVer", "oemStrings.0"},
                                        {"DmiOEMVBoxRev", "oemStrings.1"},
                                        {"DmiSystemUuid", ""}}};

std::string clean(std::string_view value) {
  constexpr std::string_view kString = "string:";
  if (value == "<EMPTY>") return {};
  if (value.starts_with(kString)) value.remove_prefix(kString.size());
  return std::string(value);
}

// libvirt writes the release as "major.minor".
void set_release(std::string_view key, const std::string &value, Smbios &smbios) {
  std::string &release = smbios.strings["bios.release"];
  if (release.empty()) release = "0.0";
  const std::size_t dot = release.find('.');
  const bool major = key == "DmiBIOSReleaseMajor";
  release = major ? value + release.substr(dot) : release.substr(0, dot + 1) + value;
}

}  // namespace

bool apply_dmi(std::string_view key, const std::string &value, Smbios &smbios, std::string &field) {
  if (key == "DmiBIOSReleaseMajor" || key == "DmiBIOSReleaseMinor") {
    set_release(key, clean(value), smbios);
    field = "smbios.strings.bios.release";
    return true;
  }
  for (const DmiKey &row : kKeys) {
    if (row.virtualbox != key) continue;
    if (row.model.empty()) {
      const auto uuid = Uuid::parse(clean(value));
      if (!uuid) return false;
      smbios.uuid = uuid;
      field = "smbios.uuid";
      return true;
    }
    smbios.strings[std::string(row.model)] = clean(value);
    field = "smbios.strings." + std::string(row.model);
    return true;
  }
  return false;
}

}  // namespace ferry::vbox
