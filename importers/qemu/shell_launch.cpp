// SPDX-License-Identifier: Apache-2.0
// Which of a script's commands starts QEMU.
#include <algorithm>
#include <array>

#include "importers/qemu/option_table.hpp"
#include "importers/qemu/shell_reader.hpp"

#include "support/text.hpp"

namespace ferry::qemu {

bool is_qemu_program(std::string_view word) {
  const std::size_t slash = word.find_last_of("/\\");
  std::string name = text::lower_ascii(slash == std::string_view::npos ? word : word.substr(slash + 1));
  if (name.ends_with(".exe")) name.resize(name.size() - 4);
  if (name.starts_with("qemu-system-")) {
    // Names of packages, not of programs.
    for (const std::string_view package : {"common", "data", "gui", "misc", "modules-opengl", "modules-spice", "x86"}) {
      if (name.substr(std::string_view("qemu-system-").size()) == package) return false;
    }
    return name.find_first_of(" =,") == std::string::npos;
  }
  return name == "qemu-kvm" || name == "kvm" || name == "qemu" || name == "qemu-kvm-spice" || name == "kvm-spice";
}

namespace shell {
namespace {

// Commands that take another as their arguments.
constexpr std::array<std::string_view, 26> kWrappers = {
    "sudo",   "doas",    "exec",    "env",     "nice",        "nohup",   "time",      "taskset",    "chrt",
    "ionice", "numactl", "command", "setsid",  "systemd-run", "screen",  "tmux",      "gdb",        "strace",
    "pkexec", "cgexec",  "prlimit", "timeout", "stdbuf",      "optirun", "primusrun", "gamemoderun"};

// Commands that are about programs, not starts of them.
constexpr std::array<std::string_view, 43> kNoStarts = {
    "which",   "type",     "hash",  "echo",      "printf",   "pgrep", "pkill",  "killall", "man",
    "grep",    "egrep",    "apt",   "apt-get",   "dnf",      "yum",   "pacman", "zypper",  "brew",
    "apk",     "install",  "rm",    "cp",        "mv",       "ln",    "ls",     "cat",     "sed",
    "awk",     "ps",       "pidof", "systemctl", "modprobe", "chown", "chmod",  "usermod", "gpasswd",
    "adduser", "groupadd", "virsh", "whereis",   "tail",     "tee",   "test"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N> &names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The program cannot be told, but what follows is QEMU's.
bool looks_like_options(const std::vector<Field> &fields, std::size_t from) {
  std::size_t known = 0;
  for (std::size_t i = from; i < fields.size(); ++i) {
    if (fields[i].text.starts_with('-') && find_option(fields[i].text) != nullptr) ++known;
  }
  return known >= 3;
}

// One of QEMU's options stands before `end`: what follows is an option's argument, "-L /usr/share/qemu".
bool has_option(const std::vector<Field> &fields, std::size_t end) {
  return std::any_of(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(end), [](const Field &field) {
    return field.text.starts_with('-') && find_option(field.text) != nullptr;
  });
}

// "-version", "-machine help": QEMU answers and starts nothing.
bool asks_only(const std::vector<LaunchWord> &words) {
  return std::any_of(words.begin(), words.end(), [](const LaunchWord &word) {
    const std::string &text = word.text;
    return text == "-version" || text == "--version" || text == "-help" || text == "--help" || text == "-h" ||
           text == "help" || text == "?" || text.ends_with(",help") || text.ends_with("=?") || text.ends_with("=help");
  });
}

std::string numbers_text(const std::vector<std::uint64_t> &lines) {
  std::string out;
  for (const std::uint64_t line : lines) out += (out.empty() ? "" : ", ") + std::to_string(line);
  return out;
}

}  // namespace

// "-machine q35" as a command: a line of options that bash does not join with the one before.
void Reader::refuse_loose_options(const std::vector<Field> &fields) const {
  const std::string &first = fields.front().text;
  if (first.size() < 2 || first.front() != '-' || find_option(first) == nullptr) return;
  std::vector<std::uint64_t> lines = broken_lines_;
  if (lines.empty() && fields.front().line > 1) lines.push_back(fields.front().line - 1);
  throw Error(ErrorKind::malformed,
              {.where = {.file = file_, .line = fields.front().line},
               .message = "this line has QEMU options, but the shell does not join it to the command before it",
               .found = broken_lines_.empty() ? "no backslash at the end of line " + numbers_text(lines)
                                              : "blanks after the backslash at the end of line " + numbers_text(lines),
               .expected = "a backslash as the last character of each line but the command's last",
               .advice = "Correct these lines and try again."});
}

// quickemu calls it macos_release; others after it.
std::string Reader::macos_release() const {
  constexpr std::array<std::string_view, 6> kNames = {"macos_release", "macos_version",  "osx_version",
                                                      "osx_release",   "macosx_version", "macos"};
  if (const auto set = options_.set.find("macos_release"); set != options_.set.end()) return set->second;
  for (const auto &[name, variable] : state_.variables) {
    const bool known = std::find(kNames.begin(), kNames.end(), text::lower_ascii(name)) != kNames.end();
    if (known && variable.values.size() == 1 && !has_open(variable.values.front().text))
      return variable.values.front().text;
  }
  return {};
}

bool Reader::note_launch(const std::vector<Field> &fields, const Node &node) {
  std::size_t program = fields.size();
  const std::string first = std::filesystem::path(fields.front().text).filename().string();
  // "${PREFIX}qemu-system-x86_64", where nothing sets the variable.
  const auto is_program = [&](const Field &field) { return is_qemu_program(without_opens(field.text)); };
  if (is_program(fields.front())) {
    program = 0;
  } else if (contains(kNoStarts, first)) {
    return false;
  } else {
    const bool wrapper = contains(kWrappers, first);
    bool stopped = false;
    for (std::size_t i = 1; i < fields.size() && program == fields.size() && !stopped; ++i) {
      const std::string &text = fields[i].text;
      const std::string name = std::filesystem::path(text).filename().string();
      // A line of ps: "root 1234 ... /usr/bin/kvm -id 100 -name web".
      const bool listed = text.starts_with('/') && looks_like_options(fields, i + 1) && !has_option(fields, i);
      if (is_program(fields[i]) && (wrapper || listed || name.find("qemu-system-") != std::string::npos) &&
          fields[i - 1].text != "-C" && fields[i - 1].text != "-g") {
        program = i;
      }
      stopped = contains(kNoStarts, name);
    }
  }
  const bool open_program = program == fields.size() && has_open(fields.front().text) && looks_like_options(fields, 1);
  if (program == fields.size() && !open_program) return false;
  if (open_program) program = 0;
  Launch launch;
  launch.program = open_program ? std::string{} : without_opens(fields[program].text);
  launch.where = {.file = file_, .line = fields[program].line};
  for (std::size_t i = program + 1; i < fields.size(); ++i) {
    const std::string &text = fields[i].text;
    // Where an option waits for its argument, the question stays.
    const OptionSpec *before = launch.words.empty() ? nullptr : find_option(launch.words.back().text);
    if (fields[i].vanishes && (before == nullptr || before->form == OptionSpec::Form::flag)) continue;
    const bool blank_word = text.find_first_not_of(" \t") == std::string::npos && !text.empty();
    if (blank_word && !broken_lines_.empty()) {
      throw Error(ErrorKind::malformed,
                  {.where = {.file = file_, .line = broken_lines_.front()},
                   .message = "the shell does not join this line to the next one",
                   .found = "blanks after the backslash at the end of line " + numbers_text(broken_lines_),
                   .expected = "a backslash as the last character of the line",
                   .advice = "Correct these lines and try again."});
    }
    // A curly quote quotes nothing.
    const bool opened = text.starts_with("\u201c") || text.find("=\u201c") != std::string::npos;
    if (opened && text.find("\u201d") == std::string::npos) {
      throw Error(ErrorKind::malformed, {.where = {.file = file_, .line = fields[i].line},
                                         .message = "the shell does not treat curly quotes as quotes",
                                         .found = text::printable(text),
                                         .expected = "straight quotes (\")",
                                         .advice = "Correct this line and try again."});
    }
    launch.words.push_back({text, fields[i].line, file_});
  }
  if (asks_only(launch.words)) return true;
  for (const Assignment &assignment : node.assignments) {
    if (!assignment.array) launch.environment[assignment.name] = expand_one(assignment.values.front());
  }
  launch.inside = inside_;
  launch.macos_release = macos_release();
  if (state_.folder) launch.folder = *state_.folder;
  // The same words again (a loop, both arms of a condition) are the same machine.
  const auto same = std::any_of(launches_.begin(), launches_.end(), [&](const Launch &other) {
    return other.program == launch.program && other.folder == launch.folder &&
           std::equal(other.words.begin(), other.words.end(), launch.words.begin(), launch.words.end(),
                      [](const LaunchWord &a, const LaunchWord &b) { return a.text == b.text; });
  });
  refuse_long(launch);
  if (!same) launches_.push_back(std::move(launch));
  return true;
}

}  // namespace shell

std::vector<Launch> read_shell(std::string_view text, const std::filesystem::path &file, const ReadOptions &options) {
  return shell::Reader(file, options).read(text);
}

}  // namespace ferry::qemu
