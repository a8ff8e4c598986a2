// SPDX-License-Identifier: Apache-2.0
// The parser's two halves share this: shell_words.cpp reads words, shell_commands.cpp what is made of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "importers/qemu/shell_syntax.hpp"

#include "support/error.hpp"

namespace ferry::qemu::shell {

// Of a variable's name.
[[nodiscard]] inline bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
[[nodiscard]] inline bool is_name(char c) { return is_name_start(c) || (c >= '0' && c <= '9'); }

class Parser {
 public:
  Parser(std::string_view text, const std::filesystem::path &file) : text_(text), file_(file) {}
  Script script();

 private:
  // Counts what is inside what.
  class Level {
   public:
    explicit Level(Parser &parser);
    ~Level() { --parser_.depth_; }
    Level(const Level &) = delete;
    Level &operator=(const Level &) = delete;

   private:
    Parser &parser_;
  };

  // ---- characters ----
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] bool looking_at(std::string_view what) const { return text_.substr(at_, what.size()) == what; }
  char take();
  bool accept(std::string_view what);
  [[noreturn]] void fail(std::uint64_t line, std::string message, std::string expected) const;

  // ---- shell_words.cpp ----
  void skip_blanks();  // and continuations and a comment
  [[nodiscard]] bool at_word() const;
  Word word();
  void literal(Word &out, char c, bool quoted);
  void quoted_text(Word &out);  // after the opening "
  // One character, or what it begins, where the shell expands but splits nothing. A backslash quotes those of
  // `escaped`.
  void expanded_text(Word &out, std::string_view escaped);
  void single_quoted(Word &out);        // after the opening '
  void ansi_quoted(Word &out);          // after $'
  std::string ansi_escape();            // after its backslash
  void escaped(Word &out);              // at the backslash
  void dollar(Word &out, bool quoted);  // at the $
  void backquoted(Word &out, bool quoted);
  Part substitution(bool quoted);  // after "$("
  Part parameter(bool quoted);     // after "${"
  void operation(Part &part);
  Word operand(bool quoted, std::string_view stops);
  Part arithmetic(bool quoted);      // after "$(("
  Part old_arithmetic(bool quoted);  // after "$["
  Part expression(std::string text, std::uint64_t line, bool quoted);
  Word here_words();
  Word inner_word(const std::string &text, std::uint64_t line);
  std::string raw_until(char open, char close);
  void add(Word &out, Part part);

  // ---- shell_commands.cpp ----
  Word here_text(const std::string &text, std::uint64_t line, bool quoted);
  void skip_newlines();
  void end_of_line();  // reads the here documents that wait
  [[nodiscard]] std::string_view keyword() const;
  bool accept_keyword(std::string_view name);
  void expect_keyword(std::string_view name, std::uint64_t since);
  [[nodiscard]] bool at_list_end() const;
  Node list();
  Node and_or();
  Node and_or_list();
  Node pipeline();
  Node command();
  Node simple();
  Node conditional(std::uint64_t line);
  Node loop(std::uint64_t line, bool until);
  Node for_each(std::uint64_t line);
  Node choice(std::uint64_t line);
  Node test(std::uint64_t line);
  Node arithmetic_command(std::uint64_t line);
  Node function(std::uint64_t line, std::string name);
  Node body_of_loop(std::uint64_t line);
  bool assignment(Node &node);
  void array_values(Assignment &out);
  bool redirection();
  void redirections(Node &node);
  bool redirected(Node &node);  // reads one redirection

  std::string_view text_;
  const std::filesystem::path &file_;
  std::size_t at_ = 0;
  std::uint64_t line_ = 1;
  unsigned depth_ = 0;
  std::size_t words_ = 0;
  struct HereDocument {
    std::string end;
    bool strip_tabs = false, quoted = false;
    std::uint64_t line = 0;
    std::shared_ptr<Word> text;  // to be filled
  };
  std::vector<HereDocument> here_documents_;
  std::shared_ptr<Word> input_;  // of the redirection that was read last
  bool quiet_ = false;           // that one was of what is printed
  std::vector<std::uint64_t> broken_lines_;
};

}  // namespace ferry::qemu::shell
