// SPDX-License-Identifier: Apache-2.0
// What the shell and small programs print, where that follows from their arguments and from what they read.
#include <algorithm>
#include <utility>

#include "importers/qemu/shell_filters.hpp"
#include "importers/qemu/shell_reader.hpp"

#include "support/text.hpp"

namespace ferry::qemu::shell {
namespace {

namespace fs = std::filesystem;

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
  bool escapes = false;
  for (; from < fields.size() && fields[from].text.size() > 1 && fields[from].text.front() == '-' &&
         fields[from].text.find_first_not_of("neE", 1) == std::string::npos;
       ++from) {
    newline = newline && fields[from].text.find('n') == std::string::npos;
    escapes = escapes || fields[from].text.find('e') != std::string::npos;
  }
  for (std::size_t i = from; i < fields.size(); ++i) line += (i == from ? "" : " ") + fields[i].text;
  for (std::size_t i = 0; escapes && i + 1 < line.size(); ++i) {
    const char c = line[i] == '\\' ? line[i + 1] : '\0';
    if (c == 'n' || c == 't' || c == '\\') line.replace(i, 2, 1, c == 'n' ? '\n' : c == 't' ? '\t' : c);
  }
  output(line + (newline ? "\n" : ""));
}

void Reader::print_formatted(const std::vector<Field> &fields) {
  if (fields.size() >= 4 && fields[1].text == "-v") {
    std::vector<Field> rest = rest_of(fields, 2);
    const std::string name = std::exchange(rest.front().text, "printf");
    std::size_t next = 2;
    auto text = formatted(rest, next);
    if (!text) text = open(Open::Kind::command, name, "printf", fields[0].line);
    assign(name, {{std::move(*text), fields[0].line}}, false);
    return;
  }
  if (output_ == nullptr) return;
  if (fields.size() < 2) return unknown_output();
  std::string out;
  std::size_t next = std::min<std::size_t>(fields[1].text == "--" ? 3 : 2, fields.size());
  // The format again for arguments that are left.
  do {
    const std::size_t before = next;
    const auto once = formatted(fields, next);
    if (!once) return unknown_output();
    out += *once;
    charge(once->size());
    if (next == before) break;
  } while (next < fields.size());
  output(out);
}

// %s, %d, %02x and their like; nullopt for others, and where a number is not known.
std::optional<std::string> Reader::formatted(const std::vector<Field> &fields, std::size_t &next) const {
  const std::string &format = fields[fields[1].text == "--" && fields.size() > 2 ? 2 : 1].text;
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] == '\\' && i + 1 < format.size()) {
      const char c = format[++i];
      if (c != 'n' && c != 't' && c != '\\' && c != '"') return std::nullopt;
      out += c == 'n' ? '\n' : c == 't' ? '\t' : c;
      continue;
    }
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    const bool left = i + 1 < format.size() && format[i + 1] == '-';
    if (left) ++i;
    const bool zeros = i + 1 < format.size() && format[i + 1] == '0';
    std::size_t width = 0;
    while (i + 1 < format.size() && format[i + 1] >= '0' && format[i + 1] <= '9' && width < 100)
      width = width * 10 + static_cast<std::size_t>(format[++i] - '0');
    if (++i >= format.size()) return std::nullopt;
    if (format[i] == '%') {
      out += '%';
      continue;
    }
    std::string value = next < fields.size() ? fields[next++].text : std::string{};
    if (format[i] == 'q') {
      const auto quoted = has_open(value) ? std::nullopt : escaped_text(value);
      if (!quoted) return std::nullopt;
      value = *quoted;
    } else if (format[i] != 's') {
      const auto number = text::parse_i64(value.empty() ? "0" : value);
      if (!number || *number < 0) return std::nullopt;
      if (format[i] == 'x' || format[i] == 'X') {
        value = text::hex(static_cast<std::uint64_t>(*number), 1);
        if (format[i] == 'X') {
          for (char &c : value) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
        }
      } else if (format[i] == 'd' || format[i] == 'i' || format[i] == 'u') {
        value = std::to_string(*number);
      } else {
        return std::nullopt;
      }
    } else if (width > 0 && has_open(value)) {
      return std::nullopt;
    }
    if (value.size() < width && left) value.append(width - value.size(), ' ');
    if (value.size() < width) value.insert(0, width - value.size(), zeros && format[i] != 's' ? '0' : ' ');
    out += value;
  }
  return out;
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
  } else if (name == "uname" && (fields.size() == 1 || fields[1].text == "-s")) {
    output("Linux\n");
  } else if (name == "uname" && fields.size() == 2 && fields[1].text == "-m" && !options_.architecture.empty()) {
    output(options_.architecture + "\n");
  } else if (name == "expr" && fields.size() == 4) {
    const auto left = decided(fields[1].text), right = decided(fields[3].text);
    const auto value = left && right ? value_in(*left + " " + fields[2].text + " " + *right) : std::nullopt;
    if (!value) return false;
    output(std::to_string(*value) + "\n");
  } else if (name == "seq" && !values.empty() && values.size() == fields.size() - 1 && values.size() < 3) {
    const auto first = values.size() == 1 ? std::optional<std::uint64_t>(1) : text::parse_u64(values.front().text);
    const auto last = text::parse_u64(values.back().text);
    if (!first || !last || *last > 10'000) return false;
    for (std::uint64_t i = *first; i <= *last; ++i) output(std::to_string(i) + "\n");
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

std::optional<std::string> Reader::input_of(const Node &node) {
  return node.input ? decided(expand_one(*node.input)) : std::nullopt;
}

std::optional<Answer> Reader::filter(const std::vector<Field> &fields, const std::optional<std::string> &input) {
  if (fields.empty() || !is_filter(fs::path(fields.front().text).filename().string())) return std::nullopt;
  std::vector<std::string> words;
  std::optional<Filtered> out;
  for (const Field &field : fields) {
    const auto word = decided(field.text);
    if (!word) break;
    words.push_back(*word);
  }
  words.front() = fs::path(words.front()).filename().string();
  if (input) charge(input->size() * 2);
  if (input && words.size() == fields.size()) out = filter_text(words, *input);
  if (!out) {
    unknown_output();
    return Answer::unknown;
  }
  output(out->output);
  return answer_of(out->found);
}

// read A B: what is known of a text behind <<<, one word for each name and the rest for the last.
Answer Reader::read_values(const Node &node, const std::vector<Field> &fields) {
  const std::string name = fields.front().text;
  std::vector<std::string> names;
  bool array = name != "read";
  for (std::size_t i = 1; i < fields.size(); ++i) {
    const std::string &word = fields[i].text;
    array =
        array || (word.starts_with('-') && word.find('a') != std::string::npos && word.find('=') == std::string::npos);
    // -p "text", -d x, -n 1, -t 5
    const bool takes = name == "read" && word.size() > 1 && std::string_view("pdntNu").find(word.back()) < 6;
    if (word.starts_with('-')) {
      i += takes ? 1 : 0;
    } else if (name != "getopts" || i > 1) {
      names.push_back(word);
    }
  }
  std::optional<std::string> text = name == "getopts" ? std::nullopt : input_of(node);
  Answer answer = text ? Answer::yes : Answer::unknown;
  if (name != "getopts" && !node.input && input_) {
    answer = answer_of(!input_->empty());
    const std::size_t end = name == "read" ? std::min(input_->find('\n'), input_->size()) : input_->size();
    text = input_->substr(0, end);
    input_->erase(0, std::min(end + 1, input_->size()));
  }
  std::string separators = " \t\n";
  for (const Assignment &assignment : node.assignments) {
    if (assignment.name == "IFS" && !assignment.array) separators = expand_one(assignment.values.front());
  }
  std::vector<Field> words;
  if (text) {
    const std::string line = name == "read" ? text->substr(0, text->find('\n')) : *text;
    const std::string ends = name == "read" ? separators : "\n";
    for (std::size_t at = 0; at <= line.size();) {
      const bool last = !array && words.size() + 1 == names.size();
      const std::size_t end = last || ends.empty() ? line.size() : std::min(line.find_first_of(ends, at), line.size());
      if (end > at) words.push_back({std::string(text::trim(line.substr(at, end - at))), fields[0].line});
      at = end + 1;
    }
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].find_first_of(" :") != std::string::npos) continue;
    if (!text) {
      assign(names[i], {{open(Open::Kind::command, names[i], name + " " + names[i], fields[0].line), fields[0].line}},
             false);
    } else if (array) {
      assign(names[i], words, true);
    } else {
      assign(names[i], {i < words.size() ? words[i] : Field{{}, fields[0].line}}, false);
    }
  }
  return answer;
}

}  // namespace ferry::qemu::shell
