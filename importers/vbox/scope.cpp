// SPDX-License-Identifier: Apache-2.0
#include "importers/vbox/scope.hpp"

#include "importers/vbox/findings.hpp"

#include "support/text.hpp"

namespace ferry::vbox {

std::optional<unsigned> small_number(const SettingsReader &element, std::string_view attribute, std::string_view field,
                                     unsigned largest) {
  const auto value = element.number(attribute, field);
  if (!value) return std::nullopt;
  if (*value > largest) {
    throw Error(ErrorKind::malformed, {.where = element.place(attribute),
                                       .message = "the number is too large",
                                       .found = std::to_string(*value),
                                       .expected = "at most " + std::to_string(largest)});
  }
  return static_cast<unsigned>(*value);
}

std::optional<bool> enabled_child(const SettingsReader &parent, std::string_view name, std::string_view field) {
  const auto child = parent.child(name);
  return child ? child->boolean("enabled", field) : std::nullopt;
}

bool same_word(std::string_view a, std::string_view b) { return text::iequals_ascii(a, text::trim(b)); }

void report_unknown_word(Import &in, const SettingsReader &element, std::string_view attribute,
                         const std::string &found, std::string_view assumed) {
  in.find(kUnknownValue, element.place(attribute),
          "\"" + text::printable(found) + "\" is not a value that virt-ferry knows; \"" + std::string(assumed) +
              "\" is used instead");
  element.settle(attribute, Disposition::dropped,
                 "not a known value; \"" + std::string(assumed) + "\" is used instead");
}

}  // namespace ferry::vbox
