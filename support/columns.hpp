// SPDX-License-Identifier: Apache-2.0
// How wide text is on a terminal: wide characters take two columns, combining ones none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::text {

// Columns of UTF-8 text without control characters (see printable()).
[[nodiscard]] std::size_t columns(std::string_view text);
// As many whole characters from the beginning as fit.
[[nodiscard]] std::string cut_columns(std::string_view text, std::size_t width);
// `text` itself where it fits, else its beginning and its end around "...".
[[nodiscard]] std::string shortened(std::string_view text, std::size_t width);
// `text` followed by blanks up to `width`, for tables.
[[nodiscard]] std::string padded(std::string_view text, std::size_t width);
// Rows as lines, each column as wide as its widest cell, two blanks between; the first row may be a heading. `cut`:
// columns that a line may have; what is more goes from its last cell. 0: all that there are.
[[nodiscard]] std::string table(const std::vector<std::vector<std::string>> &rows, std::size_t cut = 0);
// `text` broken at blanks into lines of at most `width` columns where its words allow it, each begun by `indent` blanks
// and ended by a newline.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

}  // namespace ferry::text
