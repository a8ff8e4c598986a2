// SPDX-License-Identifier: Apache-2.0
// awk that prints fields, and sed that replaces.
#include <array>
#include <cctype>

#include "importers/qemu/shell_lines.hpp"
#include "importers/qemu/shell_regex.hpp"

#include "support/text.hpp"

namespace ferry::qemu::shell {
namespace {

// One value of awk's print: $2, $NF, NF, NR, a number, "text", side by side.
Output awk_value(std::string_view text, const std::vector<std::string> &fields, const std::string &line,
                 std::size_t number) {
  std::string out;
  while (!(text = text::trim(text)).empty()) {
    if (text.front() == '"') {
      const std::size_t end = text.find('"', 1);
      if (end == std::string_view::npos || text.substr(0, end).find('\\') != std::string_view::npos)
        return std::nullopt;
      out += text.substr(1, end - 1);
      text.remove_prefix(end + 1);
      continue;
    }
    const bool field = text.front() == '$';
    if (field) text.remove_prefix(1);
    std::size_t end = 0;
    while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) != 0)) ++end;
    const std::string_view name = text.substr(0, end);
    std::optional<std::uint64_t> value = text::parse_u64(name);
    if (name == "NF") value = fields.size();
    if (name == "NR") value = number;
    if (!value) return std::nullopt;
    if (!field) {
      out += std::to_string(*value);
    } else {
      out += *value == 0 ? line : *value <= fields.size() ? fields[*value - 1] : std::string{};
    }
    text.remove_prefix(end);
  }
  return out;
}

struct Substitution {
  Regex pattern;
  std::string with;
  bool all = false;

  [[nodiscard]] Output apply(const std::string &line) const {
    std::string out;
    std::size_t at = 0;
    while (at <= line.size()) {
      Regex::Match match;
      const Regex::Result result = pattern.search(line, at, match);
      if (result == Regex::Result::too_much) return std::nullopt;
      if (result == Regex::Result::none) break;
      out += line.substr(at, match.begin - at);
      for (std::size_t i = 0; i < with.size(); ++i) {
        if (with[i] == '\\' && i + 1 < with.size()) {
          out += with[++i] == 'n' ? '\n' : with[i];
        } else if (with[i] == '&') {
          out += line.substr(match.begin, match.end - match.begin);
        } else {
          out += with[i];
        }
      }
      at = match.end;
      if (match.end == match.begin) {  // matched nothing: goes on behind the next character
        if (at < line.size()) out += line[at];
        ++at;
      }
      if (!all) break;
    }
    if (at < line.size()) out += line.substr(at);
    return out;
  }
};

// "s/a/b/g;s/c/d/"
std::optional<std::vector<Substitution>> substitutions(std::string_view script, bool extended) {
  std::vector<Substitution> out;
  for (std::size_t at = 0; at < script.size();) {
    if (script[at] == ';' || script[at] == ' ') {
      ++at;
      continue;
    }
    if (script[at] != 's' || at + 1 >= script.size()) return std::nullopt;
    const char delimiter = script[at + 1];
    at += 2;
    std::array<std::string, 2> parts;
    for (std::string &part : parts) {
      for (; at < script.size() && script[at] != delimiter; ++at) {
        if (script[at] == '\\' && at + 1 < script.size() && script[at + 1] == delimiter) {
          ++at;
        } else if (script[at] == '\\' && at + 1 < script.size()) {
          part += script[at++];
        }
        part += script[at];
      }
      if (at++ >= script.size()) return std::nullopt;
    }
    bool all = false, ignore_case = false;
    for (; at < script.size() && script[at] != ';' && script[at] != ' '; ++at) {
      if (script[at] != 'g' && script[at] != 'I' && script[at] != 'i') return std::nullopt;
      (script[at] == 'g' ? all : ignore_case) = true;
    }
    auto pattern = Regex::parse(parts[0], extended, ignore_case);
    if (!pattern) return std::nullopt;
    out.push_back({std::move(*pattern), std::move(parts[1]), all});
  }
  return out;
}

}  // namespace

// { print ... } for all lines, for NR==N, or for those that /x/ matches.
Output awk(const Words &words, std::string_view input) {
  std::string separator, program;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (const auto given = option_value(words, i, 'F', "field-separator"); given && program.empty()) {
      separator = *given;
    } else if (program.empty() && !words[i].starts_with('-')) {
      program = words[i];
    } else {
      return std::nullopt;
    }
  }
  if (separator.size() > 1) return std::nullopt;
  const std::size_t open = program.find('{'), close = program.rfind('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return std::nullopt;
  const std::string_view condition = text::trim(std::string_view(program).substr(0, open));
  std::string_view action = text::trim(std::string_view(program).substr(open + 1, close - open - 1));
  while (action.ends_with(';')) action = text::trim(action.substr(0, action.size() - 1));
  if (!action.starts_with("print") || action.starts_with("printf")) return std::nullopt;
  action = text::trim(action.substr(5));
  if (action.empty()) action = "$0";
  std::optional<std::size_t> only;
  std::optional<Regex> matching;
  if (condition.starts_with("NR==")) {
    only = text::parse_u64(text::trim(condition.substr(4)));
    if (!only) return std::nullopt;
  } else if (condition.size() > 1 && condition.front() == '/' && condition.back() == '/') {
    matching = Regex::parse(condition.substr(1, condition.size() - 2), true);
    if (!matching) return std::nullopt;
  } else if (!condition.empty()) {
    return std::nullopt;
  }
  std::vector<std::string> out;
  std::size_t number = 0;
  for (const std::string &line : lines_of(input)) {
    ++number;
    if (only && *only != number) continue;
    Regex::Match match;
    if (matching && matching->search(line, 0, match) != Regex::Result::found) continue;
    const std::vector<std::string> fields = line.empty() ? std::vector<std::string>{} : fields_of(line, separator);
    std::string printed;
    bool first = true, quoted = false;
    for (std::size_t at = 0, begin = 0; at <= action.size(); ++at) {
      if (at < action.size() && action[at] == '"') quoted = !quoted;
      if (at < action.size() && (action[at] != ',' || quoted)) continue;
      const Output value = awk_value(action.substr(begin, at - begin), fields, line, number);
      if (!value) return std::nullopt;
      printed += (first ? "" : " ") + *value;
      first = false;
      begin = at + 1;
    }
    out.push_back(std::move(printed));
  }
  return joined_lines(out);
}

Output sed(const Words &words, std::string_view input) {
  std::vector<std::string> scripts;
  bool extended = false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "-E" || words[i] == "-r") {
      extended = true;
    } else if (words[i] == "-e" && i + 1 < words.size()) {
      scripts.push_back(words[++i]);
    } else if (!words[i].starts_with('-') && scripts.empty()) {
      scripts.push_back(words[i]);
    } else {
      return std::nullopt;
    }
  }
  std::vector<Substitution> steps;
  for (const std::string &script : scripts) {
    auto some = substitutions(script, extended);
    if (!some) return std::nullopt;
    steps.insert(steps.end(), some->begin(), some->end());
  }
  return each_line(input, [&](const std::string &line) {
    Output out = line;
    for (const Substitution &step : steps) {
      if (out) out = step.apply(*out);
    }
    return out;
  });
}

}  // namespace ferry::qemu::shell
