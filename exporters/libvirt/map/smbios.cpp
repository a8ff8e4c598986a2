// SPDX-License-Identifier: Apache-2.0
// The SMBIOS UUID, which migration/identity.cpp decides on, and DMI strings.
#include <algorithm>
#include <array>

#include "exporters/libvirt/map/mapping.hpp"

namespace ferry::libvirt {
namespace {

// libvirt checks "month/day/year" with a two or four digit year.
bool is_bios_date(std::string_view text) {
  const auto digits = [&](std::size_t at) {
    return text[at] >= '0' && text[at] <= '9' && text[at + 1] >= '0' && text[at + 1] <= '9';
  };
  if (text.size() != 8 && text.size() != 10) return false;
  if (text[2] != '/' || text[5] != '/') return false;
  return digits(0) && digits(3) && digits(6) && (text.size() == 8 || digits(8));
}

struct Group {
  std::string_view name;
  std::array<std::string_view, 6> entries;  // in the order in which libvirt takes them
};
constexpr std::array<Group, 4> kGroups = {{
    {"bios", {"vendor", "version", "date", "release", "", ""}},
    {"system", {"manufacturer", "product", "version", "serial", "sku", "family"}},
    {"baseBoard", {"manufacturer", "product", "version", "serial", "asset", "location"}},
    {"chassis", {"manufacturer", "version", "serial", "asset", "sku", ""}},
}};

bool is_entry(const std::string &key) {
  for (const Group &group : kGroups) {
    for (const std::string_view entry : group.entries) {
      if (!entry.empty() && key == std::string(group.name) + "." + std::string(entry)) return true;
    }
  }
  return key.starts_with("oemStrings.");
}

void drop_string(Mapping &m, const std::string &key, const std::string &value, const std::string &why) {
  m.drop("smbios.strings." + key, why);
  m.raise(kSmbiosStringDropped, m.hardware.smbios.origin, "The SMBIOS string " + key + " '" + value + "' " + why + ".");
}

}  // namespace

void map_uuid(Mapping &m) {
  m.keep("smbios", "");
  m.domain.uuid = m.input.identity.uuid.text();
  m.book(m.input.identity.uuid_account);
  m.keep("/uuid", "the source's own identity of the machine; the guest sees the SMBIOS UUID");
}

// A domain controller that finds another generation ID takes itself for a copy. A machine that gets a UUID of its own
// is one: then libvirt makes another.
void map_generation_id(Mapping &m) {
  const auto id = m.machine.extra.find("generation.id");
  if (id == m.machine.extra.end()) return;
  const auto &known = m.hardware.smbios.uuid;
  const Uuid &now = m.input.identity.uuid;
  const bool copy = !m.hardware.described_by_qemu() && known && now != *known && now != known->swapped();
  m.domain.generation_id = copy ? "auto" : id->second;
  if (copy) {
    m.translate("/extra.generation.id", "another one: this machine is a copy");
  } else {
    m.keep("/extra.generation.id");
  }
}

void map_smbios(Mapping &m) {
  const Smbios &smbios = m.hardware.smbios;
  std::map<std::string, std::string> strings;
  if (m.options.keep_smbios_strings) {
    const Platform &platform = m.hardware.platform;
    strings = platform.smbios_strings;
    if (!platform.smbios_tools.empty()) {
      m.raise(kSmbiosPlatformKept, smbios.origin,
              "The SMBIOS tables say " + platform.smbios_tools + ", so the guest's tools may take QEMU for " +
                  platform.smbios_tools + ".");
    }
  }
  m.keep("smbios.strings");
  for (const auto &[key, value] : smbios.strings) {
    if (!is_entry(key)) {
      drop_string(m, key, value, "has no place in libvirt's <sysinfo>");
    } else if (key == "bios.date" && !is_bios_date(value)) {
      drop_string(m, key, value, "is not a date as libvirt takes it (month/day/year)");
    } else {
      strings[key] = value;
    }
  }
  for (const Group &group : kGroups) {
    std::vector<std::pair<std::string, std::string>> entries;
    for (const std::string_view entry : group.entries) {
      const auto found = strings.find(std::string(group.name) + "." + std::string(entry));
      if (!entry.empty() && found != strings.end()) entries.emplace_back(entry, found->second);
    }
    if (!entries.empty()) m.domain.sysinfo.emplace_back(group.name, std::move(entries));
  }
  for (const auto &[key, value] : strings) {
    if (key.starts_with("oemStrings.")) m.domain.oem_strings.push_back(value);
  }
  m.domain.os.sysinfo = !m.domain.sysinfo.empty() || !m.domain.oem_strings.empty();
}

}  // namespace ferry::libvirt
