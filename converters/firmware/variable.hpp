// SPDX-License-Identifier: Apache-2.0
// A UEFI variable as a value, and the vendor GUIDs that matter here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::firmware {

// The 16 bytes as they lie in a store: the first three fields little-endian.
using Guid = std::array<std::uint8_t, 16>;

// EFI_GLOBAL_VARIABLE, 8be4df61-93ca-11d2-aa0d-00e098032b8c: Boot####, BootOrder, PK, KEK.
inline constexpr Guid kGlobalGuid = {0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
                                     0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c};
// EFI_IMAGE_SECURITY_DATABASE, d719b2cb-3d3a-4596-a3bc-dad00e67656f: db, dbx.
inline constexpr Guid kImageSecurityGuid = {0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45,
                                            0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f};
// EDK2's gEfiSecureBootEnableDisableGuid, f0a30bc7-af08-4556-99c4-001009c93a44: SecureBootEnable.
inline constexpr Guid kSecureBootEnableGuid = {0xc7, 0x0b, 0xa3, 0xf0, 0x08, 0xaf, 0x56, 0x45,
                                               0x99, 0xc4, 0x00, 0x10, 0x09, 0xc9, 0x3a, 0x44};
// shim's 605dab50-e046-4300-abb6-3dd810dd8b23: MokList, MokListX.
inline constexpr Guid kShimGuid = {0x50, 0xab, 0x5d, 0x60, 0x46, 0xe0, 0x00, 0x43,
                                   0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23};

// UEFI specification 8.2: non-volatile, boot service, runtime, authenticated by time.
inline constexpr std::uint32_t kAttributesBoot = 0x03;
inline constexpr std::uint32_t kAttributesRuntime = 0x07;
inline constexpr std::uint32_t kAttributesKey = 0x27;

struct Variable {
  std::u16string name;
  Guid guid{};
  std::uint32_t attributes = 0;
  std::array<std::uint8_t, 16> timestamp{};  // EFI_TIME; zero for variables that are not authenticated
  std::vector<std::uint8_t> data;
  friend bool operator==(const Variable &, const Variable &) = default;
};

// nullptr when there is none.
[[nodiscard]] const Variable *find(const std::vector<Variable> &variables, std::u16string_view name, const Guid &guid);
// The name for people: not valid UTF-16 becomes U+FFFD.
[[nodiscard]] std::string shown(std::u16string_view name);
}  // namespace ferry::firmware
