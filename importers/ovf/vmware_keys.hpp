// SPDX-License-Identifier: Apache-2.0
// What becomes of VMware's configuration keys that no field of the model takes.
#pragma once

#include <span>
#include <string_view>

#include "model/ledger.hpp"

namespace ferry::ovf {

struct KeyRule {
  std::string_view key;  // any case; a final '*' stands for any rest
  // dropped is irrelevant where the value says that the feature is off
  Disposition disposition;
  std::string_view note;
};

// vmw:Config of the machine, of its devices; vmw:ExtraConfig (.vmx keys).
[[nodiscard]] std::span<const KeyRule> machine_keys();
[[nodiscard]] std::span<const KeyRule> device_keys();
[[nodiscard]] std::span<const KeyRule> vmx_keys();

// The first rule that fits; nullptr when none does.
[[nodiscard]] const KeyRule *find_key(std::span<const KeyRule> rules, std::string_view key);

}  // namespace ferry::ovf
