// SPDX-License-Identifier: Apache-2.0
// The text on a picture of a screen, where it shows text in cells: a PC's VGA in text mode (9 x 16 dots a cell), or a
// kernel's console in graphics (8 x 16).
#pragma once

#include <string>
#include <vector>

#include "migration/seen/font.hpp"

#include "support/picture.hpp"

namespace ferry::migration {

// Lines from the top, without blanks at their ends and without empty lines at the end. Empty where most of what the
// screen shows is no text in that font. A character that is not known is '?'.
[[nodiscard]] std::vector<std::string> screen_text(const Picture &picture, const Font &font);

}  // namespace ferry::migration
