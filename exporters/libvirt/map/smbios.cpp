// SPDX-License-Identifier: Apache-2.0
// The SMBIOS UUID in the guest's byte order, and DMI strings.
//
// QEMU lays <uuid> into the table with its first three fields little-endian and says SMBIOS 2.8, so every guest
// prints it as written. What a guest printed on the source depends on the bytes there and on the guest: Windows
// reads little-endian always, Linux only from SMBIOS 2.6 on (kernel, drivers/firmware/dmi_scan.c).
#include <algorithm>
#include <array>

#include "exporters/libvirt/map/mapping.hpp"

namespace ferry::libvirt {
namespace {

// libvirt refuses UUIDs whose bytes are all equal.
bool is_valid(const Uuid &uuid) {
  return std::any_of(uuid.bytes.begin(), uuid.bytes.end(), [&](std::uint8_t b) { return b != uuid.bytes[0]; });
}

Uuid random_uuid(std::uint64_t seed) {
  SeededRandom random(seed ^ 0x5555U);
  Uuid uuid;
  for (std::size_t i = 0; i < 16; i += 8) {
    std::uint64_t word = random.next();
    for (std::size_t j = 0; j < 8; ++j, word >>= 8U) uuid.bytes[i + j] = static_cast<std::uint8_t>(word);
  }
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0FU) | 0x40U);  // version 4
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3FU) | 0x80U);  // RFC 4122 variant
  return uuid;
}

Uuid kept_uuid(Mapping &m, const Smbios &smbios) {
  const std::optional<Uuid> source = smbios.uuid ? smbios.uuid : m.machine.uuid;
  if (!source || !is_valid(*source)) {
    // Of an OVF, which never states one, the importer has said so.
    if (source || m.machine.source.kind != SourceKind::ovf)
      m.raise(kUuidGenerated, smbios.origin, "The source has no usable UUID for the guest; it gets a new one.");
    m.drop("smbios.uuid", "not usable: the guest gets a new one");
    return random_uuid(m.options.random_seed);
  }
  const Uuid table = smbios.uuid_little_endian ? source->swapped() : *source;
  if (m.linux_guest() && smbios.older_than_2_6) {
    m.keep("smbios.uuid", "Linux prints the same text as before: " + table.text());
    m.raise(kUuidChoice, smbios.origin,
            "The guest's SMBIOS UUID is " + table.text() + ": Linux prints the same text as on the source.");
    return table;
  }
  const Uuid uuid = table.swapped();
  m.keep("smbios.uuid", "the same bytes in the SMBIOS table; the guest prints " + uuid.text());
  m.raise(kUuidChoice, smbios.origin,
          "The guest's SMBIOS UUID is " + uuid.text() + ": the same 16 bytes in the table as on the source.");
  return uuid;
}

void refuse_clash(const Mapping &m, const Uuid &uuid) {
  const auto taken = m.host.domain_uuids.find(uuid.text());
  // A domain of the same name is the one that this one would replace; that name is another question.
  if (taken == m.host.domain_uuids.end() || taken->second == m.options.name) return;
  throw Error(ErrorKind::conflict, {.where = m.machine.hardware.smbios.origin,
                                    .message = "the UUID is already that of the domain '" + taken->second + "'",
                                    .found = uuid.text(),
                                    .expected = "a UUID that no domain on this connection has",
                                    .advice = "Use --uuid new, or --uuid with one of your own."});
}

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
  // Snapshots belong to their domain: all have the current state's UUID.
  const Smbios &smbios = m.machine.hardware.smbios;
  m.keep("smbios", "");
  Uuid uuid;
  switch (m.options.uuid_policy) {
    case UuidPolicy::keep: uuid = kept_uuid(m, smbios); break;
    case UuidPolicy::regenerate:
      uuid = random_uuid(m.options.random_seed);
      m.translate("smbios.uuid", "a new UUID, as asked");
      break;
    case UuidPolicy::given:
      if (!m.options.uuid || !is_valid(*m.options.uuid)) {
        throw Error(ErrorKind::usage, {.message = "--uuid needs a UUID whose bytes are not all the same"});
      }
      uuid = *m.options.uuid;
      m.translate("smbios.uuid", "the given UUID");
      break;
  }
  refuse_clash(m, uuid);
  m.domain.uuid = uuid.text();
  m.result.domain_uuid = uuid;
  m.keep("/uuid", "the source's own identity of the machine; the guest sees the SMBIOS UUID");
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
      drop_string(m, key, value, "has no place in libvirt's sysinfo");
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
