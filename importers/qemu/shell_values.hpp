// SPDX-License-Identifier: Apache-2.0
// What variables of a script hold, and what is not known of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "importers/qemu/launch.hpp"

namespace ferry::qemu::shell {

// A word after expansion, and the line where it was written.
struct Field {
  std::string text;
  std::uint64_t line = 0;
  bool vanishes = false;  // nothing but a variable that nobody sets, without quotes: bash gives no word at all
};

[[nodiscard]] inline std::vector<Field> rest_of(const std::vector<Field> &fields, std::size_t from) {
  return {fields.begin() + static_cast<std::ptrdiff_t>(from < fields.size() ? from : fields.size()), fields.end()};
}

// Their texts, with a blank between them.
[[nodiscard]] std::string joined(const std::vector<Field> &fields);

struct Variable {
  std::vector<Field> values;           // of an array all, else one
  std::map<std::string, Field> named;  // of declare -A
  bool array = false;
  bool keyed = false;  // declare -A
};

// Three answers, as a reader that runs nothing can give.
enum class Answer { no, yes, unknown };
[[nodiscard]] inline Answer operator!(Answer answer) {
  return answer == Answer::unknown ? answer : answer == Answer::yes ? Answer::no : Answer::yes;
}
[[nodiscard]] inline Answer answer_of(bool value) { return value ? Answer::yes : Answer::no; }

// The whole text matches the shell pattern (*, ?, [...]). Characters that `literal` marks stand for themselves.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view text);
// A pattern's special characters with a backslash before each.
[[nodiscard]] std::string escaped_pattern(std::string_view text);
// 'text', as ${name@Q} has it.
[[nodiscard]] std::string quoted_text(std::string_view text);
// text, with a backslash before what the shell would read otherwise, as printf %q has it; nullopt for control
// characters.
[[nodiscard]] std::optional<std::string> escaped_text(std::string_view text);
// Removes the shortest or longest match at the begin or end.
[[nodiscard]] std::string remove_match(const std::string &text, std::string_view pattern, bool at_end, bool longest);
[[nodiscard]] std::string replace_match(const std::string &text, std::string_view pattern, std::string_view with,
                                        bool all);

// Whole numbers, + - * / % and comparisons, names of variables. nullopt for what cannot be computed.
using Lookup = std::optional<std::int64_t> (*)(void *, const std::string &);
[[nodiscard]] std::optional<std::int64_t> compute(std::string_view expression, Lookup lookup, void *context);

}  // namespace ferry::qemu::shell
