// SPDX-License-Identifier: Apache-2.0
// What the small programs of a pipeline make of a text that is known: cut, awk, sed, tr, head and their like, as far
// as scripts that start machines use them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::qemu::shell {

struct Filtered {
  std::string output;
  bool found = true;  // of grep: a line matched
};

// `words`: the program and its arguments. nullopt when the program is none of these, reads a file, or is asked for
// something that is not known here.
[[nodiscard]] std::optional<Filtered> filter_text(const std::vector<std::string> &words, std::string_view input);

[[nodiscard]] bool is_filter(std::string_view program);

}  // namespace ferry::qemu::shell
