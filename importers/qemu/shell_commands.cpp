// SPDX-License-Identifier: Apache-2.0
// Commands: lists, pipelines, simple commands with their assignments and redirections, here documents.
#include <algorithm>
#include <array>

#include "importers/qemu/shell_parser.hpp"

#include "support/text.hpp"

namespace ferry::qemu::shell {
namespace {

// What begins a command of its own, and what ends the list that stands before it.
constexpr std::array<std::string_view, 8> kListEnds = {"then", "else", "elif", "fi", "do", "done", "esac", "}"};

}  // namespace

Script parse(std::string_view text, const std::filesystem::path &file) { return Parser(text, file).script(); }

Script Parser::script() {
  if (text_.size() > kMostText) {
    throw Error(ErrorKind::unsupported, {.where = {.file = file_},
                                         .message = "the file is too long to be a script that starts a machine",
                                         .found = text::human_bytes(text_.size()),
                                         .expected = "at most " + text::human_bytes(kMostText)});
  }
  Script out;
  out.root = list();
  if (!at_end()) fail(line_, "this is not a shell command", "a command");
  out.broken_lines = std::move(broken_lines_);
  return out;
}

void Parser::end_of_line() {
  take();
  std::vector<HereDocument> waiting;
  waiting.swap(here_documents_);
  for (const HereDocument &document : waiting) {
    bool ended = false;
    std::string inside;
    const std::uint64_t since = line_;
    while (!at_end() && !ended) {
      const std::size_t end = std::min(text_.find('\n', at_), text_.size());
      std::string_view line = text_.substr(at_, end - at_);
      while (document.strip_tabs && line.starts_with('\t')) line.remove_prefix(1);
      ended = line == document.end;
      if (!ended) inside += std::string(line) + "\n";
      at_ = end;
      if (!at_end()) take();
    }
    if (!ended) fail(document.line, "a here document has no end", "a line with " + text::printable(document.end));
    *document.text = here_text(inside, since, document.quoted);
  }
}

// Whoever reads the document may not care for what is in it: what cannot be read in it stays text.
Word Parser::here_text(const std::string &text, std::uint64_t line, bool quoted) {
  Word out;
  out.line = line;
  if (!quoted) {
    Parser nested(text, file_);
    nested.line_ = line;
    nested.depth_ = depth_;
    nested.words_ = words_;
    try {
      return nested.here_words();
    } catch (const Error &error) {
      if (error.kind() != ErrorKind::malformed) throw;
    }
  }
  out.parts.push_back({.kind = Part::Kind::literal, .quoted = true, .text = text});
  return out;
}

void Parser::skip_newlines() {
  for (;;) {
    skip_blanks();
    if (at_end() || peek() != '\n') return;
    end_of_line();
  }
}

// The unquoted word that begins here, as far as keywords reach.
std::string_view Parser::keyword() const {
  std::size_t end = at_;
  while (end < text_.size() && std::string_view(" \t\n;&|<>()\\'\"$`").find(text_[end]) == std::string_view::npos)
    ++end;
  return text_.substr(at_, end - at_);
}

bool Parser::accept_keyword(std::string_view name) {
  if (keyword() != name) return false;
  const char after = peek(name.size());
  if (std::string_view("\\'\"$`").find(after) != std::string_view::npos && after != '\0') return false;
  at_ += name.size();
  return true;
}

void Parser::expect_keyword(std::string_view name, std::uint64_t since) {
  skip_newlines();
  if (!accept_keyword(name)) {
    fail(since, "a command that begins here is not finished",
         "\"" + std::string(name) + "\" before line " + std::to_string(line_));
  }
}

bool Parser::at_list_end() const {
  if (at_end() || peek() == ')' || looking_at(";;") || looking_at(";&")) return true;
  const std::string_view here = keyword();
  return std::find(kListEnds.begin(), kListEnds.end(), here) != kListEnds.end();
}

Node Parser::list() {
  const Level level(*this);
  Node out{.kind = Node::Kind::sequence, .line = line_};
  for (;;) {
    skip_newlines();
    if (at_list_end()) return out;
    out.children.push_back(and_or());
    out.joins.push_back(Node::Join::next);
    skip_blanks();
    if (looking_at(";;") || looking_at(";&")) return out;
    if (peek() == ';' || peek() == '&') {
      take();
    } else if (at_list_end()) {
      return out;  // "fi }", "done fi": what ends a compound command needs no sign behind it
    } else if (peek() != '\n') {
      fail(line_, "this is not a shell command", "the end of the command");
    }
  }
}

Node Parser::and_or() {
  const std::size_t start = at_;
  Node out = and_or_list();
  constexpr std::size_t kShown = 80;  // bytes
  const std::string_view written = text_.substr(start, std::min(at_ - start, kShown));
  out.text = std::string(text::trim(written.substr(0, written.find('\n'))));
  return out;
}

Node Parser::and_or_list() {
  Node out{.kind = Node::Kind::sequence, .line = line_};
  out.children.push_back(pipeline());
  out.joins.push_back(Node::Join::next);
  for (;;) {
    skip_blanks();
    Node::Join join = Node::Join::and_then;
    if (accept("||")) {
      join = Node::Join::or_else;
    } else if (!accept("&&")) {
      break;
    }
    skip_newlines();
    out.children.push_back(pipeline());
    out.joins.push_back(join);
  }
  if (out.children.size() > 1) return out;
  Node only = std::move(out.children.front());
  return only;
}

Node Parser::pipeline() {
  Node out{.kind = Node::Kind::pipeline, .line = line_};
  for (;;) {
    if (accept_keyword("!")) {
      out.negated = !out.negated;
    } else if (!accept_keyword("time")) {
      break;
    }
    skip_blanks();
  }
  out.children.push_back(command());
  for (;;) {
    skip_blanks();
    if (looking_at("||") || peek() != '|' || at_end()) break;
    accept(looking_at("|&") ? "|&" : "|");
    skip_newlines();
    out.children.push_back(command());
  }
  if (out.children.size() > 1 || out.negated) return out;
  Node only = std::move(out.children.front());
  return only;
}

Node Parser::command() {
  const Level level(*this);
  skip_blanks();
  const std::uint64_t line = line_;
  Node out;
  if (looking_at("((")) {
    out = arithmetic_command(line);
  } else if (peek() == '(' && !at_end()) {
    take();
    out = {.kind = Node::Kind::group, .line = line, .subshell = true, .children = {list()}};
    if (!accept(")")) fail(line, "an opened bracket is never closed", ")");
  } else if (accept_keyword("{")) {
    out = {.kind = Node::Kind::group, .line = line, .children = {list()}};
    expect_keyword("}", line);
  } else if (accept_keyword("if")) {
    out = conditional(line);
  } else if (accept_keyword("while")) {
    out = loop(line, false);
  } else if (accept_keyword("until")) {
    out = loop(line, true);
  } else if (accept_keyword("for") || accept_keyword("select")) {
    out = for_each(line);
  } else if (accept_keyword("case")) {
    out = choice(line);
  } else if (accept_keyword("[[")) {
    out = test(line);
  } else if (accept_keyword("function")) {
    skip_blanks();
    std::string name;
    while (at_word()) name += take();
    skip_blanks();
    if (accept("(")) {
      skip_blanks();
      accept(")");
    }
    return function(line, std::move(name));
  } else {
    return simple();
  }
  redirections(out);
  return out;
}

// "name=", "name+=", "name[i]=": true when one was read.
bool Parser::assignment(Node &node) {
  std::size_t end = at_;
  if (!is_name_start(peek())) return false;
  while (end < text_.size() && is_name(text_[end])) ++end;
  Assignment out;
  out.name = std::string(text_.substr(at_, end - at_));
  out.line = line_;
  std::optional<std::string> index;
  if (end < text_.size() && text_[end] == '[') {
    std::size_t close = end;
    for (unsigned inside = 0; close < text_.size() && text_[close] != '\n'; ++close) {
      if (text_[close] == '[') ++inside;
      if (text_[close] == ']' && --inside == 0) break;
    }
    if (close >= text_.size() || text_[close] != ']') return false;
    index = std::string(text_.substr(end + 1, close - end - 1));
    end = close + 1;
  }
  if (text_.substr(end, 2) == "+=") {
    out.append = true;
    end += 2;
  } else if (text_.substr(end, 1) == "=") {
    end += 1;
  } else {
    return false;
  }
  at_ = end;
  if (index) {
    // Quotes around a name are the shell's.
    if (index->size() >= 2 && (index->front() == '"' || index->front() == '\'') && index->back() == index->front())
      index = index->substr(1, index->size() - 2);
    out.index = std::make_shared<Word>(inner_word(*index, out.line));
  }
  if (peek() == '(' && !at_end() && !out.index) {
    take();
    array_values(out);
  } else {
    out.values.push_back(word());
  }
  node.assignments.push_back(std::move(out));
  return true;
}

void Parser::array_values(Assignment &out) {
  const std::uint64_t since = line_;
  out.array = true;
  for (;;) {
    skip_newlines();
    if (at_end()) fail(since, "an array is opened and never closed", ")");
    if (accept(")")) return;
    if (!at_word()) fail(line_, "an array's values cannot be read", "a value or )");
    out.values.push_back(word());
  }
}

// ">file", "2>&1", "<<EOF": true when one was read.
bool Parser::redirection() {
  std::size_t end = at_;
  while (end < text_.size() && text_[end] >= '0' && text_[end] <= '9') ++end;
  const bool both = text_.substr(at_, 2) == "&>";
  if (both) end = at_ + 1;
  const char sign = end < text_.size() ? text_[end] : '\0';
  if (sign != '<' && sign != '>') return false;
  const std::string_view number = text_.substr(at_, end - at_);
  if (end == at_ && text_.substr(at_ + 1, 1) == "(") return false;  // a process substitution
  at_ = end;
  quiet_ = sign == '>' && (number.empty() || number == "1" || both);
  if (accept("<<<")) {
    skip_blanks();
    input_ = std::make_shared<Word>(word());
    input_->parts.push_back({.kind = Part::Kind::literal, .quoted = true, .text = "\n"});
    return true;
  }
  if (accept("<<")) {
    HereDocument document;
    document.strip_tabs = accept("-");
    document.line = line_;
    skip_blanks();
    for (const Part &part : word().parts) {
      document.end += part.text;
      document.quoted = document.quoted || part.quoted;
    }
    document.text = input_ = std::make_shared<Word>();
    here_documents_.push_back(std::move(document));
    return true;
  }
  for (const std::string_view name : {">>", ">&", ">|", "<&", "<>", ">", "<"}) {
    if (accept(name)) break;
  }
  skip_blanks();
  if (at_word() || looking_at("<(") || looking_at(">(")) word();
  return true;
}

bool Parser::redirected(Node &node) {
  input_.reset();
  if (!redirection()) return false;
  if (input_) node.input = std::move(input_);
  input_.reset();
  node.quiet = node.quiet || quiet_;
  return true;
}

void Parser::redirections(Node &node) {
  for (;;) {
    skip_blanks();
    if (at_end() || !redirected(node)) return;
  }
}

Node Parser::simple() {
  Node out{.kind = Node::Kind::simple, .line = line_};
  for (;;) {
    skip_blanks();
    if (at_end()) return out;
    if (redirected(out)) continue;
    if (!at_word()) {
      const bool process = looking_at("<(") || looking_at(">(");
      if (!process) break;
    }
    if (out.words.empty() && assignment(out)) continue;
    const std::uint64_t line = line_;
    Word next = word();
    const bool declares = !out.words.empty() && next.parts.empty();
    if (!declares) out.words.push_back(std::move(next));
    // "name()" begins a function.
    skip_blanks();
    if (out.words.size() == 1 && out.assignments.empty() && looking_at("(")) {
      take();
      skip_blanks();
      if (!accept(")")) fail(line, "this is not a shell command", "()");
      std::string name;
      for (const Part &part : out.words.front().parts) name += part.text;
      return function(line, std::move(name));
    }
    // declare and its kin take arrays as arguments.
    if (peek() == '(' && !at_end()) {
      const Word &last = out.words.back();
      const bool array = !last.parts.empty() && last.parts.back().kind == Part::Kind::literal &&
                         last.parts.back().text.ends_with('=') && last.parts.size() == 1;
      if (!array) fail(line_, "this is not a shell command", "a word");
      take();
      Assignment assigned;
      assigned.name = last.parts.back().text;
      assigned.name.pop_back();
      if (assigned.name.ends_with('+')) {
        assigned.append = true;
        assigned.name.pop_back();
      }
      assigned.line = line;
      array_values(assigned);
      out.words.pop_back();
      out.assignments.push_back(std::move(assigned));
    }
  }
  if (out.words.empty() && out.assignments.empty() && peek() != '\n' && peek() != ';' && peek() != '&' &&
      peek() != '|' && peek() != ')') {
    fail(line_, "this is not a shell command", "a command");
  }
  return out;
}

}  // namespace ferry::qemu::shell
