// SPDX-License-Identifier: Apache-2.0
// Compound commands: functions, conditions, loops, choices, tests and arithmetic.
#include <algorithm>

#include "importers/qemu/shell_parser.hpp"

#include "support/text.hpp"

namespace ferry::qemu::shell {

Node Parser::function(std::uint64_t line, std::string name) {
  skip_newlines();
  Node out{.kind = Node::Kind::function, .line = line, .name = std::move(name)};
  out.children.push_back(command());
  return out;
}

Node Parser::conditional(std::uint64_t line) {
  Node out{.kind = Node::Kind::conditional, .line = line};
  for (;;) {
    Branch branch;
    branch.condition = std::make_shared<Node>(list());
    expect_keyword("then", line);
    branch.body = std::make_shared<Node>(list());
    out.branches.push_back(std::move(branch));
    if (accept_keyword("elif")) continue;
    if (accept_keyword("else")) {
      Branch last;
      last.body = std::make_shared<Node>(list());
      out.branches.push_back(std::move(last));
    }
    expect_keyword("fi", line);
    return out;
  }
}

Node Parser::body_of_loop(std::uint64_t line) {
  skip_newlines();
  accept(";");
  skip_newlines();
  if (accept_keyword("{")) {
    Node body = list();
    expect_keyword("}", line);
    return body;
  }
  expect_keyword("do", line);
  Node body = list();
  expect_keyword("done", line);
  return body;
}

Node Parser::loop(std::uint64_t line, bool until) {
  Node out{.kind = Node::Kind::loop, .line = line, .until = until};
  out.children.push_back(list());
  out.children.push_back(body_of_loop(line));
  return out;
}

Node Parser::for_each(std::uint64_t line) {
  skip_blanks();
  if (accept("((")) {
    Node out{.kind = Node::Kind::for_each, .line = line};
    const std::string head = raw_until('(', ')');
    if (!accept("))")) fail(line, "a loop's head is not finished", "))");
    for (std::size_t at = 0; at <= head.size();) {
      const std::size_t end = std::min(head.find(';', at), head.size());
      out.words.push_back(inner_word(head.substr(at, end - at), line));
      at = end + 1;
    }
    out.children.push_back(body_of_loop(line));
    return out;
  }
  Node out{.kind = Node::Kind::for_each, .line = line, .all_arguments = true};
  while (is_name(peek())) out.name += take();
  skip_newlines();
  if (accept_keyword("in")) {
    out.all_arguments = false;
    skip_blanks();
    while (at_word()) {
      out.words.push_back(word());
      skip_blanks();
    }
  }
  out.children.push_back(body_of_loop(line));
  return out;
}

Node Parser::choice(std::uint64_t line) {
  Node out{.kind = Node::Kind::choice, .line = line};
  skip_blanks();
  out.words.push_back(word());
  expect_keyword("in", line);
  for (;;) {
    skip_newlines();
    if (accept_keyword("esac")) return out;
    if (at_end()) fail(line, "a command that begins here is not finished", "\"esac\"");
    Branch branch;
    accept("(");
    for (;;) {
      skip_blanks();
      if (!at_word()) fail(line_, "a case has no pattern", "a pattern");
      branch.patterns.push_back(word());
      skip_blanks();
      if (!accept("|")) break;
    }
    if (!accept(")")) fail(line_, "a case's pattern is not finished", ")");
    branch.body = std::make_shared<Node>(list());
    out.branches.push_back(std::move(branch));
    Branch::After &after = out.branches.back().after;
    if (accept(";;&")) {
      after = Branch::After::next_pattern;
    } else if (!accept(";;") && accept(";&")) {
      after = Branch::After::next_body;
    }
  }
}

Node Parser::test(std::uint64_t line) {
  Node out{.kind = Node::Kind::test, .line = line};
  for (;;) {
    skip_newlines();
    if (at_end()) fail(line, "a test is opened and never closed", "]]");
    if (accept_keyword("]]")) return out;
    bool found = false;
    for (const std::string_view name : {"&&", "||", "(", ")", "<", ">"}) {
      if (!accept(name)) continue;
      Word sign;
      sign.line = line_;
      sign.is_operator = true;
      sign.parts.push_back({.text = std::string(name)});
      out.words.push_back(std::move(sign));
      found = true;
      break;
    }
    if (found) continue;
    if (!at_word()) fail(line_, "a test cannot be read", "]]");
    out.words.push_back(word());
    // A regular expression may hold what ends a word elsewhere: it is not looked into.
    const Word &last = out.words.back();
    if (last.parts.size() == 1 && !last.parts[0].quoted && last.parts[0].text == "=~") {
      skip_blanks();
      Word expression;
      expression.line = line_;
      while (!at_end() && peek() != '\n' && !looking_at(" ]]") && !looking_at(" &&") && !looking_at(" ||")) {
        literal(expression, take(), true);
      }
      out.words.push_back(std::move(expression));
    }
  }
}

Node Parser::arithmetic_command(std::uint64_t line) {
  accept("((");
  Node out{.kind = Node::Kind::arithmetic, .line = line};
  Word expression;
  expression.line = line;
  expression.parts.push_back(arithmetic(true));
  out.words.push_back(std::move(expression));
  redirections(out);
  return out;
}

}  // namespace ferry::qemu::shell
