// SPDX-License-Identifier: Apache-2.0
// VirtualBox's settings version, "1.19-linux".
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace ferry::vbox {

struct SettingsVersion {
  unsigned major = 1;
  unsigned minor = 0;
  std::string platform;  // "linux", "windows", "macosx", "solaris", ...; of the host that wrote the file

  // nullopt for anything but "N.N" with an optional "-platform".
  [[nodiscard]] static std::optional<SettingsVersion> parse(std::string_view text);
  [[nodiscard]] bool at_least(unsigned other_minor) const { return major > 1 || minor >= other_minor; }
  [[nodiscard]] bool before(unsigned other_minor) const { return !at_least(other_minor); }
};

// The newest version whose rules virt-ferry knows: VirtualBox 7.1 writes 1.20, 7.2 1.21 and 7.3 1.22.
inline constexpr unsigned kNewestKnownMinor = 22;

}  // namespace ferry::vbox
