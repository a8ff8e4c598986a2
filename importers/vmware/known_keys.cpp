// SPDX-License-Identifier: Apache-2.0
#include "importers/vmware/known_keys.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "importers/vmware/key_tables.hpp"

#include "support/text.hpp"

namespace ferry::vmware {
namespace {

constexpr std::size_t kLongestKey = 200;  // matching takes time in the square of the length

const KeyRule *find(std::span<const KeyRule> rules, std::string_view lower_key) {
  for (const KeyRule &rule : rules) {
    if (key_matches(rule.pattern, lower_key)) return &rule;
  }
  return nullptr;
}

const KeyRule *find_in_any_case(std::span<const KeyRule> rules, std::string_view key) {
  return key.size() > kLongestKey ? nullptr : find(rules, text::lower_ascii(key));
}

// Also limits that are none: "unlimited" shares, affinity with "all" processors, a slot of -1.
bool is_off(std::string_view value) {
  static constexpr std::array<std::string_view, 9> kOff{"",     "false",     "0",   "no", "off",
                                                        "none", "unlimited", "all", "-1"};
  return std::find(kOff.begin(), kOff.end(), text::lower_ascii(text::trim(value))) != kOff.end();
}

}  // namespace

bool key_matches(std::string_view pattern, std::string_view key) {
  if (pattern.empty()) return key.empty();
  if (pattern.front() == '*') {
    for (std::size_t skip = 0; skip <= key.size(); ++skip) {
      if (key_matches(pattern.substr(1), key.substr(skip))) return true;
    }
    return false;
  }
  if (pattern.front() == '#') {
    std::size_t digits = 0;
    while (digits < key.size() && key[digits] >= '0' && key[digits] <= '9') ++digits;
    return digits > 0 && key_matches(pattern.substr(1), key.substr(digits));
  }
  return !key.empty() && key.front() == pattern.front() && key_matches(pattern.substr(1), key.substr(1));
}

const KeyRule *find_vmx_key(std::string_view key) {
  if (const KeyRule *rule = find_in_any_case(platform_rules(), key)) return rule;
  return find_in_any_case(hardware_rules(), key);
}

const KeyRule *find_machine_config_key(std::string_view key) { return find_in_any_case(machine_config_rules(), key); }
const KeyRule *find_device_config_key(std::string_view key) { return find_in_any_case(device_config_rules(), key); }

Verdict verdict(const KeyRule &rule, std::string_view value) {
  if (rule.disposition == Disposition::dropped && is_off(value)) {
    return {Disposition::irrelevant, "switched off, as in the new machine"};
  }
  return {rule.disposition, rule.note};
}

}  // namespace ferry::vmware
