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
  bool any_quoted = false;
  bool empty_quotes = false, empty_list = false;  // "" is a word; "$@" is none where there are no arguments
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

// Home, where a word begins with a tilde, or what looks like an assignment has one behind its sign: "file=~/x". That is
// bash's own, and no other shell's.
std::string Reader::with_home(const std::string &text, bool in_command) const {
  const auto home = options_.environment.find("HOME");
  if (home == options_.environment.end()) return text;
  std::size_t at = 0;
  if (in_command && is_bash_ && !text.starts_with('~')) {
    const std::size_t sign = text.find('=');
    const bool name = sign != std::string::npos && sign > 0 && std::isdigit(static_cast<unsigned char>(text[0])) == 0 &&
                      std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(sign),
                                  [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
    if (name) at = sign + 1;
  }
  const bool tilde = text.compare(at, 1, "~") == 0 && (text.size() == at + 1 || text[at + 1] == '/');
  return tilde ? text.substr(0, at) + home->second + text.substr(at + 1) : text;
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
  expand_parts(word, fields, false);
  if (fields.empty_quotes && !fields.empty_list && !fields.there && out.size() == before) fields.add("");
  fields.finish();
  for (std::size_t i = before; i < out.size() && !fields.any_quoted; ++i) {
    if (is_unset(out[i].text)) out[i].vanishes = true;
  }
}

// `inner`: what ${name:+words} stands for, which is split where it is not quoted.
void Reader::expand_parts(const Word &word, Fields &fields, bool inner) {
  bool first = !inner;
  for (const Part &part : word.parts) {
    fields.any_quoted = fields.any_quoted || part.quoted;
    if (part.kind == Part::Kind::literal) {
      if (part.text.empty()) {
        fields.empty_quotes = true;
        if (inner) fields.add("");
      } else if (inner && !part.quoted) {
        fields.split(part.text, separators());
      } else {
        fields.add(first && !part.quoted ? with_home(part.text, true) : part.text);
      }
      first = false;
      continue;
    }
    first = false;
    if (const Word *words = part.quoted ? nullptr : alternative(part, word.line)) {
      if (depth_ >= kMostDepth) charge(~std::size_t{0} / 2);
      ++depth_;
      expand_parts(*words, fields, true);
      --depth_;
      continue;
    }
    // zsh splits no value, and gives a list's without brackets; what is empty is no word.
    const bool whole = is_zsh_ && part.kind == Part::Kind::variable && !part.quoted;
    Part named = part;
    if (whole && !part.index && part.operation.empty() && is_list(part.text)) named.index = "@";
    std::vector<Field> values = value_of(named, word.line);
    if (whole) std::erase_if(values, [](const Field &value) { return value.text.empty(); });
    const bool list =
        part.kind == Part::Kind::variable && (part.text == "@" || named.index == "@") && part.operation != "length";
    std::size_t bytes = 0;
    for (const Field &value : values) bytes += value.text.size() + sizeof(Field);
    charge(bytes);
    fields.empty_list = fields.empty_list || (list && values.empty());
    if (!list && part.quoted) {
      fields.add(joined_value(part, values));
      continue;
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) fields.finish();
      if (list) fields.line = values[i].line;
      if (part.quoted || whole) {
        fields.add(values[i].text);
        fields.vanishes = list && values[i].vanishes && word.parts.size() == 1;
      } else {
        fields.split(values[i].text, separators());
      }
    }
  }
}

bool Reader::is_list(const std::string &name) const {
  const auto found = state_.variables.find(name);
  return found != state_.variables.end() && found->second.array;
}

// "$*" and "${list[*]}" have the first of IFS between the values.
std::string Reader::joined_value(const Part &part, const std::vector<Field> &values) const {
  const bool star = part.kind == Part::Kind::variable && (part.text == "*" || part.index == "*");
  if (!star) return joined(values);
  const auto found = state_.variables.find("IFS");
  const bool set = found != state_.variables.end() && !found->second.values.empty();
  const std::string between = set ? found->second.values.front().text.substr(0, 1) : " ";
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : between) + values[i].text;
  return out;
}

std::string Reader::expand_one(const Word &word) {
  std::string out;
  bool first = true;
  for (const Part &part : word.parts) {
    if (part.kind == Part::Kind::literal) {
      out += first && !part.quoted ? with_home(part.text, false) : part.text;
    } else {
      out += joined_value(part, value_of(part, word.line));
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

}  // namespace ferry::qemu::shell
