// SPDX-License-Identifier: Apache-2.0
// What somebody may have meant who misspelt a word.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::text {

// How many characters must be changed, added, left out or swapped with their neighbour to make one of the other.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);
[[nodiscard]] std::size_t edit_distance(std::u32string_view a, std::u32string_view b);

// The candidate that is like `word` beyond chance: at most a third of it differs, or `word` is the beginning of it and
// of no other. nullopt when none is; of several equally near the first.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, const std::vector<std::string> &candidates);

}  // namespace ferry::text
