// SPDX-License-Identifier: Apache-2.0
// Words of a script become values.
#include <algorithm>

#include "importers/qemu/shell_reader.hpp"

#include "support/text.hpp"

namespace ferry::qemu::shell {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

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
  void split(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      if (is_blank(text[at])) {
        finish();
        while (at < text.size() && is_blank(text[at])) ++at;
        continue;
      }
      std::size_t end = at;
      while (end < text.size() && !is_blank(text[end])) ++end;
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
  const std::filesystem::path base = state_.folder ? std::filesystem::path(*state_.folder) : main_file_.parent_path();
  return (base / path).lexically_normal().string();
}

std::vector<Field> Reader::expand(const std::vector<Word> &words) {
  std::vector<Field> out;
  for (const Word &word : words) expand(word, out);
  return out;
}

void Reader::expand(const Word &word, std::vector<Field> &out) {
  charge(word.parts.size());
  Fields fields{out, word.line};
  const std::size_t before = out.size();
  bool first = true, any_quoted = false;
  for (const Part &part : word.parts) {
    any_quoted = any_quoted || part.quoted;
    if (part.kind == Part::Kind::literal) {
      const auto home = options_.environment.find("HOME");
      const bool tilde = first && !part.quoted && (part.text == "~" || part.text.starts_with("~/"));
      fields.add(tilde && home != options_.environment.end() ? home->second + part.text.substr(1) : part.text);
    } else {
      const std::vector<Field> values = value_of(part, word.line);
      const bool list =
          part.kind == Part::Kind::variable && (part.text == "@" || part.index == "@") && part.operation != "length";
      std::size_t bytes = 0;
      for (const Field &value : values) bytes += value.text.size();
      charge(bytes);
      if (list || !part.quoted) {
        for (std::size_t i = 0; i < values.size(); ++i) {
          if (i > 0) fields.finish();
          if (list) fields.line = values[i].line;
          if (part.quoted) {
            fields.add(values[i].text);
            fields.vanishes = list && values[i].vanishes && word.parts.size() == 1;
          } else {
            fields.split(values[i].text);
          }
        }
      } else {
        fields.add(joined(values));
      }
    }
    first = false;
  }
  fields.finish();
  if (!any_quoted && out.size() == before + 1 && is_unset(out.back().text)) out.back().vanishes = true;
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
  if (name == "PWD" && state_.folder) return one(*state_.folder);
  if (name == "PWD") return one(main_file_.parent_path().string());
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
  const auto number = text::parse_u64(key);
  if (!number || *number >= variable.values.size()) return std::nullopt;
  return variable.values[*number].text;
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
  if (part.operands.empty()) return value;
  if (operation == "%" || operation == "%%") {
    return remove_match(value, expand_pattern(part.operands[0]), true, operation.size() == 2);
  }
  if (operation == "#" || operation == "##") {
    return remove_match(value, expand_pattern(part.operands[0]), false, operation.size() == 2);
  }
  if (operation == "/" || operation == "//") {
    const std::string with = part.operands.size() > 1 ? expand_one(part.operands[1]) : std::string{};
    return replace_match(value, expand_pattern(part.operands[0]), with, operation.size() == 2);
  }
  if (operation == ",," || operation == ",") return text::lower_ascii(value);
  if (operation == "^^") {
    std::string out = value;
    for (char &c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return out;
  }
  if (operation == ":") {
    const auto number = [&](std::size_t i) { return text::parse_i64(text::trim(expand_one(part.operands[i]))); };
    const auto size = static_cast<std::int64_t>(value.size());
    std::int64_t from = number(0).value_or(0);
    if (from < 0) from = std::max<std::int64_t>(0, size + from);
    from = std::min(from, size);
    std::int64_t length = part.operands.size() > 1 ? number(1).value_or(size) : size;
    if (length < 0) length = size + length - from;
    length = std::clamp<std::int64_t>(length, 0, size - from);
    return value.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(length));
  }
  return value;
}

std::string Reader::capture(const Part &part, std::uint64_t line) {
  if (!part.command || part.command->children.empty()) return {};
  if (depth_ >= kMostDepth) charge(~std::size_t{0} / 2);
  const State before = state_;
  std::string *const outer = output_;
  const bool outer_known = output_known_, outer_asking = asking_;
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
  const auto lookup = [](void *context, const std::string &name) -> std::optional<std::int64_t> {
    auto &reader = *static_cast<Reader *>(context);
    const auto found = reader.state_.variables.find(name);
    if (found == reader.state_.variables.end()) return 0;
    if (found->second.values.empty()) return 0;
    const std::string &text = found->second.values.front().text;
    return text.empty() ? std::optional<std::int64_t>(0) : text::parse_i64(text);
  };
  if (numbers.empty()) {
    if (const auto value = compute(expression, lookup, this)) return std::to_string(*value);
  }
  const Open::Kind kind = numbers.empty() ? Open::Kind::command : opens_[numbers.front()].kind;
  const std::string name = numbers.empty() ? "line-" + std::to_string(line) : opens_[numbers.front()].name;
  return open(kind, name, "$((" + part.text + "))", line);
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
      charge(values.size());
    }
    assign(assignment.name, std::move(values), true);
    return;
  }
  Field value{expand_one(assignment.values.front()), assignment.line};
  if (assignment.index) {
    if (options_.set.contains(assignment.name)) return;
    Variable &variable = state_.variables[assignment.name];
    std::string key = *assignment.index;
    if (key.size() >= 2 && (key.front() == '"' || key.front() == '\'')) key = key.substr(1, key.size() - 2);
    const auto number = text::parse_u64(key);
    if (number && *number < variable.values.size()) {
      variable.values[*number] = std::move(value);
    } else if (number && *number == variable.values.size()) {
      variable.values.push_back(std::move(value));
    } else {
      variable.named[key] = std::move(value);
    }
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
  for (const Field &value : values) {
    if (value.text.size() > kMostText) charge(~std::size_t{0} / 2);
    // What a command prints is called by the variable that gets it.
    const auto numbers = opens_in(value.text);
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
