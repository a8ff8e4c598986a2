// SPDX-License-Identifier: Apache-2.0
// What becomes of a setting of VMware's that no field of the model takes: it says nothing about the migrated machine,
// or the machine cannot have it. The same keys stand in .vmx files and, as vmw:ExtraConfig, in OVF packages; vSphere's
// names for the same settings stand there as vmw:Config.
#pragma once

#include <string_view>

#include "model/ledger.hpp"

namespace ferry::vmware {

struct KeyRule {
  std::string_view pattern;  // lower case; '#' stands for digits, '*' for anything, also nothing
  Disposition disposition;   // irrelevant or dropped
  std::string_view note;
};

// Whether `key` (lower case) fits `pattern`.
[[nodiscard]] bool key_matches(std::string_view pattern, std::string_view key);

// The first rule that fits `key`, which may be in any case; nullptr for a key that nobody has heard of.
[[nodiscard]] const KeyRule *find_vmx_key(std::string_view key);
[[nodiscard]] const KeyRule *find_machine_config_key(std::string_view key);
[[nodiscard]] const KeyRule *find_device_config_key(std::string_view key);

struct Verdict {
  Disposition disposition;
  std::string_view note;
};
// What `rule` says of a setting with this value: a feature that is switched off leaves nothing to drop.
[[nodiscard]] Verdict verdict(const KeyRule &rule, std::string_view value);

}  // namespace ferry::vmware
