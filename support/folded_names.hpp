// SPDX-License-Identifier: Apache-2.0
// Names without letter case, in one Unicode normal form.
#pragma once

#include <string>
#include <string_view>

namespace ferry::names {

// What two names have in common that file systems without letter case, or with decomposed names, take for the same.
[[nodiscard]] std::u32string folded(std::string_view name);
// folded(name) == wanted, for the many names of a folder.
[[nodiscard]] bool is_folded(std::string_view name, std::u32string_view wanted);
// What two names have in common that look the same: their normal form, in which letter case counts.
[[nodiscard]] std::u32string decomposed(std::string_view name);

}  // namespace ferry::names
