// SPDX-License-Identifier: Apache-2.0
// Lines and fields, which the programs of a pipeline share.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::qemu::shell {

using Words = std::vector<std::string>;     // a program and its arguments
using Output = std::optional<std::string>;  // nullopt: not known

[[nodiscard]] std::vector<std::string> lines_of(std::string_view text);
[[nodiscard]] std::string joined_lines(const std::vector<std::string> &lines);
[[nodiscard]] Output each_line(std::string_view input, const std::function<Output(const std::string &)> &change);
// Between runs of blanks (an empty separator, or a blank), or between one separator each.
[[nodiscard]] std::vector<std::string> fields_of(std::string_view line, const std::string &separator);
// The value of an option that may be glued to it ("-f1", "-f 1", "--fields=1"); moves `at` to its last word.
[[nodiscard]] std::optional<std::string> option_value(const Words &words, std::size_t &at, char letter,
                                                      std::string_view name);

// ---- shell_editors.cpp ----
[[nodiscard]] Output awk(const Words &words, std::string_view input);
[[nodiscard]] Output sed(const Words &words, std::string_view input);

}  // namespace ferry::qemu::shell
