// SPDX-License-Identifier: Apache-2.0
// The regular expressions that scripts give to sed and grep: characters, ., [...], *, + and ? behind one of these,
// ^ and $. Groups and alternatives are not read. Matching tries at most a fixed number of steps.
#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ferry::qemu::shell {

class Regex {
 public:
  // `extended`: as with -E, where + and ? need no backslash. nullopt for what is not read.
  [[nodiscard]] static std::optional<Regex> parse(std::string_view pattern, bool extended, bool ignore_case = false);

  struct Match {
    std::size_t begin = 0, end = 0;
  };
  enum class Result { none, found, too_much };
  // The first match at or behind `from`, the longest there.
  Result search(std::string_view text, std::size_t from, Match &match) const;

 private:
  struct Item {
    std::bitset<256> characters;
    unsigned least = 1;
    bool many = false;  // as often as there is
  };
  bool at_begin_ = false, at_end_ = false;
  std::vector<Item> items_;

  std::optional<std::size_t> match_from(std::string_view text, std::size_t at, std::size_t item,
                                        std::size_t &steps) const;
};

// The characters between [ and ], from behind the [; moves `at` behind the ]. nullopt when there is no end.
[[nodiscard]] std::optional<std::bitset<256>> bracket_set(std::string_view pattern, std::size_t &at);

}  // namespace ferry::qemu::shell
