// SPDX-License-Identifier: Apache-2.0
// Follows a shell script without running anything: variables get their values, conditions that constants decide are
// decided, and the words of each QEMU start are noted. What only the running shell could know stays open.
//
// shell_expand.cpp: words; shell_test.cpp: conditions; shell_reader.cpp: commands; shell_builtins.cpp: what they do;
// shell_printing.cpp: what they print.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "importers/qemu/launch.hpp"
#include "importers/qemu/shell_syntax.hpp"
#include "importers/qemu/shell_values.hpp"

namespace ferry::qemu::shell {

class Reader {
 public:
  Reader(const std::filesystem::path &file, const ReadOptions &options);
  std::vector<Launch> read(std::string_view text);

 private:
  enum class Flow { normal, next_round, leave_loop, leave_function, leave_script };

  // What a branch of an undecided condition must not change.
  struct State {
    std::map<std::string, Variable> variables;
    std::optional<std::vector<Field>> arguments;     // nullopt: not known
    std::size_t shifted = 0;                         // of arguments that are not known
    std::optional<std::string> folder;               // after cd; nullopt: where the user starts it
    std::map<std::string, std::string> references;   // declare -n: the variable that is meant
    std::size_t option_word = 0, option_letter = 1;  // getopts has come to; words from 0
  };

  // ---- shell_reader.cpp ----
  void charge(std::size_t bytes);  // throws beyond the limits
  Answer run(const Node &node);
  Answer run_kind(const Node &node);
  Answer run_sequence(const Node &node);
  Answer run_conditional(const Node &node);
  Answer run_choice(const Node &node);
  Answer run_loop(const Node &node);
  Answer run_for_each(const Node &node);
  Answer run_counted(const Node &node);  // for ((;;))
  Answer run_pipeline(const Node &node);
  Answer run_simple(const Node &node);
  Answer ask(const Node &node);  // as a condition
  // Goes through what may or may not happen: its starts count, its changes do not.
  void maybe(const std::string &condition, std::uint64_t line, const std::vector<const Node *> &bodies);
  void run_text(const std::string &text, std::uint64_t line);
  Answer call(const std::string &name, std::vector<Field> arguments);

  // ---- shell_launch.cpp ----
  bool note_launch(const std::vector<Field> &fields, const Node &node);
  [[nodiscard]] std::string macos_release() const;
  bool note_tpm(const std::vector<Field> &fields);  // shell_tpm.cpp: an swtpm
  void refuse_loose_options(const std::vector<Field> &fields) const;

  // ---- shell_builtins.cpp ----
  std::optional<Answer> builtin(const Node &node, std::vector<Field> &fields);
  Answer declare(const Node &node, const std::vector<Field> &fields);
  Answer set_arguments(const std::vector<Field> &fields);
  Answer source(const std::vector<Field> &fields);
  Answer change_folder(const std::vector<Field> &fields);
  void print(const std::vector<Field> &fields);
  void print_formatted(const std::vector<Field> &fields);
  std::optional<std::string> formatted(const std::vector<Field> &fields, std::size_t &next) const;
  bool print_known(const std::vector<Field> &fields);  // dirname and the like
  void output(const std::string &text);
  void unknown_output();
  // What the command reads from << or <<<; nullopt when it is not known, or nothing is said.
  std::optional<std::string> input_of(const Node &node);
  std::optional<Answer> filter(const std::vector<Field> &fields, const std::optional<std::string> &input);
  Answer next_option(const std::vector<Field> &fields);  // getopts
  void unset(const std::string &name);
  void note_link(const std::vector<Field> &fields);                   // ln -s
  [[nodiscard]] std::string resolved(const std::string &name) const;  // what it refers to
  Answer read_values(const Node &node, const std::vector<Field> &fields);
  [[nodiscard]] std::optional<std::string> script_text(const std::filesystem::path &path) const;
  Answer run_script(const std::vector<Field> &fields, std::size_t from, const Node &node);

  // ---- shell_expand.cpp ----
  struct Fields;
  std::vector<Field> expand(const std::vector<Word> &words);
  void expand(const Word &word, std::vector<Field> &out);
  [[nodiscard]] bool is_list(const std::string &name) const;
  void expand_parts(const Word &word, Fields &fields, bool inner);
  [[nodiscard]] std::string with_home(const std::string &text, bool in_command) const;
  [[nodiscard]] std::string joined_value(const Part &part, const std::vector<Field> &values) const;
  std::string expand_one(const Word &word);                           // without splitting
  std::string expand_pattern(const Word &word);                       // quoted text stands for itself
  std::vector<Field> value_of(const Part &part, std::uint64_t line);  // several only of arrays and arguments
  std::vector<Field> plain_value(const Part &part, std::uint64_t line);
  [[nodiscard]] bool is_absent(const Part &part, const std::optional<std::vector<Field>> &value) const;
  const Word *alternative(const Part &part, std::uint64_t line);
  std::optional<std::vector<Field>> stored(const Part &part, std::uint64_t line);
  std::string changed(const Part &part, const std::string &value);
  std::string capture(const Part &part, std::uint64_t line);
  std::string calculate(const Part &part, std::uint64_t line);
  std::optional<std::int64_t> value_in(std::string_view expression);
  // An expression that may assign: i++, i += 2, x = y * 2. nullopt when its value is not known.
  std::optional<std::int64_t> calculate_statement(const std::string &text, std::uint64_t line);
  // The range that ":from:length" takes of so many: begin and end.
  std::pair<std::size_t, std::size_t> slice(const Part &part, std::size_t size);
  std::optional<std::string> element(const Variable &variable, const std::string &index);
  [[nodiscard]] std::string absolute(const std::string &path) const;  // below the folder, when it is relative
  std::string open(Open::Kind kind, std::string name, std::string text, std::uint64_t line);
  [[nodiscard]] std::string_view separators() const;         // of words
  [[nodiscard]] bool is_unset(std::string_view text) const;  // nothing but one open value of that kind
  // `text` with variables that nobody sets as nothing; nullopt when something else in it is open.
  [[nodiscard]] std::optional<std::string> decided(std::string_view text) const;
  void assign(const Assignment &assignment);
  void assign(const std::string &name, std::vector<Field> values, bool array);

  // ---- shell_test.cpp ----
  struct Tester;
  Answer run_test(const std::vector<Word> &words);
  Answer test_fields(const std::vector<Field> &fields);

  std::filesystem::path file_;       // that is read now
  std::filesystem::path main_file_;  // $0: that the user named, or one that it runs
  std::filesystem::path folder_;     // of the file that the user named
  const ReadOptions &options_;
  State state_;
  bool is_bash_ = true, is_zsh_ = false;  // by the first line
  struct Function {
    const Node *body = nullptr;
    std::filesystem::path file;
  };
  std::map<std::string, Function> functions_;
  std::set<std::string> calling_;
  std::map<std::string, std::size_t> steps_in_;  // of functions, where it is not known whether they are called
  std::set<std::string> exported_;
  std::vector<std::unique_ptr<Script>> scripts_;  // the trees that functions_ points into
  std::vector<std::uint64_t> broken_lines_;
  std::vector<Open> opens_;
  std::vector<Launch> launches_;
  std::vector<Undecided> undecided_, inside_;
  std::vector<std::filesystem::path> sourced_;
  std::vector<Place> unread_, host_values_;
  std::vector<TpmServer> tpms_;
  std::map<std::string, std::string> links_;  // that ln -s makes: what they lead to
  Flow flow_ = Flow::normal;
  bool asking_ = false;               // in the condition of if or while
  std::string *output_ = nullptr;     // of a command substitution
  std::optional<std::string> input_;  // of a loop or a member of a pipeline: what is left of it
  bool output_known_ = true;
  std::optional<std::size_t> missing_;  // the open value for want of which it is not known
  bool may_have_left_ = false;          // the loop, in a branch that may not have been taken
  std::size_t questions_ = 0;           // conditions that were not decided so far
  std::size_t steps_ = 0, bytes_ = 0;
  unsigned depth_ = 0;
};

}  // namespace ferry::qemu::shell
