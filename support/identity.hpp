// SPDX-License-Identifier: Apache-2.0
// UUID and MAC address as values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ferry {

// 16 bytes in the order in which the text form prints them (RFC 4122, big-endian fields).
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  // Takes "{xxxxxxxx-xxxx-...}", the same without braces, 32 hex digits, and VMware's
  // "56 4d b0 8e d5 91 3c 27-ed 61 e7 a8 83 4d 0b 9c"; nothing else.
  [[nodiscard]] static std::optional<Uuid> parse(std::string_view text);
  // From an on-disk GUID whose first three fields are little-endian (VDI, VHDX, EFI, SMBIOS 2.6 and later).
  [[nodiscard]] static Uuid from_little_endian(const std::array<std::uint8_t, 16> &raw);
  // The same value with the first three fields' bytes reversed.
  [[nodiscard]] Uuid swapped() const;
  [[nodiscard]] bool is_nil() const;
  [[nodiscard]] std::string text() const;  // lower case, with dashes, without braces
  friend auto operator<=>(const Uuid &, const Uuid &) = default;
};

struct MacAddress {
  std::array<std::uint8_t, 6> bytes{};

  // Takes "XX:XX:XX:XX:XX:XX", the same with dashes, and 12 hex digits.
  [[nodiscard]] static std::optional<MacAddress> parse(std::string_view text);
  [[nodiscard]] bool is_multicast() const { return (bytes[0] & 1U) != 0; }
  [[nodiscard]] std::string text() const;  // lower case, with colons
  friend auto operator<=>(const MacAddress &, const MacAddress &) = default;
};

}  // namespace ferry
