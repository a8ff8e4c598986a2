// SPDX-License-Identifier: Apache-2.0
// Keys that say nothing about the migrated machine, or that it cannot have: by published family.
#pragma once

#include <string_view>

#include "importers/vmx/settings.hpp"

namespace ferry::vmx {

struct KnownKey {
  std::string_view pattern;  // lower case; '#' stands for digits, '*' for anything, also nothing
  Disposition disposition;   // irrelevant or dropped
  std::string_view note;
};

// Whether `key` (lower case) fits `pattern`.
[[nodiscard]] bool key_matches(std::string_view pattern, std::string_view key);
// The first row that fits; nullptr for a key that nobody has heard of.
[[nodiscard]] const KnownKey *find_known_key(std::string_view key);
// Settles every setting that is still unknown and that the table knows.
void settle_known_keys(Settings &settings);

}  // namespace ferry::vmx
