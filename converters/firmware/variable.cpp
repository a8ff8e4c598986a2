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

std::string shown(std::u16string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char32_t unit = name[i];
    const bool high = unit >= 0xD800 && unit < 0xDC00;
    const bool paired = high && i + 1 < name.size() && name[i + 1] >= 0xDC00 && name[i + 1] < 0xE000;
    if (paired) {
      text::append_utf8(out, 0x10000 + ((unit - 0xD800) << 10U) + (name[++i] - char32_t{0xDC00}));
    } else {
      text::append_utf8(out, unit >= 0xD800 && unit < 0xE000 ? char32_t{0xFFFD} : unit);
    }
  }
  return text::printable(out);
}

std::u16string utf16_from(const std::uint8_t *bytes, std::size_t count) {
  std::u16string out;
  out.reserve(count / 2);
  for (std::size_t i = 0; i + 1 < count; i += 2) {
    out.push_back(static_cast<char16_t>(bytes[i] | (static_cast<unsigned>(bytes[i + 1]) << 8U)));
  }
  return out;
}

}  // namespace ferry::firmware
