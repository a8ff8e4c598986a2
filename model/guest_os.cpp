// SPDX-License-Identifier: Apache-2.0
#include "model/guest_os.hpp"

#include <algorithm>
#include <array>

#include "model/guest_os_tables.hpp"

#include "support/text.hpp"

namespace ferry {
namespace {

using guest_os_tables::Named;

const Named *find(std::span<const Named> rows, std::string_view id) {
  const auto at = std::lower_bound(rows.begin(), rows.end(), id,
                                   [](const Named &row, std::string_view wanted) { return row.id < wanted; });
  return at != rows.end() && at->id == id ? &*at : nullptr;
}

bool strip_end(std::string &text, std::string_view end) {
  if (text.size() < end.size() || text.compare(text.size() - end.size(), end.size(), end) != 0) return false;
  text.resize(text.size() - end.size());
  return true;
}

std::string url(std::string_view osinfo) { return osinfo.empty() ? std::string() : "http://" + std::string(osinfo); }

// The nearest row for an id that is newer than the table: "debian17" is answered by the row with the highest
// number below it, and so is "ubuntu28_lts". nullptr when the id does not end in a number or no row has its name.
const Named *newest_before(std::span<const Named> rows, std::string id) {
  strip_end(id, "_lts");
  const std::size_t name_end = id.find_last_not_of("0123456789") + 1;
  const auto wanted = text::parse_u64(std::string_view(id).substr(name_end));
  if (!wanted || name_end == 0) return nullptr;
  const Named *best = nullptr;
  std::uint64_t best_number = 0;
  for (const Named &row : rows) {
    if (row.id.substr(0, name_end) != id.substr(0, name_end)) continue;
    const auto number = text::parse_u64(row.id.substr(name_end));
    if (number && *number <= *wanted && *number >= best_number) best = &row, best_number = *number;
  }
  return best;
}

OsFamily family_by_name(const std::string &id) {
  struct Row {
    std::string_view part;
    OsFamily family;
  };
  static constexpr std::array<Row, 28> kParts{
      {{"darwin", OsFamily::macos},   {"macos", OsFamily::macos},     {"win", OsFamily::windows},
       {"bsd", OsFamily::bsd},        {"solaris", OsFamily::solaris}, {"netware", OsFamily::netware},
       {"os2", OsFamily::os2},        {"ecomstation", OsFamily::os2}, {"dos", OsFamily::dos},
       {"linux", OsFamily::linux},    {"ubuntu", OsFamily::linux},    {"debian", OsFamily::linux},
       {"rhel", OsFamily::linux},     {"redhat", OsFamily::linux},    {"centos", OsFamily::linux},
       {"fedora", OsFamily::linux},   {"suse", OsFamily::linux},      {"sles", OsFamily::linux},
       {"oracle", OsFamily::linux},   {"asianux", OsFamily::linux},   {"mandriva", OsFamily::linux},
       {"mandrake", OsFamily::linux}, {"photon", OsFamily::linux},    {"coreos", OsFamily::linux},
       {"gentoo", OsFamily::linux},   {"mageia", OsFamily::linux},    {"vmkernel", OsFamily::other},
       {"other", OsFamily::other}}};
  for (const Row &row : kParts) {
    if (id.find(row.part) != std::string::npos) return row.family;
  }
  return OsFamily::unknown;
}

enum class Mark { none, x86_64, arm64 };

GuestOs make(std::string_view source_id, std::span<const Named> rows, const Named *row, const std::string &id,
             Mark mark) {
  GuestOs out;
  out.source_id = source_id;
  out.is_64bit = mark != Mark::none;
  if (row == nullptr) {
    const Named *before = newest_before(rows, id);
    out.family = before != nullptr ? before->family : family_by_name(id);
    if (before != nullptr) out.osinfo_id = url(before->osinfo), out.osinfo_newer = url(before->osinfo_newer);
    out.label = source_id;
    return out;
  }
  out.is_64bit = out.is_64bit || row->always_64bit;
  out.family = row->family;
  out.osinfo_id = url(row->osinfo);
  out.osinfo_newer = url(row->osinfo_newer);
  out.label = std::string(row->label) + (mark == Mark::arm64 ? " (ARM 64-bit)"
                                         : out.is_64bit      ? " (64-bit)"
                                                             : " (32-bit)");
  return out;
}

// The number right behind `name` at the front of `id`; nullopt when there is none.
std::optional<std::uint64_t> number_behind(std::string_view name, const std::string &id) {
  if (!id.starts_with(name)) return std::nullopt;
  const std::string_view rest = std::string_view(id).substr(name.size());
  return text::parse_u64(rest.substr(0, rest.find_first_not_of("0123456789")));
}

// "macos106" to "macos1013" are 10.6 to 10.13; "macos11" and on are what they say.
std::optional<unsigned> darwin_of_virtualbox(const std::string &id) {
  constexpr std::string_view kTen = "macos10";
  if (const auto minor = number_behind(kTen, id); minor && *minor < 100)
    return darwin_of(10, static_cast<unsigned>(*minor));
  const auto major = number_behind("macos", id);
  return major && *major < 1000 ? darwin_of(static_cast<unsigned>(*major), 0) : std::nullopt;
}

GuestOs unnamed() {
  GuestOs out;
  out.label = "not said";
  return out;
}

}  // namespace

GuestOs guest_os_from_virtualbox(std::string_view os_type) {
  if (os_type.empty()) return unnamed();
  std::string id = text::lower_ascii(os_type);
  Mark mark = Mark::none;
  if (strip_end(id, "_arm64")) {
    mark = Mark::arm64;
  } else if (strip_end(id, "_64") || strip_end(id, "_x64")) {
    mark = Mark::x86_64;
  }
  const auto rows = guest_os_tables::virtualbox();
  GuestOs out = make(os_type, rows, find(rows, id), id, mark);
  out.darwin = darwin_of_virtualbox(id);
  return out;
}

// "ubuntu-64", "arm-ubuntu-64", "ubuntu64Guest", "rhel6_64Guest", "otherGuest64", and as some packages have it
// "*other26xLinux64Guest".
GuestOs guest_os_from_vmware(std::string_view guest_os) {
  if (guest_os.empty()) return unnamed();
  std::string id = text::lower_ascii(guest_os);
  if (id.front() == '*') id.erase(0, 1);
  Mark mark = Mark::none;
  const bool arm = id.rfind("arm-", 0) == 0;
  if (arm) id.erase(0, 4);
  if (strip_end(id, "guest64")) {
    mark = Mark::x86_64;
  } else {
    strip_end(id, "guest");
    if (strip_end(id, "-64") || strip_end(id, "_64") || strip_end(id, "64")) mark = Mark::x86_64;
  }
  if (arm) mark = Mark::arm64;
  strip_end(id, "-32");
  const auto rows = guest_os_tables::vmware();
  const Named *row = find(rows, id);
  // "winServer2008DatacenterCore-32", "winVistaUltimate-64": an edition says nothing more.
  if (row == nullptr && id.rfind("winserver2008", 0) == 0) row = find(rows, "longhorn");
  if (row == nullptr && id.rfind("winvista", 0) == 0) row = find(rows, "winvista");
  GuestOs out = make(guest_os, rows, row, id, mark);
  if (const auto darwin = number_behind("darwin", id); darwin && *darwin < 1000)
    out.darwin = static_cast<unsigned>(*darwin);
  return out;
}

std::optional<unsigned> darwin_of(unsigned major, unsigned minor) {
  constexpr unsigned kTenIsAhead = 4;      // 10.4 is Darwin 8, 10.15 is 19
  constexpr unsigned kElevenIsAhead = 9;   // macOS 11 is 20, macOS 15 is 24
  constexpr unsigned kYearsAreBehind = 1;  // macOS 26 is 25
  constexpr unsigned kFirstYear = 26;
  if (major == 10) return minor + kTenIsAhead;
  if (major < 11) return std::nullopt;
  return major < kFirstYear ? major + kElevenIsAhead : major - kYearsAreBehind;
}

GuestOs guest_os_from_cim(int id) {
  GuestOs out;
  out.source_id = std::to_string(id);
  out.label = "CIM operating system " + out.source_id;
  out.is_64bit = true;
  for (const guest_os_tables::Numbered &row : guest_os_tables::cim()) {
    if (row.id != id) continue;
    out.label = row.label;
    out.family = row.family;
    out.is_64bit = row.is_64bit;
    out.osinfo_id = url(row.osinfo);
    out.osinfo_newer = url(row.osinfo_newer);
  }
  return out;
}

}  // namespace ferry
