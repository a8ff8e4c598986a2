// SPDX-License-Identifier: Apache-2.0
// Batch files of Windows: variables, carets, quotes. IF, FOR and GOTO are not followed.
// Facts: "set /?", "cmd /?", and what scripts in the wild do.
#include <algorithm>
#include <map>

#include "importers/qemu/launch.hpp"
#include "importers/qemu/option_table.hpp"

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

constexpr std::size_t kMostExpanded = 1U << 20U;  // bytes of one line

class BatchReader {
 public:
  BatchReader(std::filesystem::path file, const ReadOptions &options) : file_(std::move(file)), options_(options) {}

  std::vector<Launch> read(std::string_view text) {
    for (std::uint64_t number = 1; !text.empty();) {
      line_ = number;
      std::string line = next_line(text, number);
      while (ends_in_caret(line) && !text.empty()) {
        line.pop_back();
        line += next_line(text, number);
      }
      run_line(line);
    }
    for (Launch &launch : launches_) {
      launch.opens = opens_;
      launch.undecided = undecided_;
    }
    return std::move(launches_);
  }

 private:
  static std::string next_line(std::string_view &text, std::uint64_t &number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.pop_back();
    return line;
  }

  static bool ends_in_caret(const std::string &line) { return line.ends_with('^') && !line.ends_with("^^"); }

  // The first word in small letters, and what follows it.
  static std::pair<std::string, std::string> head_of(std::string_view line) {
    const std::size_t end = std::min(line.find_first_of(" \t(\""), line.size());
    return {text::lower_ascii(line.substr(0, end)), std::string(text::trim(line.substr(end)))};
  }

  // "a && b", "a | b": commands side by side.
  static std::vector<std::string> commands_of(const std::string &line) {
    std::vector<std::string> out(1);
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (c == '"') quoted = !quoted;
      if (!quoted && c == '^' && i + 1 < line.size()) {
        out.back() += line.substr(i++, 2);
      } else if (!quoted && (c == '&' || c == '|')) {
        out.emplace_back();
      } else {
        out.back() += c;
      }
    }
    return out;
  }

  void run_line(const std::string &line) {
    std::string_view trimmed = text::trim(line);
    while (trimmed.starts_with('@')) trimmed = text::trim(trimmed.substr(1));
    const std::string name = head_of(trimmed).first;
    if (depth_ > 0 || name == "if" || name == "for" || name == "rem" || trimmed.starts_with(':')) return run(trimmed);
    for (const std::string &command : commands_of(std::string(trimmed))) run(command);
  }

  void run(std::string_view line) {
    std::string_view trimmed = text::trim(line);
    while (trimmed.starts_with('@')) trimmed = text::trim(trimmed.substr(1));
    if (trimmed.empty() || trimmed.starts_with("::") || trimmed.starts_with(':')) return;
    if (depth_ > 0) return skipped(trimmed);
    const auto [name, rest] = head_of(trimmed);
    if (name == "setlocal") delayed_ = text::lower_ascii(rest).find("enabledelayedexpansion") != std::string::npos;
    if (name == "rem" || name == "echo" || name == "echo." || name == "setlocal" || name == "endlocal" ||
        name == "pause" || name == "title" || name == "color" || name == "exit") {
      return;
    }
    if (name == "if" || name == "for") {
      inside_.push_back({{file_, line_, {}}, std::string(trimmed.substr(0, 80)), {}});
      undecided_.push_back(inside_.back());
      skipped(trimmed);
      if (depth_ == 0) inside_.clear();
      return;
    }
    if (name == "set") return assign(rest);
    if (name == "cd" || name == "chdir" || name == "pushd") {
      std::string folder = rest;
      if (folder.starts_with("/d ") || folder.starts_with("/D ")) folder = folder.substr(3);
      const std::vector<LaunchWord> words = split(expand(folder));
      if (!words.empty() && !has_open(words.front().text)) folder_ = words.front().text;
      return;
    }
    start(split(expand(std::string(trimmed))));
  }

  // A line of a block that may or may not be gone through: its starts count.
  void skipped(std::string_view line) {
    if (!undecided_.empty()) {
      for (const LaunchWord &word : split(std::string(line))) {
        // "EXTRA=-hdb" of a SET
        const std::string option = word.text.substr(word.text.find('=') + 1);
        if (find_option(option) != nullptr) undecided_.back().options.push_back(option);
      }
    }
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      if (quoted) continue;
      if (c == '(') ++depth_;
      if (c == ')' && depth_ > 0) --depth_;
    }
    in_block_ = true;
    for (const std::string &command : commands_of(std::string(line))) start(split(expand(command)));
    in_block_ = false;
    if (depth_ == 0) inside_.clear();
  }

  void assign(std::string rest) {
    if (rest.starts_with("/p") || rest.starts_with("/P")) return;  // asks the user: open
    if (rest.starts_with("/a") || rest.starts_with("/A")) return;
    if (rest.starts_with('"')) {
      rest.erase(0, 1);
      const std::size_t quote = rest.rfind('"');
      if (quote != std::string::npos) rest.resize(quote);
    }
    const std::size_t equals = rest.find('=');
    if (equals == std::string::npos || equals == 0) return;
    const std::string name = text::lower_ascii(text::trim(rest.substr(0, equals)));
    if (is_set(name) == nullptr) variables_[name] = expand(rest.substr(equals + 1));
  }

  [[nodiscard]] const std::string *is_set(const std::string &name) const {
    for (const auto &[given, value] : options_.set) {
      if (text::iequals_ascii(given, name)) return &value;
    }
    return nullptr;
  }

  std::string open(Open::Kind kind, const std::string &name, const std::string &written) {
    if (const std::string *given = is_set(name)) return *given;
    if (opens_.size() > 10'000) too_long();
    opens_.push_back({kind, name, written, {file_, line_, {}}});
    return open_mark(opens_.size() - 1);
  }

  [[noreturn]] void too_long() const {
    throw Error(ErrorKind::unsupported,
                {.where = {.file = file_, .line = line_},
                 .message = "the file does more than a script that starts a machine would",
                 .advice = "Put the command line that it runs into a file of its own and give that."});
  }

  std::string expand(const std::string &line) {
    std::string out;
    for (std::size_t at = 0; at < line.size();) {
      if (out.size() > kMostExpanded) too_long();
      if (delayed_ && line[at] == '!') {
        const std::size_t end = line.find('!', at + 1);
        if (end != std::string::npos) {
          out += value_of(line.substr(at + 1, end - at - 1));
          at = end + 1;
          continue;
        }
      }
      if (line[at] != '%') {
        out += line[at++];
        continue;
      }
      if (at + 1 < line.size() && (line[at + 1] == '*' || line[at + 1] == '%')) {
        if (line[at + 1] == '%') out += '%';
        at += 2;
        continue;
      }
      if (line.compare(at, 5, "%~dp0") == 0) {
        out += file_.parent_path().string() + "/";
        at += 5;
        if (at < line.size() && (line[at] == '\\' || line[at] == '/')) ++at;
        continue;
      }
      if (at + 1 < line.size() && ((line[at + 1] >= '1' && line[at + 1] <= '9') || line[at + 1] == '~')) {
        const std::size_t digit = line.find_first_of("123456789", at);
        const std::string number = digit == std::string::npos ? "1" : line.substr(digit, 1);
        out += open(Open::Kind::argument, number, "%" + number);
        at = digit == std::string::npos ? line.size() : digit + 1;
        continue;
      }
      const std::size_t end = line.find('%', at + 1);
      if (end == std::string::npos) {
        out += line[at++];
        continue;
      }
      out += value_of(line.substr(at + 1, end - at - 1));
      at = end + 1;
    }
    return out;
  }

  std::string value_of(const std::string &name) {
    const std::string small = text::lower_ascii(name);
    if (const std::string *given = is_set(small)) return *given;
    if (const auto found = variables_.find(small); found != variables_.end()) return found->second;
    if (small == "cd") return file_.parent_path().string();
    return open(Open::Kind::unset, name, "%" + name + "%");
  }

  // Quotes hold words together; a caret takes the next character as it is; backslashes are the paths' slashes.
  std::vector<LaunchWord> split(const std::string &line) {
    std::vector<LaunchWord> out;
    second_quoted_ = false;
    std::string word;
    bool there = false, quoted = false;
    const auto finish = [&] {
      if (there) out.push_back({word, line_, file_});
      word.clear();
      there = false;
    };
    for (std::size_t i = 0; i < line.size(); ++i) {
      char c = line[i];
      if (c == '"') {
        quoted = !quoted;
        there = true;
        second_quoted_ = second_quoted_ || out.size() == 1;
      } else if (!quoted && (c == ' ' || c == '\t')) {
        finish();
      } else if (!quoted && (c == '>' || c == '|' || c == '&')) {
        break;  // redirections and other commands
      } else {
        if (c == '^' && !quoted && i + 1 < line.size()) c = line[++i];
        word += c == '\\' ? '/' : c;
        there = true;
      }
    }
    finish();
    return out;
  }

  void start(std::vector<LaunchWord> words) {
    std::size_t program = 0;
    // Behind IF's own words.
    while (in_block_ && program < words.size() && !is_qemu_program(words[program].text)) ++program;
    if (!words.empty() && (text::iequals_ascii(words[0].text, "start") || text::iequals_ascii(words[0].text, "call"))) {
      program += second_quoted_ ? 2 : 1;  // start "title" program
      while (program < words.size() && !is_qemu_program(words[program].text)) ++program;
    }
    if (program >= words.size() || !is_qemu_program(words[program].text)) return;
    Launch launch;
    launch.program = words[program].text;
    launch.where = {.file = file_, .line = words[program].line};
    launch.words.assign(words.begin() + static_cast<std::ptrdiff_t>(program) + 1, words.end());
    // A variable that nobody sets is nothing, when nothing stands beside it.
    std::erase_if(launch.words, [&](const LaunchWord &word) {
      const auto numbers = opens_in(word.text);
      return numbers.size() == 1 && word.text == open_mark(numbers[0]) && opens_[numbers[0]].kind == Open::Kind::unset;
    });
    launch.inside = inside_;
    if (folder_) launch.folder = *folder_;
    launches_.push_back(std::move(launch));
  }

  std::filesystem::path file_;
  const ReadOptions &options_;
  std::uint64_t line_ = 1;
  std::map<std::string, std::string> variables_;  // by small letters: cmd does not tell them apart
  std::optional<std::string> folder_;
  std::vector<Open> opens_;
  std::vector<Undecided> undecided_, inside_;
  std::vector<Launch> launches_;
  unsigned depth_ = 0;          // of brackets after IF and FOR
  bool second_quoted_ = false;  // of the words that were split last
  bool in_block_ = false;       // what is started hangs on an IF
  bool delayed_ = false;        // !NAME! is a variable too
};

}  // namespace

std::vector<Launch> read_batch(std::string_view text, const std::filesystem::path &file, const ReadOptions &options) {
  return BatchReader(file, options).read(text);
}

}  // namespace ferry::qemu
