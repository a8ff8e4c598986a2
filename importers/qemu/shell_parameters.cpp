// SPDX-License-Identifier: Apache-2.0
// What "$name", "${name...}" and "$(...)" stand for.
#include <algorithm>
#include <cctype>
#include <utility>

#include "importers/qemu/shell_reader.hpp"

#include "support/text.hpp"

namespace ferry::qemu::shell {
namespace {

std::string written(const Part &part) {
  if (part.kind == Part::Kind::command) return "$(" + part.text + ")";
  const bool plain = part.operation.empty() && !part.index;
  return plain ? "$" + part.text
               : "${" + part.text + (part.index ? "[" + *part.index + "]" : "") + part.operation + "}";
}

// What such a command prints is another value each time.
bool is_random(std::string_view command) {
  for (const std::string_view name : {"uuid", "random", "RANDOM", "rand "}) {
    if (command.find(name) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

std::vector<Field> Reader::value_of(const Part &part, std::uint64_t line) {
  charge(1);
  if (part.kind == Part::Kind::command) return {{capture(part, line), line}};
  if (part.kind == Part::Kind::arithmetic) return {{calculate(part, line), line}};
  return plain_value(part, line);
}

// What is stored under the name; nullopt when nothing is.
std::optional<std::vector<Field>> Reader::stored(const Part &part, std::uint64_t line) {
  const std::string name = resolved(part.text);
  const auto one = [&](std::string text) { return std::vector<Field>{{std::move(text), line}}; };
  if (const auto given = options_.set.find(name); given != options_.set.end()) return one(given->second);
  if (name == "0" || name == "BASH_SOURCE") return one(main_file_.string());
  if (name == "@" || name == "*") return state_.arguments.value_or(std::vector<Field>{});
  if (name == "#") {
    if (state_.arguments) return one(std::to_string(state_.arguments->size()));
    return one(open(Open::Kind::argument, "1", "$#", line));
  }
  if (!name.empty() && name[0] >= '1' && name[0] <= '9') {
    const auto number = text::parse_u64(name);
    if (state_.arguments) {
      if (!number || *number > state_.arguments->size()) return std::nullopt;
      return one((*state_.arguments)[*number - 1].text);
    }
    const std::string actual = std::to_string(number.value_or(0) + state_.shifted);
    if (const auto given = options_.set.find(actual); given != options_.set.end()) return one(given->second);
    return one(open(Open::Kind::argument, actual, "$" + name, line));
  }
  if (name == "?") return one(open(Open::Kind::command, "line-" + std::to_string(line), "$?", line));
  if (name == "$" || name == "!" || name == "RANDOM" || name == "SRANDOM" || name == "PPID") {
    return one(open(Open::Kind::random, "line-" + std::to_string(line), "$" + name, line));
  }
  if (name == "PWD") return one(state_.folder.value_or(folder_.string()));
  const auto found = state_.variables.find(name);
  if (found == state_.variables.end()) {
    const auto known = options_.environment.find(name);
    if (known != options_.environment.end()) return one(known->second);
    return std::nullopt;
  }
  const Variable &variable = found->second;
  if (part.index == "@" || part.index == "*") {
    if (variable.named.empty()) return variable.values;
    std::vector<Field> out;
    for (const auto &[key, value] : variable.named) out.push_back(value);
    return out;
  }
  if (part.index) {
    const auto value = element(variable, *part.index);
    return value ? std::optional(one(*value)) : std::nullopt;
  }
  if (variable.values.empty()) return std::nullopt;
  return std::vector<Field>{{variable.values.front().text, line}};
}

std::optional<std::string> Reader::element(const Variable &variable, const std::string &index) {
  std::string key = index;
  if (key.starts_with('$')) {
    Part part{.kind = Part::Kind::variable, .text = key.substr(1)};
    if (part.text.starts_with('{') && part.text.ends_with('}')) part.text = part.text.substr(1, part.text.size() - 2);
    key = joined(stored(part, 0).value_or(std::vector<Field>{}));
  }
  if (key.size() >= 2 && (key.front() == '"' || key.front() == '\'')) key = key.substr(1, key.size() - 2);
  if (const auto named = variable.named.find(key); named != variable.named.end()) return named->second.text;
  const auto number = value_in(key);
  const auto size = static_cast<std::int64_t>(variable.values.size());
  if (!number || *number >= size || *number < -size) return std::nullopt;
  return variable.values[static_cast<std::size_t>(*number < 0 ? size + *number : *number)].text;
}

// Without arguments, and without what nobody sets, the script's own default holds.
bool Reader::is_absent(const Part &part, const std::optional<std::vector<Field>> &value) const {
  const bool list = part.text == "@" || part.text == "*" || part.index == "@" || part.index == "*";
  const std::string text = value ? joined(*value) : std::string{};
  const auto numbers = opens_in(text);
  const bool not_given =
      numbers.size() == 1 && text == open_mark(numbers[0]) &&
      (opens_[numbers[0]].kind == Open::Kind::unset || opens_[numbers[0]].kind == Open::Kind::argument);
  return !value || not_given || (list && value->empty()) || (part.operation.starts_with(':') && text.empty());
}

// The words that ${name:-words} or ${name:+words} stands for here; null where it is the value, or nothing.
const Word *Reader::alternative(const Part &part, std::uint64_t line) {
  const std::string &operation = part.operation;
  const bool otherwise = operation == ":-" || operation == "-", instead = operation == ":+" || operation == "+";
  if (part.kind != Part::Kind::variable || (!otherwise && !instead)) return nullptr;
  return is_absent(part, stored(part, line)) == otherwise ? &part.operands.front() : nullptr;
}

std::vector<Field> Reader::plain_value(const Part &part, std::uint64_t line) {
  const bool list = part.text == "@" || part.text == "*" || part.index == "@" || part.index == "*";
  const std::string &operation = part.operation;
  if (operation == "names") {
    std::vector<Field> names;
    for (const auto &[name, unused] : state_.variables) {
      if (name.starts_with(part.text)) names.push_back({name, line});
    }
    return names;
  }
  std::optional<std::vector<Field>> value = stored(part, line);
  if (operation == "length") {
    const std::vector<Field> values = value.value_or(std::vector<Field>{});
    if (list) return {{std::to_string(values.size()), line}};
    const auto known = decided(joined(values));
    if (!known) return {{open(Open::Kind::command, "line-" + std::to_string(line), written(part), line), line}};
    return {{std::to_string(known->size()), line}};
  }
  if (operation == "keys") {
    if (list) {
      std::vector<Field> keys;
      if (const auto found = state_.variables.find(part.text); found != state_.variables.end()) {
        for (const auto &[key, unused] : found->second.named) keys.push_back({key, line});
        for (std::size_t i = 0; i < found->second.values.size(); ++i) keys.push_back({std::to_string(i), line});
      }
      return keys;
    }
    const Part behind{.kind = Part::Kind::variable, .text = joined(value.value_or(std::vector<Field>{}))};
    value = stored(behind, line);
  }
  const bool absent = is_absent(part, value);
  if (operation == ":-" || operation == "-" || operation == ":=" || operation == "=") {
    if (!absent) return *value;
    std::string given = expand_one(part.operands.front());
    if (operation.back() == '=') assign(part.text, {{given, line}}, false);
    return {{std::move(given), line}};
  }
  if (operation == ":+" || operation == "+") {
    if (absent) return {{std::string{}, line}};
    return {{expand_one(part.operands.front()), line}};
  }
  if (!value) {
    if (list) return {};
    return {{open(Open::Kind::unset, part.text, written(part), line), line}};
  }
  if (operation.empty() || operation == ":?" || operation == "?" || operation == "keys") return *value;
  if (list && operation == ":") {
    // Of the arguments, $0 is the first.
    const bool arguments = !part.index;
    if (arguments) value->insert(value->begin(), {main_file_.string(), line});
    const auto [from, to] = slice(part, value->size());
    return {value->begin() + static_cast<std::ptrdiff_t>(from), value->begin() + static_cast<std::ptrdiff_t>(to)};
  }
  std::vector<Field> out;
  for (const Field &field : *value) out.push_back({changed(part, field.text), field.line});
  return out;
}

std::string Reader::changed(const Part &part, const std::string &value) {
  const auto numbers = opens_in(value);
  if (!numbers.empty()) {
    const Open was = opens_[numbers.front()];
    return open(was.kind, was.name, written(part), was.where.line.value_or(0));
  }
  const std::string &operation = part.operation;
  charge(value.size() * 4);
  if (part.operands.empty()) return value;
  if (operation == "%" || operation == "%%") {
    return remove_match(value, expand_pattern(part.operands[0]), true, operation.size() == 2);
  }
  if (operation == "#" || operation == "##") {
    return remove_match(value, expand_pattern(part.operands[0]), false, operation.size() == 2);
  }
  if (operation.front() == '/') {
    const std::string with = part.operands.size() > 1 ? expand_one(part.operands[1]) : std::string{};
    const std::string pattern = expand_pattern(part.operands[0]);
    if (operation == "/#" || operation == "/%") {
      const bool at_end = operation == "/%";
      if (pattern.empty()) return at_end ? value + with : with + value;
      const std::string rest = remove_match(value, pattern, at_end, true);
      return rest.size() == value.size() ? value : at_end ? rest + with : with + rest;
    }
    return replace_match(value, pattern, with, operation.size() == 2);
  }
  if (operation.front() == ',' || operation.front() == '^') {
    std::string out = value;
    for (std::size_t i = 0; i < (operation.size() == 2 ? out.size() : std::min<std::size_t>(out.size(), 1)); ++i) {
      char &c = out[i];
      if (operation.front() == ',' && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      if (operation.front() == '^' && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
  }
  if (operation == "@") {
    return expand_one(part.operands[0]) == "Q" ? quoted_text(value) : value;
  }
  if (operation == ":") {
    const auto [from, to] = slice(part, value.size());
    return value.substr(from, to - from);
  }
  return value;
}

std::pair<std::size_t, std::size_t> Reader::slice(const Part &part, std::size_t of) {
  const auto number = [&](std::size_t i) { return value_in(text::trim(expand_one(part.operands[i]))); };
  const auto size = static_cast<std::int64_t>(of);
  std::int64_t from = number(0).value_or(0);
  if (from < 0) from = std::max<std::int64_t>(0, size + from);
  from = std::min(from, size);
  std::int64_t length = part.operands.size() > 1 ? number(1).value_or(size) : size;
  if (length < 0) length = size + length - from;
  length = std::clamp<std::int64_t>(length, 0, size - from);
  return {static_cast<std::size_t>(from), static_cast<std::size_t>(from + length)};
}

std::string Reader::capture(const Part &part, std::uint64_t line) {
  if (!part.command || part.command->children.empty()) return {};
  if (depth_ >= kMostDepth) charge(~std::size_t{0} / 2);
  const State before = state_;
  std::string *const outer = output_;
  const bool outer_known = output_known_, outer_asking = asking_;
  const auto outer_missing = std::exchange(missing_, std::nullopt);
  const std::size_t launches = launches_.size();
  std::string printed;
  output_ = &printed;
  output_known_ = true;
  asking_ = false;
  ++depth_;
  run(*part.command);
  --depth_;
  const bool known = output_known_ && launches_.size() == launches;
  output_ = outer;
  output_known_ = outer_known;
  asking_ = outer_asking;
  state_ = before;
  if (flow_ != Flow::normal) flow_ = Flow::normal;
  const auto missing = std::exchange(missing_, outer_missing);
  if (!known && missing) {
    // What is made of an argument is asked for as that argument.
    const Open was = opens_[*missing];
    return open(was.kind, was.name, written(part), line);
  }
  if (!known) {
    const Open::Kind kind = is_random(part.text) ? Open::Kind::random : Open::Kind::command;
    return open(kind, "line-" + std::to_string(line), written(part), line);
  }
  while (printed.ends_with('\n')) printed.pop_back();
  return printed;
}

}  // namespace ferry::qemu::shell
