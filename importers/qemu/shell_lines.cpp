// SPDX-License-Identifier: Apache-2.0
#include "importers/qemu/shell_lines.hpp"

#include <algorithm>

namespace ferry::qemu::shell {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string joined_lines(const std::vector<std::string> &lines) {
  std::string out;
  for (const std::string &line : lines) out += line + "\n";
  return out;
}

Output each_line(std::string_view input, const std::function<Output(const std::string &)> &change) {
  std::vector<std::string> lines = lines_of(input);
  for (std::string &line : lines) {
    const Output changed = change(line);
    if (!changed) return std::nullopt;
    line = *changed;
  }
  return joined_lines(lines);
}

std::vector<std::string> fields_of(std::string_view line, const std::string &separator) {
  std::vector<std::string> out;
  if (separator.empty() || separator == " ") {
    for (std::size_t at = line.find_first_not_of(" \t"); at < line.size();) {
      const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
      out.emplace_back(line.substr(at, end - at));
      at = line.find_first_not_of(" \t", end);
    }
    return out;
  }
  for (std::size_t at = 0;;) {
    const std::size_t end = std::min(line.find(separator, at), line.size());
    out.emplace_back(line.substr(at, end - at));
    if (end >= line.size()) return out;
    at = end + separator.size();
  }
}

std::optional<std::string> option_value(const Words &words, std::size_t &at, char letter, std::string_view name) {
  const std::string &word = words[at];
  const std::string small = std::string("-") + letter, large = "--" + std::string(name);
  if (word.starts_with(large + "=")) return word.substr(large.size() + 1);
  if (word == small || word == large) return at + 1 < words.size() ? std::optional(words[++at]) : std::nullopt;
  if (word.size() > 2 && word.starts_with(small) && word[1] != '-') return word.substr(2);
  return std::nullopt;
}

}  // namespace ferry::qemu::shell
