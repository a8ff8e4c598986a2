// SPDX-License-Identifier: Apache-2.0
// Shell text as a tree: the part of bash that scripts which start QEMU are written in. Nothing is run here and nothing
// is expanded; shell_reader.cpp gives the tree its values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::qemu::shell {

struct Word;
struct Node;

// A piece of a word.
struct Part {
  enum class Kind { literal, variable, command, arithmetic };
  Kind kind = Kind::literal;
  bool quoted = false;
  std::string text;                  // the literal, the variable's name, the command as written
  std::string operation;             // of a variable: ":-", "%%", "/" ..., "length", "keys"; empty: its value
  std::optional<std::string> index;  // of a variable: what stands in the brackets
  std::vector<Word> operands;        // of a variable's operation; of arithmetic its one expression
  std::shared_ptr<Node> command;     // null: nothing that could be read
};

struct Word {
  std::vector<Part> parts;
  std::uint64_t line = 0;
  bool is_operator = false;  // inside [[ ]]: "&&", "(", "<", which are no strings
};

struct Assignment {
  std::string name;
  std::shared_ptr<Word> index;  // what stands in brackets behind the name
  bool append = false, array = false;
  std::vector<Word> values;
  std::uint64_t line = 0;
};

// One arm of if or case.
struct Branch {
  // What comes after an arm of case: nothing (;;), the next arm's commands (;&), the next arm whose pattern matches
  // too (;;&).
  enum class After { end, next_body, next_pattern };
  After after = After::end;
  std::vector<Word> patterns;       // of case
  std::shared_ptr<Node> condition;  // of if; null: else
  std::shared_ptr<Node> body;
};

struct Node {
  enum class Kind {
    simple,
    test,
    arithmetic,
    pipeline,
    sequence,
    conditional,
    loop,
    for_each,
    choice,
    function,
    group
  };
  enum class Join { next, and_then, or_else };
  Kind kind = Kind::simple;
  std::uint64_t line = 0;
  std::vector<Assignment> assignments;  // simple
  std::vector<Word> words;              // simple, test: the words; for_each: the values; choice: the subject;
                                        // arithmetic: the expression; for_each ((;;)): three of them
  std::string name;                     // for_each: the variable; function: its name
  std::string text;                     // as written, for messages; cut where it is long
  bool all_arguments = false;           // for_each without "in"
  bool negated = false, until = false;
  bool subshell = false;        // group: ( ), whose changes stay in it
  std::shared_ptr<Word> input;  // its <<< or << text
  bool quiet = false;           // what it prints goes to a file
  std::vector<Node>
      children;             // sequence, pipeline: its members; loop: condition, body; for_each, function, group: body
  std::vector<Join> joins;  // sequence: before each member
  std::vector<Branch> branches;
};

struct Script {
  Node root;
  // Lines that end in a backslash and blanks: bash does not join these with the next.
  std::vector<std::uint64_t> broken_lines;
};

constexpr std::size_t kMostText = 1U << 20U;  // bytes of a script
constexpr std::size_t kMostWords = 40'000;    // words of a script's text
constexpr unsigned kMostDepth = 50;           // commands, substitutions and quotes inside one another

// Throws Error malformed, naming the line, for what is not shell text; unsupported beyond the limits.
[[nodiscard]] Script parse(std::string_view text, const std::filesystem::path &file);

}  // namespace ferry::qemu::shell
