// SPDX-License-Identifier: Apache-2.0
// Arithmetic, and what assignments leave in variables.
#include <algorithm>
#include <utility>

#include "importers/qemu/shell_reader.hpp"

#include "support/text.hpp"

namespace ferry::qemu::shell {
namespace {

// [key]=value in an array's brackets.
std::optional<std::pair<std::string, Word>> keyed(const Word &word) {
  if (word.parts.empty() || word.parts.front().quoted || !word.parts.front().text.starts_with('[')) return std::nullopt;
  std::string key;
  for (std::size_t i = 0; i < word.parts.size() && word.parts[i].kind == Part::Kind::literal; ++i) {
    const std::string &text = word.parts[i].text;
    const std::size_t close = word.parts[i].quoted ? std::string::npos : text.find("]=");
    if (close == std::string::npos) {
      key += text;
      continue;
    }
    key += text.substr(0, close);
    Word value{.parts = {word.parts.begin() + static_cast<std::ptrdiff_t>(i), word.parts.end()}, .line = word.line};
    value.parts.front().text = text.substr(close + 2);
    return std::pair{key.substr(1), std::move(value)};
  }
  return std::nullopt;
}

}  // namespace

std::string Reader::calculate(const Part &part, std::uint64_t line) {
  const std::string expression = expand_one(part.operands.front());
  const auto numbers = opens_in(expression);
  if (numbers.empty()) {
    if (const auto value = calculate_statement(expression, line)) return std::to_string(*value);
  }
  const Open::Kind kind = numbers.empty() ? Open::Kind::command : opens_[numbers.front()].kind;
  const std::string name = numbers.empty() ? "line-" + std::to_string(line) : opens_[numbers.front()].name;
  return open(kind, name, "$((" + part.text + "))", line);
}

std::optional<std::int64_t> Reader::value_in(std::string_view expression) {
  const auto lookup = [](void *context, const std::string &name) -> std::optional<std::int64_t> {
    auto &reader = *static_cast<Reader *>(context);
    const auto found = reader.state_.variables.find(name);
    if (found == reader.state_.variables.end()) return 0;
    if (found->second.values.empty()) return 0;
    const std::string &text = found->second.values.front().text;
    return text.empty() ? std::optional<std::int64_t>(0) : text::parse_i64(text);
  };
  return compute(expression, lookup, this);
}

std::optional<std::int64_t> Reader::calculate_statement(const std::string &text, std::uint64_t line) {
  std::string_view rest = text::trim(text);
  // a = 1, b = 2: the last one's value is the whole's.
  if (const std::size_t comma = rest.find(','); comma != std::string_view::npos && rest.find('(') > comma) {
    charge(rest.size());
    (void)calculate_statement(std::string(rest.substr(0, comma)), line);
    return calculate_statement(std::string(rest.substr(comma + 1)), line);
  }
  const auto name_at = [](std::string_view from) {
    std::size_t end = 0;
    while (end < from.size() && (std::isalnum(static_cast<unsigned char>(from[end])) != 0 || from[end] == '_')) ++end;
    return end > 0 && std::isdigit(static_cast<unsigned char>(from[0])) == 0 ? std::string(from.substr(0, end)) : "";
  };
  const auto set = [&](const std::string &name, std::optional<std::int64_t> value) {
    const std::string now = value ? std::to_string(*value) : open(Open::Kind::command, name, "((" + text + "))", line);
    assign(name, {{now, line}}, false);
  };
  const bool before = rest.starts_with("++") || rest.starts_with("--");
  const std::string name = name_at(before ? rest.substr(2) : rest);
  const std::string_view after = text::trim(rest.substr(std::min(rest.size(), (before ? 2 : 0) + name.size())));
  if (name.empty()) return value_in(rest);
  if (before ? after.empty() : after == "++" || after == "--") {
    const auto old = value_in(name);
    const bool up = before ? rest.front() == '+' : after.front() == '+';
    const auto now = old ? std::optional(*old + (up ? 1 : -1)) : std::nullopt;
    set(name, now);
    return before ? now : old;
  }
  const bool changes = after.size() > 2 && std::string_view("+-*/%").find(after[0]) < 5 && after[1] == '=';
  const bool assigns = after.size() > 1 && after[0] == '=' && after[1] != '=';
  if (!changes && !assigns) return value_in(rest);
  auto value = value_in(after.substr(changes ? 2 : 1));
  if (changes && value) {
    value = value_in(name + std::string(1, after[0]) + "(" + std::to_string(*value) + ")");
  }
  set(name, value);
  return value;
}

std::string Reader::resolved(const std::string &name) const {
  const auto found = state_.references.find(name);
  return found == state_.references.end() ? name : found->second;
}

void Reader::assign(const Assignment &given) {
  Assignment assignment = given;
  assignment.name = resolved(given.name);
  if (assignment.array) {
    std::vector<Field> values;
    Variable &variable = state_.variables[assignment.name];
    bool named = false;
    for (const Word &word : assignment.values) {
      if (auto entry = keyed(word)) {
        state_.variables[assignment.name].named[entry->first] = {expand_one(entry->second), word.line};
        named = true;
      } else {
        expand(word, values);
      }
    }
    if (named && values.empty()) return;
    if (assignment.append) {
      values.insert(values.begin(), variable.values.begin(), variable.values.end());
      charge(values.size() * sizeof(Field));
    }
    assign(assignment.name, std::move(values), true);
    return;
  }
  Field value{expand_one(assignment.values.front()), assignment.line};
  if (assignment.index) {
    if (options_.set.contains(assignment.name)) return;
    const std::string key = expand_one(*assignment.index);
    Variable &variable = state_.variables[assignment.name];
    const bool digits = !key.empty() && key.find_first_not_of("0123456789") == std::string::npos;
    const bool names = variable.keyed || (!variable.named.empty() && !digits);
    const auto number = names ? std::nullopt : value_in(key);
    const std::size_t size = variable.values.size();
    if (number && *number >= 0 && static_cast<std::uint64_t>(*number) < size) {
      Field &old = variable.values[static_cast<std::size_t>(*number)];
      if (assignment.append) value.text = old.text + value.text;
      old = std::move(value);
    } else if (number && static_cast<std::uint64_t>(*number) == size) {
      variable.values.push_back(std::move(value));
    } else {
      if (assignment.append) value.text = variable.named[key].text + value.text;
      variable.named[key] = std::move(value);
    }
    charge(key.size());
    variable.array = true;
    return;
  }
  if (assignment.append) {
    const auto found = state_.variables.find(assignment.name);
    if (found != state_.variables.end() && !found->second.values.empty()) {
      value.text = found->second.values.front().text + value.text;
      charge(value.text.size());
    }
  }
  assign(assignment.name, {std::move(value)}, false);
}

void Reader::assign(const std::string &given, std::vector<Field> values, bool array) {
  const std::string name = resolved(given);
  if (name == "OPTIND") {
    state_.option_word = 0;
    state_.option_letter = 1;
  }
  if (options_.set.contains(name)) return;  // the user's word stands
  for (Field &value : values) {
    if (value.text.size() > kMostText) charge(~std::size_t{0} / 2);
    const auto numbers = opens_in(value.text);
    // D="$D -hdb x" begins with nothing.
    if (!array && numbers.size() == 1 && value.text.size() > open_mark(numbers[0]).size() &&
        opens_[numbers[0]].kind == Open::Kind::unset && opens_[numbers[0]].name == name) {
      value.text = without_opens(value.text);
      continue;
    }
    // What a command prints is called by the variable that gets it.
    if (array || numbers.size() != 1 || value.text != open_mark(numbers[0])) continue;
    Open &open = opens_[numbers[0]];
    if (open.name.starts_with("line-")) open.name = name;
  }
  Variable &variable = state_.variables[name];
  variable.values = std::move(values);
  variable.named.clear();
  variable.array = array;
}

}  // namespace ferry::qemu::shell
