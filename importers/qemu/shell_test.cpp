// SPDX-License-Identifier: Apache-2.0
// test, [ ] and [[ ]]: decided where constants decide, unknown where files or commands would.
#include <string_view>

#include "importers/qemu/shell_reader.hpp"
#include "importers/qemu/shell_regex.hpp"

#include "support/text.hpp"

namespace ferry::qemu::shell {

struct Reader::Tester {
  struct Token {
    std::string text;     // may hold open values
    std::string pattern;  // of the right side of == in [[ ]]
    bool is_operator = false;
  };

  const Reader &reader;
  std::vector<Token> tokens;
  bool patterns = false;
  std::size_t at = 0;
  unsigned depth = 0;

  [[nodiscard]] bool more() const { return at < tokens.size(); }
  [[nodiscard]] const std::string &text(std::size_t ahead = 0) const { return tokens[at + ahead].text; }

  Answer any() {
    Answer answer = all();
    while (more() && (text() == "||" || text() == "-o")) {
      ++at;
      const Answer other = all();
      if (answer != Answer::yes) answer = other == Answer::no ? answer : other;
    }
    return answer;
  }

  Answer all() {
    Answer answer = one();
    while (more() && (text() == "&&" || text() == "-a")) {
      ++at;
      const Answer other = one();
      if (answer != Answer::no) answer = other == Answer::yes ? answer : other;
    }
    return answer;
  }

  Answer one() {
    if (!more() || ++depth > kMostDepth) return Answer::unknown;
    if (text() == "!") {
      ++at;
      const Answer answer = !one();
      --depth;
      return answer;
    }
    Answer answer = Answer::unknown;
    if (text() == "(") {
      ++at;
      answer = any();
      if (more() && text() == ")") ++at;
    } else if (at + 2 < tokens.size() && is_binary(text(1))) {
      answer = compare(tokens[at], text(1), tokens[at + 2]);
      at += 3;
    } else if (at + 1 < tokens.size() && text().size() == 2 && text()[0] == '-' && text(1) != "]") {
      answer = unary(text()[1], text(1));
      at += 2;
    } else {
      answer = empty(text(), false);
      ++at;
    }
    --depth;
    return answer;
  }

  static bool is_binary(std::string_view name) {
    for (const std::string_view known :
         {"=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "=~", "<", ">", "-nt", "-ot", "-ef"}) {
      if (name == known) return true;
    }
    return false;
  }

  // Whether the text is empty (`wanted`) or not.
  [[nodiscard]] Answer empty(const std::string &value, bool wanted) const {
    const auto known = reader.decided(value);
    if (known) return answer_of(known->empty() == wanted);
    if (!without_opens(value).empty()) return answer_of(!wanted);
    return Answer::unknown;
  }

  [[nodiscard]] Answer unary(char name, const std::string &value) const {
    if (name == 'z') return empty(value, true);
    if (name == 'n') return empty(value, false);
    if (name == 'v') return answer_of(reader.state_.variables.contains(value));
    return Answer::unknown;  // of files
  }

  [[nodiscard]] Answer compare(const Token &left, const std::string &name, const Token &right) const {
    const auto a = reader.decided(left.text), b = reader.decided(right.text);
    if (!a || !b) return Answer::unknown;
    if (name == "=~") {
      const bool variable = b->find('$') < b->size() - 1;  // the expression is kept as it is written
      const auto expression = variable ? std::nullopt : Regex::parse(*b, true);
      Regex::Match match;
      const auto result = expression ? expression->search(*a, 0, match) : Regex::Result::too_much;
      return result == Regex::Result::too_much ? Answer::unknown : answer_of(result == Regex::Result::found);
    }
    const bool extended = patterns && right.pattern.find('(') != std::string::npos;
    if (extended) return Answer::unknown;
    if (name == "=" || name == "==" || name == "!=") {
      const bool same = patterns ? matches(right.pattern, *a) : *a == *b;
      return answer_of(same == (name != "!="));
    }
    if (name == "<") return answer_of(*a < *b);
    if (name == ">") return answer_of(*a > *b);
    const auto x = text::parse_i64(text::trim(*a)), y = text::parse_i64(text::trim(*b));
    if (!x || !y) return Answer::unknown;
    if (name == "-eq") return answer_of(*x == *y);
    if (name == "-ne") return answer_of(*x != *y);
    if (name == "-lt") return answer_of(*x < *y);
    if (name == "-le") return answer_of(*x <= *y);
    if (name == "-gt") return answer_of(*x > *y);
    if (name == "-ge") return answer_of(*x >= *y);
    return Answer::unknown;
  }
};

Answer Reader::run_test(const std::vector<Word> &words) {
  Tester tester{.reader = *this, .patterns = true};
  for (const Word &word : words) {
    if (word.is_operator) {
      tester.tokens.push_back({word.parts.front().text, {}, true});
    } else {
      std::string value = expand_one(word);
      tester.tokens.push_back({std::move(value), expand_pattern(word), false});
    }
  }
  return tester.any();
}

Answer Reader::test_fields(const std::vector<Field> &fields) {
  Tester tester{.reader = *this};
  for (const Field &field : fields) tester.tokens.push_back({field.text, field.text, false});
  if (tester.tokens.empty()) return Answer::no;
  return tester.any();
}

}  // namespace ferry::qemu::shell
