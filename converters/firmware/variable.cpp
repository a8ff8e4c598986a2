// SPDX-License-Identifier: Apache-2.0
#include "converters/firmware/variable.hpp"

#include <algorithm>

#include "support/text.hpp"

namespace ferry::firmware {

const Variable *find(const std::vector<Variable> &variables, std::u16string_view name, const Guid &guid) {
  const auto found = std::ranges::find_if(
      variables, [&](const Variable &variable) { return variable.name == name && variable.guid == guid; });
  return found == variables.end() ? nullptr : &*found;
}

std::string shown(std::u16string_view name) { return text::printable(text::from_utf16(name)); }

}  // namespace ferry::firmware
