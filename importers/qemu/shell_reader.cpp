// SPDX-License-Identifier: Apache-2.0
// Commands of a script, in the order in which they would be run.
#include "importers/qemu/shell_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "importers/qemu/option_table.hpp"

#include "support/text.hpp"

namespace ferry::qemu::shell {
namespace {

constexpr std::size_t kMostSteps = 100'000;     // commands, words and parts of words
constexpr std::size_t kMostBytes = 16U << 20U;  // made by expansion
constexpr unsigned kMostRounds = 1000;          // of one loop

// Options of QEMU's that stand in the text of a branch, for a person to see what hangs on it.
void collect_options(const Node &node, std::vector<std::string> &out);

void collect_options(const Word &word, std::vector<std::string> &out) {
  for (const Part &part : word.parts) {
    if (part.kind != Part::Kind::literal) continue;
    for (std::size_t at = 0; at < part.text.size();) {
      const std::size_t end = std::min(part.text.find_first_of(" \t\n", at), part.text.size());
      const std::string_view piece = std::string_view(part.text).substr(at, end - at);
      if (piece.size() > 1 && piece.front() == '-' && find_option(piece) != nullptr && out.size() < 20) {
        out.emplace_back(piece);
      }
      at = end + 1;
    }
  }
}

void collect_options(const Node &node, std::vector<std::string> &out) {
  for (const Word &word : node.words) collect_options(word, out);
  for (const Assignment &assignment : node.assignments) {
    for (const Word &word : assignment.values) collect_options(word, out);
  }
  for (const Node &child : node.children) collect_options(child, out);
  for (const Branch &branch : node.branches) {
    if (branch.body) collect_options(*branch.body, out);
  }
}

bool has_wildcard(const Word &word) {
  return std::any_of(word.parts.begin(), word.parts.end(), [](const Part &part) {
    return part.kind == Part::Kind::literal && !part.quoted && part.text.find_first_of("*?") != std::string::npos;
  });
}

}  // namespace

Reader::Reader(const std::filesystem::path &file, const ReadOptions &options)
    : file_(file), main_file_(file), folder_(file.parent_path()), options_(options) {
  // --set 1=..., 2=...: the arguments, as far as they are numbered without a gap.
  std::vector<Field> arguments;
  for (std::size_t i = 1; options.set.contains(std::to_string(i)); ++i) {
    arguments.push_back({options.set.at(std::to_string(i)), 0});
  }
  if (!arguments.empty()) state_.arguments = std::move(arguments);
}

void Reader::charge(std::size_t bytes) {
  ++steps_;
  bytes_ += std::min(bytes, kMostBytes);
  if (steps_ <= kMostSteps && bytes_ <= kMostBytes) return;
  throw Error(ErrorKind::unsupported,
              {.where = {.file = file_},
               .message = "the script does more than a script that starts a machine would",
               .found = steps_ > kMostSteps ? "more than " + std::to_string(kMostSteps) + " steps"
                                            : "more than " + text::human_bytes(kMostBytes) + " of expanded text",
               .advice = "Put the command line that it runs into a file of its own and give that."});
}

std::vector<Launch> Reader::read(std::string_view text) {
  const std::string_view first = text.substr(0, text.find('\n'));
  is_zsh_ = first.starts_with("#!") && first.find("zsh") != std::string_view::npos;
  is_bash_ = !first.starts_with("#!") || first.find("bash") != std::string_view::npos;
  scripts_.push_back(std::make_unique<Script>(parse(text, main_file_)));
  broken_lines_ = scripts_.back()->broken_lines;
  run(scripts_.back()->root);
  for (Launch &launch : launches_) {
    launch.opens = opens_;
    launch.undecided = undecided_;
    launch.sourced = sourced_;
    launch.unread = unread_;
    launch.host_values = host_values_;
    launch.tpms = tpms_;
  }
  return std::move(launches_);
}

Answer Reader::run(const Node &node) {
  charge(1);
  if (flow_ != Flow::normal) return Answer::unknown;
  // What goes to a file is not what is captured.
  const bool quiet = node.quiet && output_ != nullptr;
  std::string *const outer = quiet ? std::exchange(output_, nullptr) : nullptr;
  const bool fed = node.input != nullptr && node.kind != Node::Kind::simple;
  auto outer_input = fed ? std::exchange(input_, input_of(node)) : std::nullopt;
  const Answer answer = run_kind(node);
  if (fed) input_ = std::move(outer_input);
  if (quiet) output_ = outer;
  return answer;
}

Answer Reader::run_kind(const Node &node) {
  switch (node.kind) {
    case Node::Kind::simple: return run_simple(node);
    case Node::Kind::test: return run_test(node.words);
    case Node::Kind::arithmetic: {
      const Word &word = node.words.front();
      const auto text = decided(expand_one(word.parts.front().operands.front()));
      const auto value = text ? calculate_statement(*text, word.line) : std::nullopt;
      return value ? answer_of(*value != 0) : Answer::unknown;
    }
    case Node::Kind::pipeline: {
      if (node.children.size() == 1) {
        const Answer answer = run(node.children.front());
        return node.negated ? !answer : answer;
      }
      const Answer answer = run_pipeline(node);
      return node.negated ? !answer : answer;
    }
    case Node::Kind::sequence: return run_sequence(node);
    case Node::Kind::conditional: return run_conditional(node);
    case Node::Kind::loop: return run_loop(node);
    case Node::Kind::for_each: return run_for_each(node);
    case Node::Kind::choice: return run_choice(node);
    case Node::Kind::function: functions_[node.name] = {&node.children.front(), file_}; return Answer::yes;
    case Node::Kind::group: {
      if (!node.subshell) return run(node.children.front());
      const State before = state_;
      const Answer answer = run(node.children.front());
      state_ = before;
      if (flow_ == Flow::leave_script) flow_ = Flow::normal;
      return answer;
    }
  }
  return Answer::unknown;
}

// Each member has a shell of its own. What the first one prints goes through the others as far as they are known.
Answer Reader::run_pipeline(const Node &node) {
  std::string *const outer = output_;
  const bool outer_known = output_known_, outer_asking = asking_;
  asking_ = false;
  std::optional<std::string> text;
  Answer answer = Answer::unknown;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const Node &child = node.children[i];
    const State before = state_;
    std::string printed;
    output_ = &printed;
    output_known_ = true;
    std::optional<Answer> filtered;
    for (const std::size_t number : opens_in(text.value_or(""))) {
      if (opens_[number].kind != Open::Kind::unset && !missing_) missing_ = number;
    }
    if (i > 0 && child.kind == Node::Kind::simple && child.assignments.empty() && !child.words.empty() && !child.input)
      filtered = filter(expand(child.words), text ? decided(*text) : std::nullopt);
    auto outer_input = std::exchange(input_, i > 0 && text ? decided(*text) : std::nullopt);
    answer = filtered ? *filtered : run(child);
    input_ = std::move(outer_input);
    // One that reads what is not a filter's prints something else each time.
    const bool known = output_known_ && (i == 0 || filtered);
    text = known ? std::optional(std::move(printed)) : std::nullopt;
    if (!known) answer = Answer::unknown;
    state_ = before;
    if (flow_ != Flow::normal && flow_ != Flow::leave_script) flow_ = Flow::normal;
  }
  output_ = outer;
  output_known_ = outer_known;
  asking_ = outer_asking;
  if (!text) {
    unknown_output();
    return Answer::unknown;
  }
  output(*text);
  return answer;
}

Answer Reader::run_sequence(const Node &node) {
  Answer last = Answer::yes;
  for (std::size_t i = 0; i < node.children.size() && flow_ == Flow::normal; ++i) {
    const Node::Join join = node.joins[i];
    if (join == Node::Join::next) {
      last = run(node.children[i]);
      continue;
    }
    const Answer wanted = join == Node::Join::and_then ? Answer::yes : Answer::no;
    if (last == Answer::unknown) {
      maybe(node.text, node.line, {&node.children[i]});
    } else if (last == wanted) {
      last = run(node.children[i]);
    }
  }
  return last;
}

Answer Reader::ask(const Node &node) {
  const bool outer = asking_;
  asking_ = true;
  const Answer answer = run(node);
  asking_ = outer;
  return answer;
}

Answer Reader::run_conditional(const Node &node) {
  for (std::size_t i = 0; i < node.branches.size(); ++i) {
    const Branch &branch = node.branches[i];
    const Answer answer = branch.condition ? ask(*branch.condition) : Answer::yes;
    if (flow_ != Flow::normal) return Answer::unknown;
    if (answer == Answer::yes) return run(*branch.body);
    if (answer == Answer::no) continue;
    std::vector<const Node *> bodies;
    for (std::size_t rest = i; rest < node.branches.size(); ++rest) bodies.push_back(node.branches[rest].body.get());
    const Node &condition = *branch.condition;
    maybe(condition.children.empty() ? condition.text : condition.children.back().text, node.line, bodies);
    return Answer::unknown;
  }
  return Answer::yes;
}

Answer Reader::run_choice(const Node &node) {
  const std::string written = expand_one(node.words.front());
  const auto subject = decided(written);
  if (!subject) {
    std::vector<const Node *> bodies;
    for (const Branch &branch : node.branches) bodies.push_back(branch.body.get());
    maybe("case " + shown(written, opens_), node.line, bodies);
    return Answer::unknown;
  }
  Answer answer = Answer::unknown;
  bool falls_in = false;
  for (const Branch &branch : node.branches) {
    const auto fits = [&](const Word &pattern) { return matches(expand_pattern(pattern), *subject); };
    if (!falls_in && std::none_of(branch.patterns.begin(), branch.patterns.end(), fits)) continue;
    answer = run(*branch.body);
    if (branch.after == Branch::After::end || flow_ != Flow::normal) break;
    falls_in = branch.after == Branch::After::next_body;
  }
  return answer;
}

Answer Reader::run_loop(const Node &node) {
  const std::size_t before = launches_.size();
  // Where it is not known whether a round leaves the loop, or nothing in it is decided (a menu), it says no more.
  constexpr unsigned kMostUndecided = 16;  // rounds
  const bool outer_left = std::exchange(may_have_left_, false);
  unsigned undecided = 0;
  for (unsigned round = 0; round < kMostRounds && !may_have_left_ && undecided < kMostUndecided; ++round) {
    const std::size_t questions = questions_;
    Answer answer = ask(node.children[0]);
    if (node.until) answer = !answer;
    if (answer == Answer::unknown) {
      maybe(node.children[0].children.empty() ? "a loop" : node.children[0].children.back().text, node.line,
            {&node.children[1]});
      may_have_left_ = outer_left;
      return Answer::unknown;
    }
    if (answer == Answer::no) break;
    run(node.children[1]);
    if (questions_ != questions) ++undecided;
    if (flow_ == Flow::next_round) flow_ = Flow::normal;
    const bool left = flow_ == Flow::leave_loop;
    if (left) flow_ = Flow::normal;
    // A machine that is started again and again is one machine.
    if (left || flow_ != Flow::normal || launches_.size() > before) break;
  }
  may_have_left_ = outer_left;
  return Answer::yes;
}

Answer Reader::run_for_each(const Node &node) {
  if (node.name.empty()) return run_counted(node);
  std::vector<Field> values;
  bool open_values = false;
  if (node.all_arguments) {
    values = state_.arguments.value_or(std::vector<Field>{});
  } else {
    for (const Word &word : node.words) open_values = open_values || has_wildcard(word);
    values = expand(node.words);
  }
  std::erase_if(values, [](const Field &value) { return value.vanishes; });
  for (const Field &value : values) open_values = open_values || !decided(value.text);
  if (open_values) {
    maybe("for " + node.name, node.line, {&node.children.front()});
    return Answer::unknown;
  }
  for (const Field &value : values) {
    assign(node.name, {value}, false);
    run(node.children.front());
    if (flow_ == Flow::next_round) flow_ = Flow::normal;
    if (flow_ == Flow::leave_loop) {
      flow_ = Flow::normal;
      break;
    }
    if (flow_ != Flow::normal) break;
  }
  return Answer::yes;
}

// for (( i = 0; i < 4; i++ ))
Answer Reader::run_counted(const Node &node) {
  const auto step = [&](std::size_t which) -> std::optional<std::int64_t> {
    if (which >= node.words.size()) return 1;
    const auto text = decided(expand_one(node.words[which]));
    if (text && text::trim(*text).empty()) return 1;
    return text ? calculate_statement(*text, node.line) : std::nullopt;
  };
  const std::size_t before = launches_.size();
  bool known = node.words.size() == 3 && step(0).has_value();
  for (unsigned round = 0; known; ++round) {
    const auto more = step(1);
    known = more.has_value() && round < kMostRounds;
    if (!known || *more == 0) break;
    run(node.children.front());
    if (flow_ == Flow::next_round) flow_ = Flow::normal;
    const bool left = flow_ == Flow::leave_loop;
    if (left) flow_ = Flow::normal;
    if (left || flow_ != Flow::normal || launches_.size() > before) return Answer::yes;
    known = step(2).has_value();
  }
  if (known) return Answer::yes;
  maybe("a loop", node.line, {&node.children.front()});
  return Answer::unknown;
}

void Reader::maybe(const std::string &condition, std::uint64_t line, const std::vector<const Node *> &bodies) {
  if (depth_ >= kMostDepth) return;
  Undecided note{{file_, line, {}}, condition, {}};
  for (const Node *body : bodies) collect_options(*body, note.options);
  charge(0);
  inside_.push_back(note);
  ++depth_;
  std::string *const outer = output_;
  const std::size_t before_launches = launches_.size();
  for (const Node *body : bodies) {
    std::size_t bytes = 0;
    for (const auto &[name, variable] : state_.variables) {
      for (const Field &value : variable.values) bytes += value.text.size() + 1;
    }
    charge(bytes / 64);
    const State before = state_;
    run(*body);
    state_ = before;
    may_have_left_ = may_have_left_ || flow_ == Flow::leave_loop;
    flow_ = Flow::normal;
  }
  ++questions_;
  output_ = outer;
  if (output_ != nullptr) unknown_output();
  --depth_;
  inside_.pop_back();
  if (!note.options.empty() && launches_.size() == before_launches) undecided_.push_back(std::move(note));
}

void Reader::run_text(const std::string &text, std::uint64_t line) {
  if (depth_ >= kMostDepth) charge(~std::size_t{0} / 2);
  ++depth_;
  try {
    scripts_.push_back(std::make_unique<Script>(parse(text, file_)));
    run(scripts_.back()->root);
  } catch (const Error &error) {
    if (error.kind() != ErrorKind::malformed) throw;
    unread_.push_back({file_, line, "eval"});
  }
  --depth_;
}

Answer Reader::call(const std::string &name, std::vector<Field> arguments) {
  const Function function = functions_.at(name);
  if (calling_.contains(name) || depth_ >= kMostDepth) return Answer::unknown;  // recursion is not followed
  // Menus that lead to one another would be gone through in every order.
  constexpr std::size_t kMostInside = 2000;
  const std::size_t steps = steps_;
  if (!inside_.empty() && steps_in_[name] > kMostInside) return Answer::unknown;
  calling_.insert(name);
  ++depth_;
  const auto outer_arguments = state_.arguments;
  const std::size_t outer_shifted = state_.shifted;
  const std::filesystem::path outer_file = file_;
  file_ = function.file;
  state_.arguments = std::move(arguments);
  state_.shifted = 0;
  const std::size_t outer_word = std::exchange(state_.option_word, 0);
  const std::size_t outer_letter = std::exchange(state_.option_letter, 1);
  const Answer answer = run(*function.body);
  state_.arguments = outer_arguments;
  state_.shifted = outer_shifted;
  state_.option_word = outer_word;
  state_.option_letter = outer_letter;
  file_ = outer_file;
  --depth_;
  calling_.erase(name);
  if (!inside_.empty()) steps_in_[name] += steps_ - steps;
  if (flow_ == Flow::leave_function) flow_ = Flow::normal;
  return answer;
}

Answer Reader::run_simple(const Node &node) {
  std::vector<Field> fields;
  bool empty = false;  // the first word is nothing
  for (const Word &word : node.words) {
    expand(word, fields);
    empty = empty || (&word == &node.words.front() && fields.empty());
  }
  // "$QEMU -m 1G", where nothing sets the variable: no options of the line before.
  const std::size_t options = empty ? 0 : 1;
  if (fields.size() > options && (empty || fields.front().vanishes) && fields[options].text.starts_with('-')) {
    if (!empty && note_launch(fields, node)) return Answer::yes;
    unknown_output();
    return Answer::unknown;
  }
  while (!fields.empty() && fields.front().vanishes) fields.erase(fields.begin());
  if (fields.empty()) {
    for (const Assignment &assignment : node.assignments) assign(assignment);
    return Answer::yes;
  }
  refuse_loose_options(fields);
  if (const auto answer = builtin(node, fields)) return *answer;
  if (note_launch(fields, node) || note_tpm(fields)) return Answer::yes;
  if (node.input) {
    if (const auto answer = filter(fields, input_of(node))) return *answer;
  }
  if (const Answer followed = run_script(fields, 0, node); followed != Answer::unknown) return followed;
  if (output_ != nullptr) {
    if (!print_known(fields)) unknown_output();
    return Answer::unknown;
  }
  // A program that does something is taken to succeed; one that is asked is not known.
  constexpr std::array<std::string_view, 18> kAsked = {"grep", "egrep", "pgrep",     "which",  "command", "type",
                                                       "hash", "ping",  "lsmod",     "pidof",  "cmp",     "diff",
                                                       "stat", "fuser", "systemctl", "getent", "ip",      "id"};
  const std::string name = std::filesystem::path(fields.front().text).filename().string();
  const bool asked = asking_ || std::find(kAsked.begin(), kAsked.end(), name) != kAsked.end();
  return asked ? Answer::unknown : Answer::yes;
}

}  // namespace ferry::qemu::shell
