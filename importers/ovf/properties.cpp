// SPDX-License-Identifier: Apache-2.0
// Properties: what the package asks whoever deploys it, and gives to the guest by way of the OVF environment (DSP0243
// "ProductSection", "Property elements", "Transport media type"). Which of them want a value the standard leaves to
// qualifiers: MinLen and ValueMap, and numbers, which have no empty value.
#include <algorithm>
#include <array>

#include "importers/ovf/context.hpp"
#include "importers/ovf/item.hpp"

#include "support/text.hpp"

namespace ferry::ovf {
namespace {

bool is_product(const Section &section) {
  return section.name == "ProductSection" || section.name == "PropertySection";
}

// The innermost level is nearest to the machine and goes first.
template <class Visit>
void for_each_property(const Context &in, const Visit &visit) {
  std::vector<SettingsReader> levels{in.envelope};
  levels.insert(levels.end(), in.contents.begin(), in.contents.end());
  for (auto level = levels.rbegin(); level != levels.rend(); ++level) {
    for (const Section &section : sections(*level)) {
      if (!is_product(section)) continue;
      for (const SettingsReader &property : section.reader.children("Property")) visit(section.reader, property);
    }
  }
}

// "web.port.1" for class, key and instance of the product.
std::string full_key(const SettingsReader &product, const std::string &key) {
  const std::string prefix = peek_attribute(product, "class").value_or("");
  const std::string suffix = peek_attribute(product, "instance").value_or("");
  return (prefix.empty() ? "" : prefix + ".") + key + (suffix.empty() ? "" : "." + suffix);
}

// The package's own value; nullopt: it has none.
std::optional<std::string> value_in_package(const Context &in, const SettingsReader &property) {
  auto value = peek_attribute(property, "value");
  if (!value) value = peek_attribute(property, "defaultValue");  // 0.9
  for (const SettingsReader &special : property.children("Value")) {
    if (peek_attribute(special, "configuration") == in.configuration && !in.configuration.empty())
      value = peek_attribute(special, "value");
  }
  return value;
}

void refuse_unknown(const Context &in, const std::set<std::string> &known, const std::string &listed) {
  for (const auto &[key, value] : in.options.ovf_properties) {
    if (known.contains(key)) continue;
    throw Error(ErrorKind::usage,
                {.where = in.system().place(),
                 .message = "the package has no property " + in_quotes(key),
                 .expected = listed.empty() ? "no --ovf-property: it has none" : "one of " + text::printable(listed)});
  }
}

bool is_secret(const SettingsReader &property) {
  const std::string qualifiers = text::lower_ascii(peek_attribute(property, "qualifiers").value_or(""));
  return parse_boolean(peek_attribute(property, "password").value_or("")).value_or(false) ||
         qualifiers.find("password") != std::string::npos ||
         text::lower_ascii(peek_attribute(property, "type").value_or("")).starts_with("password");
}

// "MinLen(8) MaxLen(20)", "ValueMap{"a","b"}"; VMware's older "string(1..)".
bool wants_value(const SettingsReader &property) {
  if (!parse_boolean(peek_attribute(property, "userConfigurable").value_or("")).value_or(false)) return false;
  const std::string type = text::lower_ascii(peek_attribute(property, "type").value_or(""));
  const std::string qualifiers = text::lower_ascii(peek_attribute(property, "qualifiers").value_or(""));
  static constexpr std::array kNumbers{"int", "uint", "sint", "real"};
  const bool number =
      std::any_of(kNumbers.begin(), kNumbers.end(), [&](const char *one) { return type.starts_with(one); });
  const std::size_t least = qualifiers.find("minlen(");
  const bool long_enough = least != std::string::npos && qualifiers.compare(least + 7, 1, "0") != 0;
  const std::size_t range = type.find('(');
  const bool ranged = range != std::string::npos && type.find("..") != std::string::npos && type[range + 1] >= '1' &&
                      type[range + 1] <= '9';
  return number || long_enough || ranged;
}

// Says what becomes of a property; `field` is empty where it is not handed over.
void settle_property(const SettingsReader &property, const std::string &field) {
  if (is_secret(property)) {
    for (const char *attribute : {"value", "defaultValue"}) property.hide(attribute);
    for (const SettingsReader &value : property.children("Value")) value.hide("value");
  }
  if (field.empty()) {
    property.settle_all(Disposition::irrelevant, "a property that the package does not hand to the guest");
    return;
  }
  for (const char *attribute : {"value", "defaultValue"}) (void)property.text(attribute, field + ".value");
  (void)property.text("key", field + ".key");
  property.settle_all(Disposition::irrelevant, "says how whoever deploys the package is asked for the property");
}

// How the guest gets at its properties: "com.vmware.guestInfo", "iso".
std::string transport_of(const Context &in) {
  std::string out;
  for (const SettingsReader &level : in.contents) {
    for (const Section &section : sections(level)) {
      if (section.name != "VirtualHardwareSection") continue;
      out = peek_attribute(section.reader, "transport").value_or(out);
      section.reader.settle("transport", Disposition::irrelevant,
                            "how the source platform hands properties to the guest");
    }
  }
  return text::lower_ascii(out);
}

bool names_iso(std::string_view transport) {
  while (!transport.empty()) {
    const std::size_t end = std::min(transport.find_first_of(" \t\r\n"), transport.size());
    if (transport.substr(0, end) == "iso") return true;
    transport.remove_prefix(std::min(end + 1, transport.size()));
  }
  return false;
}

std::string label_of(const SettingsReader &property) {
  const auto label = peek(property, "Label");
  return label ? *label : std::string();
}

}  // namespace

void collect_properties(Context &in) {
  std::set<std::string> known;
  std::string listed;
  for_each_property(in, [&](const SettingsReader &product, const SettingsReader &property) {
    const auto key = peek_attribute(property, "key");
    if (!key) return;
    const std::string full = full_key(product, *key);
    if (known.insert(full).second) listed += (listed.empty() ? "" : ", ") + full;
    known.insert(*key);
    const auto &given = in.options.ovf_properties;
    auto asked = given.find(full);
    if (asked == given.end()) asked = given.find(*key);
    const auto value = asked == given.end() ? value_in_package(in, property) : std::optional(asked->second);
    if (!value) return;
    in.properties.emplace(*key, *value);
    in.properties.emplace(full, *value);
  });
  refuse_unknown(in, known, listed);
}

void read_guest_data(Context &in) {
  const std::string transport = transport_of(in);
  const bool handed_over = !transport.empty() || !in.options.ovf_properties.empty();
  GuestData data = in.machine.guest_data.value_or(GuestData{});
  std::set<std::string> there;
  for (const DeploymentProperty &property : data.properties) there.insert(property.key);
  for_each_property(in, [&](const SettingsReader &product, const SettingsReader &property) {
    const auto key = peek_attribute(property, "key");
    const std::string full = key ? full_key(product, *key) : std::string();
    if (!key || !handed_over || !there.insert(full).second) return settle_property(property, {});
    const auto value = in.properties.find(full);
    settle_property(property, "guest_data.properties." + std::to_string(data.properties.size()));
    data.properties.push_back({.key = full,
                               .value = value == in.properties.end() ? std::string() : value->second,
                               .type = peek_attribute(property, "type").value_or(""),
                               .label = label_of(property),
                               .required = wants_value(property),
                               .origin = property.place()});
  });
  data.on_cd = names_iso(transport);
  if (data.properties.empty() && !in.machine.guest_data) return;
  if (!in.machine.guest_data) data.origin = data.properties.front().origin;
  in.machine.guest_data = std::move(data);
}

}  // namespace ferry::ovf
