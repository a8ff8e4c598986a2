// SPDX-License-Identifier: Apache-2.0
// Words of a script become values.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <utility>

#include "importers/qemu/shell_reader.hpp"

#include "support/text.hpp"

namespace ferry::qemu::shell {
namespace {

constexpr std::string_view kBlanks = " \t\n";

std::string joined(const std::vector<Field> &fields) {
  std::string out;
  for (std::size_t i = 0; i < fields.size(); ++i) out += (i == 0 ? "" : " ") + fields[i].text;
  return out;
}

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

namespace {

// The texts that "{a,b}" and "{1..3}" stand for; empty for other brackets.
std::vector<std::string> alternatives(std::string_view inside) {
  constexpr std::int64_t kMost = 1000;  // of a range
  std::vector<std::string> out;
  if (const std::size_t dots = inside.find(".."); dots != std::string_view::npos) {
    const auto first = text::parse_i64(inside.substr(0, dots)), last = text::parse_i64(inside.substr(dots + 2));
    if (!first || !last || std::abs(*last - *first) > kMost || std::abs(*first) > kMost * kMost) return out;
    for (std::int64_t i = *first;; i += *first < *last ? 1 : -1) {
      out.push_back(std::to_string(i));
      if (i == *last) return out;
    }
  }
  if (inside.find(',') == std::string_view::npos) return out;
  for (std::size_t at = 0; at <= inside.size();) {
    const std::size_t end = std::min(inside.find(',', at), inside.size());
    out.emplace_back(inside.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

// The words that a word with such brackets, outside of quotes, stands for; empty when there are none.
std::vector<Word> braces(const Word &word) {
  std::vector<Word> out;
  for (std::size_t i = 0; i < word.parts.size(); ++i) {
    const Part &part = word.parts[i];
    if (part.kind != Part::Kind::literal || part.quoted) continue;
    const std::size_t open = part.text.find('{');
    const std::size_t close = open == std::string::npos ? open : part.text.find_first_of("{}", open + 1);
    if (close == std::string::npos || part.text[close] != '}') continue;
    for (const std::string &one : alternatives(std::string_view(part.text).substr(open + 1, close - open - 1))) {
      out.push_back(word);
      out.back().parts[i].text = part.text.substr(0, open) + one + part.text.substr(close + 1);
    }
    if (!out.empty()) return out;
  }
  return out;
}

}  // namespace

// The words that one word becomes.
struct Reader::Fields {
  std::vector<Field> &out;
  std::uint64_t line = 0;
  std::string current{};
  bool there = false;

  void add(std::string_view text) {
    current += text;
    there = true;
  }
  bool vanishes = false;  // of the value that is added
  void finish() {
    if (there) out.push_back({std::move(current), line, vanishes});
    current.clear();
    there = false;
    vanishes = false;
  }
  // Blanks count once, however many there are; other separators each.
  void split(std::string_view text, std::string_view separators) {
    for (std::size_t at = 0; at < text.size();) {
      if (separators.find(text[at]) != std::string_view::npos) {
        if (kBlanks.find(text[at]) == std::string_view::npos) there = true;
        finish();
        ++at;
        while (at < text.size() && separators.find(text[at]) != std::string_view::npos &&
               kBlanks.find(text[at]) != std::string_view::npos)
          ++at;
        continue;
      }
      const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
      add(text.substr(at, end - at));
      at = end;
    }
  }
};

std::string Reader::open(Open::Kind kind, std::string name, std::string text, std::uint64_t line) {
  constexpr std::size_t kMost = 10'000;
  if (opens_.size() >= kMost) charge(opens_.size() * 1000);
  opens_.push_back({kind, std::move(name), std::move(text), {file_, line, {}}});
  return open_mark(opens_.size() - 1);
}

// What IFS holds.
std::string_view Reader::separators() const {
  const auto found = state_.variables.find("IFS");
  if (found == state_.variables.end() || found->second.values.empty()) return kBlanks;
  const std::string &text = found->second.values.front().text;
  return has_open(text) ? kBlanks : std::string_view(text);
}

bool Reader::is_unset(std::string_view text) const {
  const auto numbers = opens_in(text);
  return numbers.size() == 1 && text.size() == open_mark(numbers[0]).size() &&
         opens_.at(numbers[0]).kind == Open::Kind::unset;
}

std::optional<std::string> Reader::decided(std::string_view text) const {
  for (const std::size_t number : opens_in(text)) {
    if (opens_.at(number).kind != Open::Kind::unset) return std::nullopt;
  }
  return without_opens(text);
}

std::string Reader::absolute(const std::string &path) const {
  if (path.starts_with('/') || has_open(path)) return path;
  const std::filesystem::path base = state_.folder ? std::filesystem::path(*state_.folder) : folder_;
  return (base / path).lexically_normal().string();
}

std::vector<Field> Reader::expand(const std::vector<Word> &words) {
  std::vector<Field> out;
  for (const Word &word : words) expand(word, out);
  return out;
}

void Reader::expand(const Word &word, std::vector<Field> &out) {
  charge(word.parts.size());
  if (const std::vector<Word> several = braces(word); !several.empty()) {
    charge(several.size());
    for (const Word &one : several) expand(one, out);
    return;
  }
  Fields fields{out, word.line};
  const std::size_t before = out.size();
  bool first = true, any_quoted = false;
  bool empty_quotes = false, empty_list = false;  // "" is a word; "$@" is none where there are no arguments
  for (const Part &part : word.parts) {
    any_quoted = any_quoted || part.quoted;
    if (part.kind == Part::Kind::literal) {
      const auto home = options_.environment.find("HOME");
      const bool tilde = first && !part.quoted && (part.text == "~" || part.text.starts_with("~/"));
      if (part.text.empty()) {
        empty_quotes = true;
      } else {
        fields.add(tilde && home != options_.environment.end() ? home->second + part.text.substr(1) : part.text);
      }
    } else {
      const std::vector<Field> values = value_of(part, word.line);
      const bool list =
          part.kind == Part::Kind::variable && (part.text == "@" || part.index == "@") && part.operation != "length";
      std::size_t bytes = 0;
      for (const Field &value : values) bytes += value.text.size() + sizeof(Field);
      charge(bytes);
      empty_list = empty_list || (list && values.empty());
      if (list || !part.quoted) {
        for (std::size_t i = 0; i < values.size(); ++i) {
          if (i > 0) fields.finish();
          if (list) fields.line = values[i].line;
          if (part.quoted) {
            fields.add(values[i].text);
            fields.vanishes = list && values[i].vanishes && word.parts.size() == 1;
          } else {
            fields.split(values[i].text, separators());
          }
        }
      } else {
        fields.add(joined(values));
      }
    }
    first = false;
  }
  if (empty_quotes && !empty_list && !fields.there && out.size() == before) fields.add("");
  fields.finish();
  for (std::size_t i = before; i < out.size() && !any_quoted; ++i) {
    if (is_unset(out[i].text)) out[i].vanishes = true;
  }
}

std::string Reader::expand_one(const Word &word) {
  std::string out;
  bool first = true;
  for (const Part &part : word.parts) {
    if (part.kind == Part::Kind::literal) {
      const auto home = options_.environment.find("HOME");
      const bool tilde = first && !part.quoted && (part.text == "~" || part.text.starts_with("~/"));
      out += tilde && home != options_.environment.end() ? home->second + part.text.substr(1) : part.text;
    } else {
      out += joined(value_of(part, word.line));
    }
    first = false;
    charge(out.size() / 16 + 1);
  }
  return out;
}

std::string Reader::expand_pattern(const Word &word) {
  std::string out;
  for (const Part &part : word.parts) {
    const std::string text =
        part.kind == Part::Kind::literal ? part.text : decided(joined(value_of(part, word.line))).value_or("");
    out += part.quoted ? escaped_pattern(text) : text;
  }
  charge(out.size());
  return out;
}

std::vector<Field> Reader::value_of(const Part &part, std::uint64_t line) {
  charge(1);
  if (part.kind == Part::Kind::command) return {{capture(part, line), line}};
  if (part.kind == Part::Kind::arithmetic) return {{calculate(part, line), line}};
  return plain_value(part, line);
}

// What is stored under the name; nullopt when nothing is.
std::optional<std::vector<Field>> Reader::stored(const Part &part, std::uint64_t line) {
  const std::string &name = part.text;
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

std::vector<Field> Reader::plain_value(const Part &part, std::uint64_t line) {
  const bool list = part.text == "@" || part.text == "*" || part.index == "@" || part.index == "*";
  std::optional<std::vector<Field>> value = stored(part, line);
  const std::string &operation = part.operation;
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
  // Without arguments, and without what nobody sets, the script's own default holds.
  const std::string text = value ? joined(*value) : std::string{};
  const auto numbers = opens_in(text);
  const bool not_given =
      numbers.size() == 1 && text == open_mark(numbers[0]) &&
      (opens_[numbers[0]].kind == Open::Kind::unset || opens_[numbers[0]].kind == Open::Kind::argument);
  const bool colon = operation.starts_with(':');
  const bool absent = !value || not_given || (list && value->empty()) || (colon && text.empty());
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
    return std::vector<Field>(value->begin() + static_cast<std::ptrdiff_t>(from),
                              value->begin() + static_cast<std::ptrdiff_t>(to));
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

std::string Reader::calculate(const Part &part, std::uint64_t line) {
  const std::string expression = expand_one(part.operands.front());
  const auto numbers = opens_in(expression);
  if (numbers.empty()) {
    if (const auto value = value_in(expression)) return std::to_string(*value);
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

void Reader::assign(const Assignment &assignment) {
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

void Reader::assign(const std::string &name, std::vector<Field> values, bool array) {
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
