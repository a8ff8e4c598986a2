// SPDX-License-Identifier: Apache-2.0
// Words: quotes, escapes, variables, substitutions. Facts: the Bash Reference Manual, "Quoting" and "Shell Expansions".
#include <algorithm>
#include <array>

#include "importers/qemu/launch.hpp"
#include "importers/qemu/shell_parser.hpp"

#include "support/text.hpp"

namespace ferry::qemu::shell {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_special(char c) { return std::string_view("@*#?$!-").find(c) != std::string_view::npos; }
bool ends_word(char c) { return std::string_view(" \t\n;&|<>()").find(c) != std::string_view::npos; }

}  // namespace

Parser::Level::Level(Parser &parser) : parser_(parser) {
  if (++parser_.depth_ <= kMostDepth) return;
  --parser_.depth_;
  throw Error(ErrorKind::unsupported,
              {.where = {.file = parser_.file_, .line = parser_.line_},
               .message = "commands and quotes are nested too deeply",
               .found = "more than " + std::to_string(kMostDepth) + " levels",
               .advice = "Put the command line that the script runs into a file of its own and give that."});
}

void Parser::fail(std::uint64_t line, std::string message, std::string expected) const {
  throw Error(ErrorKind::malformed, {.where = {.file = file_, .line = line},
                                     .message = std::move(message),
                                     .expected = std::move(expected),
                                     .advice = "Correct the script, or give the command line that it runs."});
}

char Parser::take() {
  const char c = peek();
  ++at_;
  if (c == '\n') ++line_;
  return c;
}

bool Parser::accept(std::string_view what) {
  if (!looking_at(what)) return false;
  for (std::size_t i = 0; i < what.size(); ++i) take();
  return true;
}

void Parser::skip_blanks() {
  while (!at_end()) {
    if (peek() == ' ' || peek() == '\t') {
      take();
    } else if (looking_at("\\\n")) {
      accept("\\\n");
    } else {
      break;
    }
  }
  if (peek() == '#' && !at_end()) {
    while (!at_end() && peek() != '\n') take();
  }
}

bool Parser::at_word() const { return !at_end() && !ends_word(peek()); }

void Parser::add(Word &out, Part part) { out.parts.push_back(std::move(part)); }

void Parser::literal(Word &out, char c, bool quoted) {
  if (out.parts.empty() || out.parts.back().kind != Part::Kind::literal || out.parts.back().quoted != quoted) {
    out.parts.push_back({.kind = Part::Kind::literal, .quoted = quoted});
  }
  if (c != '\0') out.parts.back().text += c;
}

Word Parser::word() {
  if (++words_ > kMostWords) {
    throw Error(ErrorKind::unsupported,
                {.where = {.file = file_, .line = line_},
                 .message = "the script is too long to be a script that starts a machine",
                 .found = "more than " + std::to_string(kMostWords) + " words",
                 .advice = "Put the command line that it runs into a file of its own and give that."});
  }
  Word out;
  out.line = line_;
  while (!at_end()) {
    const char c = peek();
    if ((c == '<' || c == '>') && peek(1) == '(' && out.parts.empty()) {  // a process substitution: a file's name
      accept(peek() == '<' ? "<(" : ">(");
      add(out, substitution(true));
      continue;
    }
    if (c == '(' && !out.parts.empty() && out.parts.back().kind == Part::Kind::literal && !out.parts.back().quoted &&
        std::string_view("@?*+!").find(out.parts.back().text.back()) != std::string_view::npos) {
      take();  // an extended pattern: @(a|b)
      for (const char in : "(" + raw_until('(', ')') + ")") literal(out, in, false);
      take();
      continue;
    }
    if (ends_word(c)) break;
    if (c == '\\') {
      escaped(out);
    } else if (c == '\'') {
      take();
      single_quoted(out);
    } else if (c == '"') {
      take();
      quoted_text(out);
    } else if (c == '$') {
      dollar(out, false);
    } else if (c == '`') {
      backquoted(out, false);
    } else {
      literal(out, take(), false);
    }
  }
  return out;
}

void Parser::escaped(Word &out) {
  const std::uint64_t line = line_;
  take();
  if (at_end()) return;  // a backslash at the very end joins nothing
  if (peek() == '\n') {
    take();
    return;
  }
  if (peek() == ' ' || peek() == '\t') {
    std::size_t end = at_;
    while (end < text_.size() && (text_[end] == ' ' || text_[end] == '\t')) ++end;
    if (end < text_.size() && text_[end] == '\n') broken_lines_.push_back(line);
  }
  literal(out, take(), true);
}

void Parser::single_quoted(Word &out) {
  const std::uint64_t since = line_;
  literal(out, '\0', true);
  while (!at_end() && peek() != '\'') literal(out, take(), true);
  if (at_end()) fail(since, "a quote is opened and never closed", "'");
  take();
}

// What a backslash in $'...' stands for (Bash Reference Manual, "ANSI-C Quoting"). Bytes that mark what is open, and
// NUL, which no word can hold, are left out.
std::string Parser::ansi_escape() {
  constexpr std::array<std::pair<char, char>, 10> kNamed = {{{'n', '\n'},
                                                             {'t', '\t'},
                                                             {'r', '\r'},
                                                             {'a', '\a'},
                                                             {'b', '\b'},
                                                             {'f', '\f'},
                                                             {'v', '\v'},
                                                             {'e', '\x1b'},
                                                             {'E', '\x1b'},
                                                             {'?', '?'}}};
  const auto number = [&](unsigned base, unsigned most) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < most; ++i) {
      const char c = peek();
      const unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                             : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10)
                             : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A' + 10)
                                                    : base;
      if (digit >= base) break;
      value = value * base + digit;
      take();
    }
    return value;
  };
  const char c = peek();
  std::string out;
  if (c >= '0' && c <= '7') {
    out = std::string(1, static_cast<char>(number(8, 3)));
  } else if (c == 'x') {
    take();
    out = std::string(1, static_cast<char>(number(16, 2)));
  } else if (c == 'u' || c == 'U') {
    take();
    const std::uint32_t code = number(16, c == 'u' ? 4 : 8);
    text::append_utf8(out, code <= 0x10FFFF ? code : 0xFFFD);
  } else {
    const auto *const named =
        std::find_if(kNamed.begin(), kNamed.end(), [&](const auto &one) { return one.first == c; });
    take();
    if (named == kNamed.end()) return c == '\\' || c == '\'' || c == '"' ? std::string(1, c) : std::string{'\\', c};
    out.assign(1, named->second);
  }
  std::erase_if(out, [](char one) { return one == '\0' || one == kOpenBegin || one == kOpenEnd; });
  return out;
}

void Parser::ansi_quoted(Word &out) {
  const std::uint64_t since = line_;
  literal(out, '\0', true);
  while (!at_end() && peek() != '\'') {
    const char c = take();
    for (const char one : c == '\\' && !at_end() ? ansi_escape() : std::string(1, c)) literal(out, one, true);
  }
  if (at_end()) fail(since, "a quote is opened and never closed", "'");
  take();
}

void Parser::expanded_text(Word &out, std::string_view escaped) {
  const char c = peek();
  if (c == '\\') {
    take();
    const char next = peek();
    if (next == '\n') {
      take();
    } else if (next != '\0' && escaped.find(next) != std::string_view::npos) {
      literal(out, take(), true);
    } else {
      literal(out, '\\', true);
    }
  } else if (c == '$') {
    dollar(out, true);
  } else if (c == '`') {
    backquoted(out, true);
  } else {
    literal(out, take(), true);
  }
}

void Parser::quoted_text(Word &out) {
  const Level level(*this);
  const std::uint64_t since = line_;
  literal(out, '\0', true);  // "" is a word
  while (!at_end() && peek() != '"') expanded_text(out, R"($`"\)");
  if (at_end()) fail(since, "a quote is opened and never closed", "\"");
  take();
}

void Parser::dollar(Word &out, bool quoted) {
  if (looking_at("$((")) {
    accept("$((");
    add(out, arithmetic(quoted));
  } else if (looking_at("$(")) {
    accept("$(");
    add(out, substitution(quoted));
  } else if (looking_at("$[")) {
    accept("$[");
    add(out, old_arithmetic(quoted));
  } else if (looking_at("${")) {
    accept("${");
    add(out, parameter(quoted));
  } else if (!quoted && looking_at("$'")) {
    accept("$'");
    ansi_quoted(out);
  } else if (!quoted && looking_at("$\"")) {
    accept("$\"");
    quoted_text(out);
  } else if (is_name_start(peek(1))) {
    take();
    Part part{.kind = Part::Kind::variable, .quoted = quoted};
    while (is_name(peek())) part.text += take();
    add(out, std::move(part));
  } else if (is_digit(peek(1)) || is_special(peek(1))) {
    take();
    add(out, {.kind = Part::Kind::variable, .quoted = quoted, .text = std::string(1, take())});
  } else {
    literal(out, take(), quoted);
  }
}

void Parser::backquoted(Word &out, bool quoted) {
  const std::uint64_t since = line_;
  take();
  std::string inner;
  while (!at_end() && peek() != '`') {
    char c = take();
    if (c == '\\' && (peek() == '`' || peek() == '\\' || peek() == '$')) c = take();
    inner += c;
  }
  if (at_end()) fail(since, "a command substitution is opened and never closed", "`");
  take();
  const Level level(*this);
  Parser nested(inner, file_);
  nested.line_ = since;
  nested.depth_ = depth_;
  nested.words_ = words_;
  Part part{.kind = Part::Kind::command, .quoted = quoted, .text = inner};
  part.command = std::make_shared<Node>(nested.list());
  if (!nested.at_end()) nested.fail(nested.line_, "a command substitution cannot be read", "a command");
  words_ = nested.words_;
  add(out, std::move(part));
}

Part Parser::substitution(bool quoted) {
  const Level level(*this);
  const std::uint64_t since = line_;
  const std::size_t start = at_;
  Part part{.kind = Part::Kind::command, .quoted = quoted};
  part.command = std::make_shared<Node>(list());
  if (peek() != ')' || at_end()) fail(since, "a command substitution is opened and never closed", ")");
  part.text = std::string(text_.substr(start, at_ - start));
  take();
  return part;
}

std::string Parser::raw_until(char open, char close) {
  const std::uint64_t since = line_;
  std::string out;
  unsigned inside = 0;
  while (!at_end()) {
    if (peek() == close && inside == 0) return out;
    if (peek() == open) ++inside;
    if (peek() == close) --inside;
    out += take();
  }
  fail(since, "an opened bracket is never closed", std::string(1, close));
}

Part Parser::arithmetic(bool quoted) {
  const Level level(*this);
  const std::uint64_t since = line_;
  std::string inside = raw_until('(', ')');
  if (!accept("))")) fail(since, "an arithmetic expression is opened and never closed", "))");
  return expression(std::move(inside), since, quoted);
}

// $[1 + 2], as old scripts have it.
Part Parser::old_arithmetic(bool quoted) {
  const Level level(*this);
  const std::uint64_t since = line_;
  std::string inside = raw_until('[', ']');
  take();
  return expression(std::move(inside), since, quoted);
}

Part Parser::expression(std::string text, std::uint64_t line, bool quoted) {
  Part part{.kind = Part::Kind::arithmetic, .quoted = quoted, .text = std::move(text)};
  part.operands.push_back(inner_word(part.text, line));
  return part;
}

// A whole text in which only variables and substitutions are something else: quotes are characters.
Word Parser::here_words() {
  const Level level(*this);
  Word out;
  out.line = line_;
  while (!at_end()) expanded_text(out, R"($`\)");
  return out;
}

// Text inside of something else, as between double quotes.
Word Parser::inner_word(const std::string &text, std::uint64_t line) {
  Parser nested(text, file_);
  nested.line_ = line;
  nested.depth_ = depth_;
  nested.words_ = words_;
  Word out = nested.operand(true, "");
  words_ = nested.words_;
  return out;
}

Part Parser::parameter(bool quoted) {
  const Level level(*this);
  const std::uint64_t since = line_;
  Part part{.kind = Part::Kind::variable, .quoted = quoted};
  if (peek() == '#' && peek(1) != '}') {
    take();
    part.operation = "length";
  } else if (peek() == '!' && is_name_start(peek(1))) {
    take();
    part.operation = "keys";
  }
  if (is_special(peek())) {
    part.text = std::string(1, take());
  } else {
    while (is_name(peek())) part.text += take();
  }
  if (part.operation == "keys" && (peek() == '@' || peek() == '*') && peek(1) == '}') {
    part.operation = "names";  // of all variables that begin so
    part.index = std::string(1, take());
  }
  if (peek() == '[') {
    take();
    part.index = raw_until('[', ']');
    take();
  }
  if (peek() != '}' && part.operation.empty()) operation(part);
  if (!accept("}")) fail(since, "a variable's braces cannot be read", "}");
  return part;
}

void Parser::operation(Part &part) {
  constexpr std::array<std::string_view, 24> kOperations = {":-", ":=", ":+", ":?", "%%", "##", "//", "/#",
                                                            "/%", "^^", ",,", "-",  "=",  "+",  "?",  "%",
                                                            "#",  "/",  "^",  ",",  "@",  ":",  "",   ""};
  for (const std::string_view name : kOperations) {
    if (name.empty() || !accept(name)) continue;
    part.operation = std::string(name);
    break;
  }
  if (part.operation.empty()) return;
  const bool replace = part.operation.front() == '/';
  const bool slice = part.operation == ":";
  // A pattern is one between double quotes too.
  const bool pattern = replace || part.operation.front() == '%' || part.operation.front() == '#';
  part.operands.push_back(operand(part.quoted && !pattern, replace ? "/}" : slice ? ":}" : "}"));
  if ((replace && accept("/")) || (slice && accept(":"))) part.operands.push_back(operand(part.quoted, "}"));
}

// Text up to a character of `stops` that is neither quoted nor inside an expansion; to the end when there is none.
Word Parser::operand(bool quoted, std::string_view stops) {
  Word out;
  out.line = line_;
  while (!at_end() && stops.find(peek()) == std::string_view::npos) {
    const char c = peek();
    if (c == '\\') {
      take();
      if (peek() == '\n') {
        take();
      } else if (!at_end()) {
        literal(out, take(), true);
      }
    } else if (c == '\'' && !quoted) {
      take();
      single_quoted(out);
    } else if (c == '"') {
      take();
      quoted_text(out);
    } else if (c == '$') {
      dollar(out, quoted);
    } else if (c == '`') {
      backquoted(out, quoted);
    } else {
      literal(out, take(), quoted);
    }
  }
  return out;
}

}  // namespace ferry::qemu::shell
