// SPDX-License-Identifier: Apache-2.0
#include "importers/qemu/shell_regex.hpp"

#include <array>
#include <cctype>

namespace ferry::qemu::shell {
namespace {

constexpr std::size_t kMostSearchSteps = 200'000;  // of one search
constexpr std::size_t kMostItems = 200;            // of one expression: matching goes as deep

unsigned char byte(char c) { return static_cast<unsigned char>(c); }

struct NamedClass {
  std::string_view name;
  int (*is)(int);
};
constexpr std::array kClasses{
    NamedClass{"[:digit:]", std::isdigit}, NamedClass{"[:alpha:]", std::isalpha}, NamedClass{"[:alnum:]", std::isalnum},
    NamedClass{"[:space:]", std::isspace}, NamedClass{"[:upper:]", std::isupper}, NamedClass{"[:lower:]", std::islower},
    NamedClass{"[:blank:]", std::isblank}, NamedClass{"[:punct:]", std::ispunct},
};

}  // namespace

std::optional<std::bitset<256>> bracket_set(std::string_view pattern, std::size_t &at) {
  std::bitset<256> out;
  const bool inverse = at < pattern.size() && pattern[at] == '^';
  if (inverse) ++at;
  for (bool first = true; at < pattern.size(); first = false) {
    if (pattern[at] == ']' && !first) {
      ++at;
      return inverse ? ~out : out;
    }
    bool named = false;
    for (const NamedClass &one : kClasses) {
      if (!pattern.substr(at).starts_with(one.name)) continue;
      for (int c = 0; c < 128; ++c) {
        if (one.is(c) != 0) out.set(static_cast<std::size_t>(c));
      }
      at += one.name.size();
      named = true;
    }
    if (named) continue;
    if (at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
      for (unsigned c = byte(pattern[at]); c <= byte(pattern[at + 2]); ++c) out.set(c);
      at += 3;
    } else {
      out.set(byte(pattern[at++]));
    }
  }
  return std::nullopt;
}

std::optional<Regex> Regex::parse(std::string_view pattern, bool extended, bool ignore_case) {
  Regex out;
  for (std::size_t at = 0; at < pattern.size();) {
    const char c = pattern[at++];
    Item item;
    if (c == '^' && at == 1) {
      out.at_begin_ = true;
      continue;
    }
    if (c == '$' && at == pattern.size()) {
      out.at_end_ = true;
      continue;
    }
    if (c == '.') {
      item.characters.set();
    } else if (c == '[') {
      const auto set = bracket_set(pattern, at);
      if (!set) return std::nullopt;
      item.characters = *set;
    } else if (c == '\\') {
      if (at == pattern.size()) return std::nullopt;
      const char next = pattern[at++];
      if (next == 's') {
        for (const char blank : {' ', '\t', '\n', '\r'}) item.characters.set(byte(blank));
      } else if (next == 't') {
        item.characters.set(byte('\t'));
      } else if (next == 'n') {
        item.characters.set(byte('\n'));
      } else if (std::isalnum(byte(next)) != 0 || (!extended && std::string_view("(){}|+?").find(next) < 7)) {
        return std::nullopt;  // groups and their like
      } else {
        item.characters.set(byte(next));
      }
    } else if (extended && std::string_view("(){}|+?").find(c) < 7) {
      return std::nullopt;
    } else if (c == '*') {
      if (!out.items_.empty()) return std::nullopt;  // a* *: nobody writes it
      item.characters.set(byte(c));
    } else {
      item.characters.set(byte(c));
    }
    if (ignore_case) {
      for (int letter = 'a'; letter <= 'z'; ++letter) {
        const auto small = static_cast<std::size_t>(letter), large = small - 'a' + 'A';
        if (item.characters[small] || item.characters[large]) item.characters.set(small).set(large);
      }
    }
    const bool escaped = !extended && pattern.substr(at, 1) == "\\";
    const char count = at + (escaped ? 1 : 0) < pattern.size() ? pattern[at + (escaped ? 1 : 0)] : '\0';
    if (!escaped && count == '*') {
      item.least = 0;
      item.many = true;
      ++at;
    } else if ((extended || escaped) && (count == '+' || count == '?')) {
      item.least = count == '+' ? 1 : 0;
      item.many = count == '+';
      at += escaped ? 2 : 1;
    }
    out.items_.push_back(item);
    if (out.items_.size() > kMostItems) return std::nullopt;
  }
  return out;
}

std::optional<std::size_t> Regex::match_from(std::string_view text, std::size_t at, std::size_t item,
                                             std::size_t &steps) const {
  if (++steps > kMostSearchSteps) return std::nullopt;
  if (item == items_.size()) return at_end_ && at != text.size() ? std::nullopt : std::optional(at);
  const Item &one = items_[item];
  std::size_t most = 0;
  while (at + most < text.size() && one.characters[byte(text[at + most])] && (one.many || most == 0)) ++most;
  for (std::size_t count = most;; --count) {
    if (count < one.least) return std::nullopt;
    if (const auto end = match_from(text, at + count, item + 1, steps)) return end;
    if (count == 0) return std::nullopt;
  }
}

Regex::Result Regex::search(std::string_view text, std::size_t from, Match &match) const {
  std::size_t steps = 0;
  for (std::size_t at = from; at <= text.size(); ++at) {
    if (at_begin_ && at > 0) break;
    if (const auto end = match_from(text, at, 0, steps)) {
      match = {at, *end};
      return Result::found;
    }
    if (steps > kMostSearchSteps) return Result::too_much;
  }
  return Result::none;
}

}  // namespace ferry::qemu::shell
