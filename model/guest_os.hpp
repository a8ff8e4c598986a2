// SPDX-License-Identifier: Apache-2.0
// Which operating system the source says the guest runs, in the terms of libosinfo.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ferry {

enum class OsFamily { unknown, windows, linux, bsd, solaris, macos, dos, os2, netware, other };

struct GuestOs {
  std::string source_id;  // "Windows11_64", "ubuntu-64", "101": as the source writes it
  std::string label;      // "Windows 11 (64-bit)"; the source's own description where it has one
  OsFamily family = OsFamily::unknown;
  bool is_64bit = true;
  std::string osinfo_id;  // "http://microsoft.com/win/11"; empty when libosinfo has none
  // A nearer id, "http://microsoft.com/win/2k25", that osinfo-db has since kOsinfoNewerRelease; empty without one.
  std::string osinfo_newer = {};
  // macOS: the major version of its kernel, which numbers all releases in one row: 19 is 10.15, 20 is macOS 11, 24 is
  // macOS 15. nullopt: the source does not say which release it is.
  std::optional<unsigned> darwin = {};
};

// The kernel of a macOS release: darwin_of(10, 15) is 19, darwin_of(13, 0) is 22, darwin_of(26, 0) is 25. nullopt for
// what is no release.
[[nodiscard]] std::optional<unsigned> darwin_of(unsigned major, unsigned minor);

// The release of osinfo-db, as its file VERSION says it, that has every GuestOs::osinfo_newer: Debian 13's.
inline constexpr unsigned kOsinfoNewerRelease = 20250619;

// Published identifiers of each source; an identifier that is not in the table gives OsFamily::unknown (or
// the family that its prefix tells) and no osinfo_id. Never fails. VirtualBox: OSType ids of every version.
[[nodiscard]] GuestOs guest_os_from_virtualbox(std::string_view os_type);
// VMX guestOS values, with or without "-64"; also ESX's "...Guest" identifiers (ovf vmw:osType).
[[nodiscard]] GuestOs guest_os_from_vmware(std::string_view guest_os);
// CIM_OperatingSystem OsType numbers, as OVF's OperatingSystemSection ovf:id carries them.
[[nodiscard]] GuestOs guest_os_from_cim(int id);

}  // namespace ferry
