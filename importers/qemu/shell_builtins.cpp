// SPDX-License-Identifier: Apache-2.0
// What the shell does itself, and programs whose output follows from their arguments.
#include <algorithm>
#include <fstream>
#include <utility>

#include "importers/qemu/shell_reader.hpp"

#include "support/text.hpp"

namespace ferry::qemu::shell {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileCharge = 8192;  // bytes that reading another file counts as

bool declares(std::string_view name) {
  return name == "export" || name == "declare" || name == "local" || name == "typeset" || name == "readonly";
}

bool inside(const fs::path &file, const fs::path &folder) {
  std::error_code error;
  const fs::path real = fs::weakly_canonical(file, error);
  if (error) return false;
  const fs::path base = fs::weakly_canonical(folder, error);
  const fs::path relative = real.lexically_relative(base);
  return !error && !relative.empty() && *relative.begin() != "..";
}

}  // namespace

// Another script of the folder, run with arguments: it has what was exported. Answer::unknown when it is none.
Answer Reader::run_script(const std::vector<Field> &fields, std::size_t from, const Node &node) {
  const auto named = from < fields.size() ? decided(fields[from].text) : std::nullopt;
  const std::string &program = fields.front().text;
  const bool shell = from > 0 && program != "exec" && program != "sudo";
  if (!named || (!shell && named->find('/') == std::string::npos) || depth_ >= kMostDepth) return Answer::unknown;
  const auto text = script_text(absolute(*named));
  if (!text || (!shell && !text->starts_with("#!") && !named->ends_with(".sh"))) return Answer::unknown;
  State before = state_;
  const fs::path outer = file_;
  const auto functions = functions_;
  std::erase_if(state_.variables, [&](const auto &one) { return !exported_.contains(one.first); });
  for (const Assignment &assignment : node.assignments) assign(assignment);
  state_.arguments = rest_of(fields, from + 1);
  state_.shifted = 0;
  file_ = absolute(*named);
  functions_.clear();
  charge(text->size() + kFileCharge);
  ++depth_;
  sourced_.push_back(file_);
  const fs::path main_file = std::exchange(main_file_, file_);
  scripts_.push_back(std::make_unique<Script>(parse(*text, file_)));
  run(scripts_.back()->root);
  main_file_ = main_file;
  --depth_;
  if (flow_ == Flow::leave_script || flow_ == Flow::leave_function) flow_ = Flow::normal;
  functions_ = functions;
  file_ = outer;
  state_ = std::move(before);
  return Answer::yes;
}

// The text of a script that lies in the folder of the one that the user named, or below it, and can be read.
std::optional<std::string> Reader::script_text(const fs::path &path) const {
  std::error_code error;
  if (path.empty() || !inside(path, folder_) || !fs::is_regular_file(path, error) || path == main_file_)
    return std::nullopt;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error || size > kMostText) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  std::string text(size, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in || text.find('\0') != std::string::npos || has_open(text)) return std::nullopt;
  std::erase(text, '\r');
  return text;
}

Answer Reader::declare(const Node &node, const std::vector<Field> &fields) {
  // Behind the first name there are values, which may begin with a sign too.
  const auto names =
      std::find_if(fields.begin() + 1, fields.end(), [](const Field &field) { return !field.text.starts_with('-'); });
  const auto has_flag = [&](char flag) {
    return std::any_of(fields.begin() + 1, names,
                       [&](const Field &field) { return field.text.find(flag) != std::string::npos; });
  };
  const bool keyed = has_flag('A'), exports = fields.front().text == "export" || has_flag('x');
  const bool refers = has_flag('n'), counts = has_flag('i');
  const auto give = [&](const Assignment &assignment) {
    if (!refers) {
      assign(assignment);
    } else if (!assignment.values.empty()) {
      state_.references.erase(assignment.name);
      if (const auto target = decided(expand_one(assignment.values.front())); target && *target != assignment.name)
        state_.references[assignment.name] = resolved(*target);
    }
    if (!counts || assignment.array) return;
    const auto sum = value_in(expand_one(assignment.values.front()));
    if (sum) assign(assignment.name, {{std::to_string(*sum), assignment.line}}, false);
  };
  for (const Assignment &assignment : node.assignments) {
    if (keyed) state_.variables[assignment.name].keyed = true;
    if (exports) exported_.insert(assignment.name);
    give(assignment);
  }
  // The words are read again, as assignments: their values are not split.
  for (std::size_t i = 1; i < node.words.size(); ++i) {
    Word word = node.words[i];
    const bool written =
        !word.parts.empty() && word.parts.front().kind == Part::Kind::literal && !word.parts.front().text.empty();
    if (!written) {
      // declare "$name=$value"
      const std::string text = expand_one(word);
      const std::size_t sign = text.find('=');
      if (sign == std::string::npos || sign == 0 || has_open(text.substr(0, sign))) continue;
      assign(text.substr(0, sign), {{text.substr(sign + 1), word.line}}, false);
      continue;
    }
    std::string &first = word.parts.front().text;
    const std::size_t equals = first.find('=');
    if (keyed && equals == std::string::npos && !first.starts_with('-')) state_.variables[first].keyed = true;
    if (exports && !first.starts_with('-')) exported_.insert(first.substr(0, equals));
    if (equals == std::string::npos || equals == 0 || first.front() == '-') continue;
    std::string name = first.substr(0, equals);
    const bool append = name.ends_with('+');
    if (append) name.pop_back();
    first.erase(0, equals + 1);
    give(Assignment{.name = name, .append = append, .values = {word}, .line = word.line});
  }
  return fields.size() > 1 && fields[1].text == "-p" ? Answer::unknown : Answer::yes;
}

void Reader::unset(const std::string &name) {
  const std::size_t bracket = name.find('[');
  if (bracket == std::string::npos || !name.ends_with(']')) {
    state_.variables.erase(resolved(name));
    return;
  }
  const auto found = state_.variables.find(resolved(name.substr(0, bracket)));
  if (found == state_.variables.end()) return;
  Variable &variable = found->second;
  const std::string index = name.substr(bracket + 1, name.size() - bracket - 2);
  if (variable.named.erase(index) > 0) return;
  const auto number = value_in(index);
  if (number && *number >= 0 && static_cast<std::uint64_t>(*number) < variable.values.size())
    variable.values.erase(variable.values.begin() + *number);
}

void Reader::note_link(const std::vector<Field> &fields) {
  std::vector<std::string> names;
  bool symbolic = false;
  for (const Field &field : rest_of(fields, 1)) {
    if (field.text.starts_with('-')) {
      symbolic = symbolic || (field.text.find('s') != std::string::npos && !field.text.starts_with("--")) ||
                 field.text == "--symbolic";
    } else if (const auto known = decided(field.text)) {
      names.push_back(absolute(*known));
    }
  }
  if (symbolic && names.size() == 2) links_[names[1]] = names[0];
}

// getopts "m:s" name, over words that are known.
Answer Reader::next_option(const std::vector<Field> &fields) {
  const std::vector<Field> words = fields.size() > 3 ? rest_of(fields, 3) : *state_.arguments;
  const std::string letters = fields[1].text;
  const std::uint64_t line = fields[0].line;
  std::size_t &at = state_.option_word, &letter = state_.option_letter;
  const auto told = [&](const std::string &name, const std::string &value) { assign(name, {{value, line}}, false); };
  const bool more = at < words.size() && words[at].text.size() > 1 && words[at].text.starts_with('-');
  if (!more || words[at].text == "--") {
    const std::size_t next = at + (more ? 2 : 1);
    told("OPTIND", std::to_string(next));
    told(fields[2].text, "?");
    return Answer::no;
  }
  const std::string &word = words[at].text;
  if (letter >= word.size()) letter = 1;  // the words are others than before
  const char option = word[letter];
  const std::size_t known = option == ':' ? std::string::npos : letters.find(option);
  const bool takes = known != std::string::npos && letters.substr(known + 1, 1) == ":";
  std::string argument;
  ++letter;
  if (takes && letter < word.size()) {
    argument = word.substr(letter);
    letter = word.size();
  } else if (takes && at + 1 < words.size()) {
    argument = words[++at].text;
    letter = words[at].text.size();
  }
  const bool ends = letter >= words[at].text.size();
  const std::size_t next = at + (ends ? 1 : 0), next_letter = ends ? 1 : letter;
  told("OPTIND", std::to_string(next + 1));
  at = next;  // which setting OPTIND has put to the beginning
  letter = next_letter;
  told("OPTARG", argument);
  told(fields[2].text, known == std::string::npos ? "?" : std::string(1, option));
  return Answer::yes;
}

Answer Reader::set_arguments(const std::vector<Field> &fields) {
  for (std::size_t i = 1; i < fields.size(); ++i) {
    if (fields[i].text == "--") {
      state_.arguments = rest_of(fields, i + 1);
      return Answer::yes;
    }
    if (!fields[i].text.starts_with('-') && !fields[i].text.starts_with('+')) {
      if (fields[i - 1].text == "-o" || fields[i - 1].text == "+o") continue;  // set -o pipefail
      state_.arguments = rest_of(fields, i);
      return Answer::yes;
    }
  }
  return Answer::yes;
}

Answer Reader::change_folder(const std::vector<Field> &fields) {
  std::vector<Field> values;
  for (const Field &field : rest_of(fields, 1)) {
    if (!field.text.starts_with('-')) values.push_back(field);
  }
  if (values.empty()) {
    const auto home = options_.environment.find("HOME");
    if (home != options_.environment.end()) state_.folder = home->second;
    return Answer::yes;
  }
  const auto target = decided(values.front().text);
  if (target && !target->empty()) state_.folder = absolute(*target);
  return target ? Answer::yes : Answer::unknown;
}

Answer Reader::source(const std::vector<Field> &fields) {
  if (fields.size() < 2) return Answer::unknown;
  const Place place{file_, fields[1].line, shown(fields[1].text, opens_)};
  const auto named = decided(fields[1].text);
  fs::path path;
  if (named && !named->empty()) path = absolute(*named);
  const auto text = depth_ < kMostDepth ? script_text(path) : std::nullopt;
  if (!text) {
    unread_.push_back(place);
    return Answer::unknown;
  }
  charge(text->size() + kFileCharge);
  ++depth_;
  const fs::path outer = file_;
  file_ = path;
  sourced_.push_back(path);
  scripts_.push_back(std::make_unique<Script>(parse(*text, file_)));
  run(scripts_.back()->root);
  if (flow_ == Flow::leave_function) flow_ = Flow::normal;
  file_ = outer;
  --depth_;
  return Answer::yes;
}

std::optional<Answer> Reader::builtin(const Node &node, std::vector<Field> &fields) {
  const std::string name = fields.front().text;
  const auto number = [&] {
    return fields.size() > 1 ? text::parse_u64(fields[1].text).value_or(1) : std::uint64_t{1};
  };
  if (functions_.contains(name)) return call(name, rest_of(fields, 1));
  if (name == "true" || name == ":") return Answer::yes;
  if (name == "false") return Answer::no;
  if (name == "test") return test_fields(rest_of(fields, 1));
  if (name == "[") {
    fields.pop_back();
    return test_fields(rest_of(fields, 1));
  }
  if (declares(name)) return declare(node, fields);
  if (name == "set") return set_arguments(fields);
  if (name == "unset") {
    for (const Field &field : rest_of(fields, 1)) unset(field.text);
    return Answer::yes;
  }
  if (name == "shift") {
    if (!state_.arguments) {
      state_.shifted += number();
    } else {
      const auto gone = std::min<std::size_t>(number(), state_.arguments->size());
      state_.arguments->erase(state_.arguments->begin(), state_.arguments->begin() + static_cast<std::ptrdiff_t>(gone));
    }
    return Answer::yes;
  }
  if (name == "ln") {
    note_link(fields);
    return std::nullopt;
  }
  if (name == "cd" || name == "pushd") return change_folder(fields);
  if (name == "pwd") {
    output(state_.folder.value_or(folder_.string()) + "\n");
    return Answer::yes;
  }
  if (name == "echo") {
    print(fields);
    return Answer::yes;
  }
  if (name == "printf") {
    print_formatted(fields);
    return Answer::yes;
  }
  if (name == "let") {
    for (const Field &field : rest_of(fields, 1)) {
      if (const auto text = decided(field.text)) (void)calculate_statement(*text, field.line);
    }
    return Answer::yes;
  }
  if (name == "getopts" && fields.size() > 2 && (fields.size() > 3 || state_.arguments)) return next_option(fields);
  if (name == "read" || name == "mapfile" || name == "readarray" || name == "getopts") {
    return read_values(node, fields);
  }
  if (name == "eval") {
    std::string text;
    for (const Field &field : rest_of(fields, 1)) text += (text.empty() ? "" : " ") + field.text;
    run_text(text, fields.front().line);
    return Answer::unknown;
  }
  if (name == "." || name == "source") return source(fields);
  if ((name == "bash" || name == "sh" || name == "/bin/sh" || name == "/bin/bash") && fields.size() > 2 &&
      fields[1].text == "-c") {
    run_text(fields[2].text, fields[2].line);
    return Answer::unknown;
  }
  if (name == "bash" || name == "sh" || name == "/bin/sh" || name == "/bin/bash" || name == "exec" || name == "sudo") {
    std::size_t from = 1;
    while (from < fields.size() && fields[from].text.starts_with('-')) ++from;
    // "bash <<EOF", "... | sh": the script is what comes in.
    const bool shell = name != "exec" && name != "sudo" && from == fields.size();
    if (const auto text = !shell ? std::nullopt : node.input ? input_of(node) : input_) {
      const State before = state_;
      run_text(*text, fields.front().line);
      state_ = before;
      return Answer::unknown;
    }
    const Answer followed = run_script(fields, from, node);
    if (followed != Answer::unknown) return followed;
  }
  if (name == "command" && fields.size() == 3 && (fields[1].text == "-v" || fields[1].text == "-V")) {
    output(fields[2].text + "\n");
    return Answer::unknown;
  }
  if (name == "return" || name == "exit") {
    // Before a machine was started, an exit is a complaint (a missing argument, say): what would come after it is what
    // the script is for.
    if (name == "return" || !launches_.empty()) flow_ = name == "exit" ? Flow::leave_script : Flow::leave_function;
    const bool zero = fields.size() < 2 || fields[1].text == "0";
    return answer_of(zero);
  }
  if (name == "break" || name == "continue") {
    flow_ = name == "break" ? Flow::leave_loop : Flow::next_round;
    return Answer::yes;
  }
  return std::nullopt;
}

}  // namespace ferry::qemu::shell
