// SPDX-License-Identifier: Apache-2.0
// Base64 as RFC 4648 has it, with padding.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ferry::base64 {

[[nodiscard]] std::string encoded(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::string encoded(std::string_view text);
// nullopt for what is none. Lines' ends are skipped.
[[nodiscard]] std::optional<std::string> decoded(std::string_view text);

}  // namespace ferry::base64
