// SPDX-License-Identifier: Apache-2.0
#include "importers/qemu/shell_values.hpp"

#include <cctype>
#include <charconv>

#include "support/text.hpp"

namespace ferry::qemu {

bool has_open(std::string_view text) { return text.find(kOpenBegin) != std::string_view::npos; }

std::string open_mark(std::size_t number) { return kOpenBegin + std::to_string(number) + kOpenEnd; }

namespace {

template <class Replace>
std::string replace_opens(std::string_view text, Replace replace) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text[at] == kOpenBegin ? text.find(kOpenEnd, at) : std::string_view::npos;
    if (end == std::string_view::npos) {
      out += text[at++];
      continue;
    }
    out += replace(static_cast<std::size_t>(text::parse_u64(text.substr(at + 1, end - at - 1)).value_or(0)));
    at = end + 1;
  }
  return out;
}

}  // namespace

std::vector<std::size_t> opens_in(std::string_view text) {
  std::vector<std::size_t> out;
  replace_opens(text, [&](std::size_t number) {
    out.push_back(number);
    return std::string{};
  });
  return out;
}

std::string without_opens(std::string_view text, std::string_view with) {
  return replace_opens(text, [&](std::size_t) { return std::string(with); });
}

std::string shown(std::string_view text, const std::vector<Open> &opens) {
  return replace_opens(text,
                       [&](std::size_t number) { return number < opens.size() ? opens[number].text : std::string{}; });
}

}  // namespace ferry::qemu

namespace ferry::qemu::shell {

std::string joined(const std::vector<Field> &fields) {
  std::string out;
  for (std::size_t i = 0; i < fields.size(); ++i) out += (i == 0 ? "" : " ") + fields[i].text;
  return out;
}
namespace {

// One element of a pattern at `at`, against one character; moves `at` behind it.
bool matches_one(std::string_view pattern, std::size_t &at, char c) {
  if (pattern[at] == '\\' && at + 1 < pattern.size()) {
    const bool same = pattern[at + 1] == c;
    at += 2;
    return same;
  }
  if (pattern[at] == '?') {
    ++at;
    return true;
  }
  const std::size_t close = pattern[at] == '[' ? pattern.find(']', at + 2) : std::string_view::npos;
  if (close == std::string_view::npos) return pattern[at++] == c;
  std::size_t i = at + 1;
  const bool inverse = pattern[i] == '!' || pattern[i] == '^';
  if (inverse) ++i;
  bool found = false;
  for (; i < close; ++i) {
    if (i + 2 < close && pattern[i + 1] == '-') {
      found = found || (c >= pattern[i] && c <= pattern[i + 2]);
      i += 2;
    } else {
      found = found || pattern[i] == c;
    }
  }
  at = close + 1;
  return found != inverse;
}

}  // namespace

// The last * is the only one that ever has to give way, so the work is at most the product of both lengths.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
      continue;
    }
    std::size_t next = p;
    if (p < pattern.size() && matches_one(pattern, next, text[t])) {
      p = next;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string quoted_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::optional<std::string> escaped_text(std::string_view text) {
  if (text.empty()) return "''";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 0x7F) return std::nullopt;
    const bool plain = std::isalnum(byte) != 0 || byte >= 0x80 || std::string_view("-_./:=+%@").find(c) < 9;
    if (!plain) out += '\\';
    out += c;
  }
  return out;
}

std::string escaped_pattern(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("*?[]\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

namespace {

// The searches below try every part of the text: beyond this much work they leave the text as it is.
constexpr std::size_t kMostWork = 10'000'000;
bool too_much(const std::string &text, std::string_view pattern) {
  const std::size_t length = text.size() + 1;
  return length > kMostWork / length || length * length > kMostWork / (pattern.size() + 1);
}

}  // namespace

std::string remove_match(const std::string &text, std::string_view pattern, bool at_end, bool longest) {
  if (too_much(text, pattern)) return text;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const std::size_t length = longest ? text.size() - i : i;
    const std::string_view part =
        at_end ? std::string_view(text).substr(text.size() - length) : std::string_view(text).substr(0, length);
    if (matches(pattern, part)) return at_end ? text.substr(0, text.size() - length) : text.substr(length);
  }
  return text;
}

std::string replace_match(const std::string &text, std::string_view pattern, std::string_view with, bool all) {
  const bool plain = pattern.find_first_of("*?[\\") == std::string_view::npos;
  if (pattern.empty() || (!plain && too_much(text, pattern))) return text;
  std::string out;
  if (plain) {
    std::size_t at = 0;
    for (std::size_t next = text.find(pattern); next != std::string::npos; next = text.find(pattern, at)) {
      out.append(text, at, next - at);
      out += with;
      at = next + pattern.size();
      if (!all) break;
    }
    return out.append(text, at, std::string::npos);
  }
  bool done = false;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 0;
    if (!done) {
      for (std::size_t l = text.size() - at; l > 0 && length == 0; --l) {
        if (matches(pattern, std::string_view(text).substr(at, l))) length = l;
      }
    }
    if (length == 0) {
      out += text[at++];
    } else {
      out += with;
      at += length;
      done = !all;
    }
  }
  return out;
}

namespace {

// Numbers stay below this, so that no step overflows.
constexpr std::int64_t kLargest = std::int64_t{1} << 52U;

class Calculator {
 public:
  Calculator(std::string_view text, Lookup lookup, void *context) : text_(text), lookup_(lookup), context_(context) {}

  std::optional<std::int64_t> run() {
    const auto value = chosen();
    blanks();
    if (at_ != text_.size()) return std::nullopt;
    return value;
  }

 private:
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
  }
  bool accept(std::string_view what) {
    blanks();
    if (text_.substr(at_, what.size()) != what) return false;
    at_ += what.size();
    return true;
  }

  bool looking_at(std::string_view what) {
    blanks();
    return text_.substr(at_, what.size()) == what;
  }

  static std::optional<std::int64_t> shifted(std::int64_t value, std::int64_t by) {
    return value > (kLargest >> by) ? std::nullopt : bounded(value << by);
  }

  static std::optional<std::int64_t> bounded(std::int64_t value) {
    if (value > kLargest || value < -kLargest) return std::nullopt;
    return value;
  }

  // a ? b : c
  std::optional<std::int64_t> chosen() {
    if (++depth_ > 200) return std::nullopt;
    auto value = level(0);
    if (value && accept("?")) {
      const auto yes = chosen();
      const bool whole = accept(":");
      const auto no = chosen();
      value = !whole ? std::nullopt : *value != 0 ? yes : no;
    }
    --depth_;
    return value;
  }

  // 0: || &&; 1: comparisons; 2: << >>, + -; 3: * / %
  std::optional<std::int64_t> level(unsigned which) {
    if (++depth_ > 200) return std::nullopt;
    auto left = which == 4 ? single() : level(which + 1);
    while (left && which < 4) {
      const auto next = step(which, *left);
      if (!next.first) break;
      left = next.second;
    }
    --depth_;
    return left;
  }

  std::pair<bool, std::optional<std::int64_t>> step(unsigned which, std::int64_t left) {
    const auto with = [&](auto combine) -> std::pair<bool, std::optional<std::int64_t>> {
      const auto right = level(which + 1);
      if (!right) return {true, std::nullopt};
      return {true, combine(left, *right)};
    };
    using I = std::int64_t;
    using O = std::optional<std::int64_t>;
    if (which == 0) {
      if (accept("&&")) return with([](I a, I b) -> O { return a != 0 && b != 0 ? 1 : 0; });
      if (accept("||")) return with([](I a, I b) -> O { return a != 0 || b != 0 ? 1 : 0; });
    } else if (which == 1) {
      if (accept("==")) return with([](I a, I b) -> O { return a == b ? 1 : 0; });
      if (accept("!=")) return with([](I a, I b) -> O { return a != b ? 1 : 0; });
      if (accept("<=")) return with([](I a, I b) -> O { return a <= b ? 1 : 0; });
      if (accept(">=")) return with([](I a, I b) -> O { return a >= b ? 1 : 0; });
      if (looking_at("<<") || looking_at(">>")) return {false, std::nullopt};
      if (accept("<")) return with([](I a, I b) -> O { return a < b ? 1 : 0; });
      if (accept(">")) return with([](I a, I b) -> O { return a > b ? 1 : 0; });
    } else if (which == 2) {
      if (accept("<<")) return with([](I a, I b) -> O { return b < 0 || b > 50 || a < 0 ? O{} : shifted(a, b); });
      if (accept(">>")) return with([](I a, I b) -> O { return b < 0 || b > 50 || a < 0 ? O{} : O{a >> b}; });
      if (accept("+")) return with([](I a, I b) -> O { return bounded(a + b); });
      if (accept("-")) return with([](I a, I b) -> O { return bounded(a - b); });
    } else {
      if (accept("*")) {
        return with([](I a, I b) -> O {
          I product = 0;
          return __builtin_mul_overflow(a, b, &product) ? O{} : bounded(product);
        });
      }
      if (accept("/")) return with([](I a, I b) -> O { return b == 0 ? O{} : O{a / b}; });
      if (accept("%")) return with([](I a, I b) -> O { return b == 0 ? O{} : O{a % b}; });
    }
    return {false, std::nullopt};
  }

  std::optional<std::int64_t> single() {
    const auto value = primary();
    if (!value || !accept("**")) return value;
    const auto exponent = single();
    if (!exponent || *exponent < 0) return std::nullopt;
    std::optional<std::int64_t> power = 1;
    for (std::int64_t i = 0; i < *exponent && power && *value != 0 && *value != 1; ++i) {
      std::int64_t product = 0;
      power = __builtin_mul_overflow(*power, *value, &product) ? std::nullopt : bounded(product);
    }
    if (*value == 0 || *value == 1) return *exponent == 0 ? 1 : *value;
    return power;
  }

  std::optional<std::int64_t> primary() {
    if (accept("(")) {
      const auto value = chosen();
      if (!accept(")")) return std::nullopt;
      return value;
    }
    blanks();
    const bool negative = text_.substr(at_, 1) == "-", inverse = text_.substr(at_, 1) == "!";
    if (negative || inverse) {
      ++at_;
      if (++depth_ > 200) return std::nullopt;
      const auto value = single();
      --depth_;
      if (!value) return std::nullopt;
      return negative ? -*value : *value == 0 ? 1 : 0;
    }
    blanks();
    std::size_t end = at_;
    const auto in_word = [&](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    while (end < text_.size() && in_word(text_[end])) ++end;
    const std::string word(text_.substr(at_, end - at_));
    at_ = end;
    if (word.empty()) return std::nullopt;
    if (word[0] >= '0' && word[0] <= '9') {
      if (text_.substr(at_, 1) != "#") return number(word);
      end = ++at_;
      while (end < text_.size() && in_word(text_[end])) ++end;
      const std::string digits(text_.substr(at_, end - at_));
      at_ = end;
      return number_of_base(digits, word);
    }
    return lookup_(context_, word);
  }

  // 16#ff
  static std::optional<std::int64_t> number_of_base(std::string_view digits, std::string_view base) {
    const auto known = text::parse_u64(base);
    if (!known || *known < 2 || *known > 36) return std::nullopt;
    std::int64_t value = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, static_cast<int>(*known));
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return bounded(value);
  }

  // 12, 0x1f, 017
  static std::optional<std::int64_t> number(std::string_view word) {
    int base = 10;
    if (word.size() > 1 && word[0] == '0') base = word[1] == 'x' || word[1] == 'X' ? 16 : 8;
    if (base != 10) word.remove_prefix(base == 16 ? 2 : 1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
    if (word.empty() || error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
    return bounded(value);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  unsigned depth_ = 0;
  Lookup lookup_;
  void *context_;
};

}  // namespace

std::optional<std::int64_t> compute(std::string_view expression, Lookup lookup, void *context) {
  return Calculator(expression, lookup, context).run();
}

}  // namespace ferry::qemu::shell
