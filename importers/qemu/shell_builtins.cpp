// SPDX-License-Identifier: Apache-2.0
// What the shell does itself, and programs whose output follows from their arguments.
#include <algorithm>
#include <fstream>

#include "importers/qemu/shell_reader.hpp"

#include "support/text.hpp"

namespace ferry::qemu::shell {
namespace {

namespace fs = std::filesystem;

std::vector<Field> rest_of(const std::vector<Field> &fields, std::size_t from) {
  return {fields.begin() + static_cast<std::ptrdiff_t>(std::min(from, fields.size())), fields.end()};
}

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

void Reader::output(const std::string &text) {
  if (output_ == nullptr) return;
  charge(text.size());
  *output_ += text;
}

void Reader::unknown_output() {
  if (output_ != nullptr) output_known_ = false;
}

void Reader::print(const std::vector<Field> &fields) {
  if (output_ == nullptr) return;
  std::string line;
  std::size_t from = 1;
  bool newline = true;
  while (from < fields.size() && (fields[from].text == "-n" || fields[from].text == "-e")) {
    newline = newline && fields[from++].text != "-n";
  }
  for (std::size_t i = from; i < fields.size(); ++i) line += (i == from ? "" : " ") + fields[i].text;
  output(line + (newline ? "\n" : ""));
}

void Reader::print_formatted(const std::vector<Field> &fields) {
  if (fields.size() >= 4 && fields[1].text == "-v") {
    assign(fields[2].text, {{open(Open::Kind::command, fields[2].text, "printf", fields[0].line), fields[0].line}},
           false);
    return;
  }
  if (output_ == nullptr) return;
  if (fields.size() < 2) return unknown_output();
  std::string out;
  std::size_t next = 2;
  const std::string &format = fields[1].text;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] == '\\' && i + 1 < format.size() && format[i + 1] == 'n') {
      out += '\n';
      ++i;
    } else if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
    } else if (format[i + 1] == 's' || format[i + 1] == 'd') {
      out += next < fields.size() ? fields[next++].text : "";
      ++i;
    } else {
      return unknown_output();
    }
  }
  output(out);
}

bool Reader::print_known(const std::vector<Field> &fields) {
  const std::string name = fs::path(fields.front().text).filename().string();
  std::vector<Field> values;
  for (const Field &field : rest_of(fields, 1)) {
    if (!field.text.starts_with('-')) values.push_back(field);
  }
  const auto path = values.empty() ? std::optional<std::string>{} : decided(values.front().text);
  if (name == "nproc") {
    host_values_.push_back({file_, fields.front().line, "nproc"});
    output(std::to_string(options_.processors) + "\n");
  } else if (name == "uname" && fields.size() == 1) {
    output("Linux\n");
  } else if (name == "whoami" && options_.environment.contains("USER")) {
    output(options_.environment.at("USER") + "\n");
  } else if (!path) {
    return false;
  } else if (name == "dirname") {
    const fs::path parent = fs::path(*path).parent_path();
    output((parent.empty() ? "." : parent.string()) + "\n");
  } else if (name == "basename") {
    std::string base = fs::path(*path).filename().string();
    if (values.size() > 1 && base.ends_with(values[1].text) && base != values[1].text) {
      base.resize(base.size() - values[1].text.size());
    }
    output(base + "\n");
  } else if (name == "realpath" || name == "readlink") {
    output(absolute(*path) + "\n");
  } else if (name == "which") {
    output(*path + "\n");
  } else {
    return false;
  }
  return true;
}

Answer Reader::declare(const Node &node, const std::vector<Field> &fields) {
  for (const Assignment &assignment : node.assignments) assign(assignment);
  // The words are read again, as assignments: their values are not split.
  for (std::size_t i = 1; i < node.words.size(); ++i) {
    Word word = node.words[i];
    if (word.parts.empty() || word.parts.front().kind != Part::Kind::literal) continue;
    std::string &first = word.parts.front().text;
    const std::size_t equals = first.find('=');
    if (equals == std::string::npos || equals == 0 || first.front() == '-') continue;
    std::string name = first.substr(0, equals);
    const bool append = name.ends_with('+');
    if (append) name.pop_back();
    first.erase(0, equals + 1);
    assign(Assignment{.name = name, .append = append, .values = {word}, .line = word.line});
  }
  return fields.size() > 1 && fields[1].text == "-p" ? Answer::unknown : Answer::yes;
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
  const fs::path folder = main_file_.parent_path();
  fs::path path;
  if (named && !named->empty()) path = absolute(*named);
  std::error_code error;
  if (path.empty() || !inside(path, folder) || !fs::is_regular_file(path, error) ||
      fs::file_size(path, error) > kMostText || depth_ >= kMostDepth || path == main_file_) {
    unread_.push_back(place);
    return Answer::unknown;
  }
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in || text.find('\0') != std::string::npos || has_open(text)) {
    unread_.push_back(place);
    return Answer::unknown;
  }
  charge(text.size());
  ++depth_;
  const fs::path outer = file_;
  file_ = path;
  sourced_.push_back(path);
  scripts_.push_back(std::make_unique<Script>(parse(text, file_)));
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
    for (const Field &field : rest_of(fields, 1)) state_.variables.erase(field.text);
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
  if (name == "cd" || name == "pushd") return change_folder(fields);
  if (name == "pwd") {
    output((state_.folder ? *state_.folder : main_file_.parent_path().string()) + "\n");
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
      const std::size_t equals = field.text.find('=');
      if (equals == std::string::npos || equals == 0) continue;
      Part part{.kind = Part::Kind::arithmetic, .text = field.text.substr(equals + 1)};
      part.operands.push_back(Word{.parts = {{.quoted = true, .text = part.text}}});
      assign(field.text.substr(0, equals), {{calculate(part, field.line), field.line}}, false);
    }
    return Answer::yes;
  }
  if (name == "read" || name == "mapfile" || name == "readarray" || name == "getopts") {
    for (const Field &field : rest_of(fields, 1)) {
      if (field.text.starts_with('-') || field.text.find_first_of(" :") != std::string::npos) continue;
      if (name == "getopts" && &field == &fields[1]) continue;
      assign(field.text, {{open(Open::Kind::command, field.text, name + " " + field.text, field.line), field.line}},
             false);
    }
    return Answer::unknown;
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
