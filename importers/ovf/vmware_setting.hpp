// SPDX-License-Identifier: Apache-2.0
// vmw:Config (paths of vSphere's VirtualMachineConfigSpec and of its device objects) and vmw:ExtraConfig (raw .vmx
// keys), as ovftool and vCenter write them. From VMware's published API reference and OVF Tool guide, and files seen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "importers/ovf/item.hpp"
#include "importers/vmware/known_keys.hpp"

#include "support/text.hpp"

namespace ferry::ovf {

// One Config or ExtraConfig element.
class Setting {
 public:
  explicit Setting(SettingsReader reader)
      : reader_(std::move(reader)),
        key_(peek_attribute(reader_, "key").value_or("")),
        value_(peek_attribute(reader_, "value").value_or("")) {}

  [[nodiscard]] const std::string &key() const { return key_; }
  [[nodiscard]] const std::string &value() const { return value_; }
  [[nodiscard]] bool on() const { return parse_boolean(value_).value_or(false); }
  [[nodiscard]] Place place() const { return reader_.place(); }
  void take(std::string_view field) const {
    (void)reader_.text("key", field);
    (void)reader_.text("value", field);
  }
  // What was taken stays taken.
  void settle(Disposition disposition, std::string_view note) const { reader_.settle_all(disposition, note); }
  [[nodiscard]] std::optional<std::uint64_t> number() const { return text::parse_u64(text::trim(value_)); }

 private:
  SettingsReader reader_;
  std::string key_, value_;
};

// Those directly in an element; `name`: "Config", "ExtraConfig".
[[nodiscard]] std::vector<Setting> settings(const SettingsReader &element, std::string_view name);

// The number of a PCI slot; nullopt for what is none.
[[nodiscard]] std::optional<unsigned> slot(const Setting &setting);

// What is known of an ExtraConfig's key; null: nothing.
[[nodiscard]] const vmware::KeyRule *extra_config_rule(std::string_view key);
// What the published tables say of a key. Without a rule, for a key that is in none of them, it stays unknown.
void settle_by(const vmware::KeyRule *rule, const Setting &setting);

}  // namespace ferry::ovf
