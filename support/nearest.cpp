// SPDX-License-Identifier: Apache-2.0
#include "support/nearest.hpp"

#include <algorithm>

namespace ferry::text {
namespace {

// Damerau and Levenshtein's distance in its restricted form: no part is edited twice.
template <class Text>
std::size_t distance_of(const Text &a, const Text &b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) { return distance_of(a, b); }
std::size_t edit_distance(std::u32string_view a, std::u32string_view b) { return distance_of(a, b); }

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string> &candidates) {
  const auto begins = [word](const std::string &one) { return !word.empty() && one.starts_with(word); };
  if (std::count_if(candidates.begin(), candidates.end(), begins) == 1)
    return *std::find_if(candidates.begin(), candidates.end(), begins);
  std::optional<std::string> best;
  std::size_t distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string &one : candidates) {
    const std::size_t there = edit_distance(word, one);
    if (there >= distance || there >= one.size()) continue;
    distance = there;
    best = one;
  }
  return best;
}

}  // namespace ferry::text
