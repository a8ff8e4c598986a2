// SPDX-License-Identifier: Apache-2.0
#include "importers/vbox/version.hpp"

#include "support/text.hpp"

namespace ferry::vbox {

std::optional<SettingsVersion> SettingsVersion::parse(std::string_view text) {
  constexpr std::uint64_t kLargest = 9999;  // keeps the narrowing below harmless; real minors have two digits
  SettingsVersion version;
  const std::size_t dash = text.find('-');
  const std::string_view number = text.substr(0, dash);
  if (dash != std::string_view::npos) version.platform = text.substr(dash + 1);
  const std::size_t dot = number.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto major = text::parse_u64(number.substr(0, dot));
  const auto minor = text::parse_u64(number.substr(dot + 1));
  if (!major || !minor || *major == 0 || *major > kLargest || *minor > kLargest) return std::nullopt;
  version.major = static_cast<unsigned>(*major);
  version.minor = static_cast<unsigned>(*minor);
  return version;
}

}  // namespace ferry::vbox
