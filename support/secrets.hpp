// SPDX-License-Identifier: Apache-2.0
// What must not be shown: the values of settings whose names say that they are secret, and the passwords in addresses.
#pragma once

#include <string>
#include <string_view>

namespace ferry::secrets {

inline constexpr std::string_view kHidden = "(secret)";
// In place of the value of a setting that nobody knows, which may be one.
inline constexpr std::string_view kHiddenUnknown = "(hidden: --show-values)";

// Whether a setting of this name holds a secret: one of its words is password, secret, token, key and the like, or it
// is one of a family that holds nothing else (VMware's encryption.* and managedvm.*). "key" counts as a word of its own
// or behind another ("apiKey", "DeviceKey"), not in "keyboard". Works for keys that nobody knows.
[[nodiscard]] bool looks_secret(std::string_view key);

// `text` with "user:password@" of every address in it replaced: "ftp://(secret)@host/x".
[[nodiscard]] std::string without_credentials(std::string_view text);

}  // namespace ferry::secrets
