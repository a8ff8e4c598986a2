// SPDX-License-Identifier: Apache-2.0
// What kind of text starts QEMU here.
#include "importers/qemu/launch.hpp"

#include <algorithm>
#include <array>

#include "importers/qemu/option_table.hpp"
#include "importers/qemu/shell_syntax.hpp"

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

// Calls `visit` with each line until it says false.
template <class Visit>
void each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (!visit(text.substr(0, end))) return;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

bool is_shell_name(std::string_view line) {
  for (const std::string_view name : {"sh", "bash", "zsh", "dash", "ksh", "ash"}) {
    const std::size_t at = line.rfind(name);
    if (at == std::string_view::npos || at == 0) continue;
    const std::string_view after = line.substr(at + name.size());
    const bool ends = after.empty() || std::string_view(" \t\r/").find(after.front()) != std::string_view::npos;
    if (ends && (line[at - 1] == '/' || line[at - 1] == ' ')) return true;
  }
  return false;
}

bool looks_like_batch(std::string_view text) {
  unsigned signs = 0;
  bool dollar = false;
  each_line(text, [&](std::string_view line) {
    std::string_view trimmed = text::trim(line);
    const std::string small = text::lower_ascii(trimmed);
    if (small.starts_with("@echo off") || small.starts_with("@ ") || small.starts_with("setlocal") ||
        small.starts_with("@setlocal") || small.starts_with("@rem") || small.starts_with("@echo"))
      signs += 2;
    if (small.starts_with("rem ") || small.starts_with("::") || small.starts_with("set \"") || small == "pause")
      signs += 1;
    if (small.starts_with("set ") && small.find('=') != std::string::npos) signs += 1;
    if (trimmed.ends_with('^')) signs += 2;
    if (small.find(".exe") != std::string::npos || small.find("%~dp0") != std::string::npos) signs += 2;
    dollar = dollar || trimmed.find('$') != std::string_view::npos || trimmed.ends_with('\\');
    return true;
  });
  return signs >= 2 && !dollar;
}

bool looks_like_makefile(std::string_view text) {
  bool target = false, found = false;
  each_line(text, [&](std::string_view line) {
    if (target && line.starts_with('\t')) found = true;
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, std::min(colon, line.size()));
    target = colon != std::string_view::npos && colon > 0 && line.front() != '#' && line.front() != '\t' &&
             line.front() != ' ' && line.front() != '-' && line.substr(colon, 2) != ":=" && !line.ends_with('\\') &&
             name.find_first_of("\"'=;&|") == std::string_view::npos &&
             !is_qemu_program(name.substr(0, name.find(' ')));
    found = found || line.starts_with(".PHONY");
    return !found;
  });
  return found;
}

bool looks_like_program(std::string_view text) {
  bool found = false;
  unsigned lines = 0;
  each_line(text, [&](std::string_view line) {
    for (const std::string_view begin :
         {"import ", "from ", "def ",    "package ", "#include", "use ",      "require ",
          "class ",  "---",   "- name:", "- hosts",  "[Unit]",   "[Service]", "<?xml",
          "<domain", "<html", "FROM ",   "{ pkgs",   "{ config", "fn main",   "public class"}) {
      if (line.starts_with(begin)) found = true;
    }
    return !found && ++lines < 200;
  });
  return found;
}

// Markdown, with commands between lines of ```.
bool has_fences(std::string_view text) {
  bool found = false;
  each_line(text, [&](std::string_view line) {
    found = text::trim(line).starts_with("```");
    return !found;
  });
  return found;
}

// The command's first line, without a prompt.
std::string_view without_prompt(std::string_view line) {
  line = text::trim(line);
  for (const std::string_view prompt : {"$ ", "% ", "> ", "Running:", "Launching:"}) {
    if (line.starts_with(prompt)) return text::trim(line.substr(prompt.size()));
  }
  return line;
}

// A command pasted without backslashes: the program, then nothing but options; or options alone.
bool looks_pasted(std::string_view text) {
  bool all = true, first = true;
  std::size_t lines = 0;
  each_line(text, [&](std::string_view line) {
    const std::string_view trimmed = first ? without_prompt(line) : text::trim(line);
    if (trimmed.empty()) return true;
    ++lines;
    const std::string_view word = trimmed.substr(0, trimmed.find_first_of(" \t"));
    all = all && !trimmed.ends_with('\\') &&
          ((first && is_qemu_program(word)) || (word.size() > 1 && find_option(word) != nullptr));
    first = false;
    return all;
  });
  const std::string_view start = without_prompt(first_line(text));
  return all && (lines > 1 || (lines == 1 && start.starts_with('-')));
}

// Backslashes where the lines are to be joined, so that line numbers stay.
std::vector<Launch> read_pasted(std::string_view text, const std::filesystem::path &file, const ReadOptions &options) {
  std::string joined;
  bool first = true, no_program = false;
  each_line(text, [&](std::string_view line) {
    if (first && !text::trim(line).empty()) {
      const std::string_view start = without_prompt(line);
      no_program = start.starts_with('-');
      joined += (no_program ? "qemu-system-x86_64 " : "") + std::string(start) + " \\\n";
      first = false;
    } else {
      joined += std::string(text::trim(line)) + (first ? "\n" : " \\\n");
    }
    return true;
  });
  std::vector<Launch> out = read_shell(joined, file, options);
  for (Launch &launch : out) {
    if (no_program) launch.program.clear();
  }
  return out;
}

// A line of prose that is a command: where it begins, behind prompts. "Running: -m 1G", as UTM logs it, has no program.
std::optional<std::string> command_line(std::string_view line) {
  std::string_view start = text::trim(line);
  for (const std::string_view mark : {"Running:", "Launching:"}) {
    const std::size_t at = start.find(mark);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = text::trim(start.substr(at + mark.size()));
    if (rest.starts_with('-') && find_option(rest.substr(0, rest.find_first_of(" \t"))) != nullptr)
      return "qemu-system-x86_64 " + std::string(rest);
    if (is_qemu_program(rest.substr(0, rest.find_first_of(" \t")))) return std::string(rest);
  }
  start = without_prompt(start);
  std::string_view rest = start;
  bool argument = false;  // of an option before the program: nice -n 10
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of(" \t\r"), rest.size());
    const std::string_view word = rest.substr(0, end);
    if (is_qemu_program(word)) return std::string(start);
    const bool setting = word.find('=') != std::string_view::npos && word.front() >= 'A' && word.front() <= 'Z';
    bool wrapper = false;
    for (const std::string_view name : {"sudo", "doas", "exec", "nice", "nohup", "time", "taskset", "env", "setsid"})
      wrapper = wrapper || word == name;
    if (!wrapper && !setting && !argument && !word.starts_with('-')) return std::nullopt;
    argument = word.starts_with('-');
    if (word.starts_with('-') && rest.data() == start.data()) return std::nullopt;
    rest = text::trim(rest.substr(end));
  }
  return std::nullopt;
}

// In prose the command stands on lines of its own.
std::vector<Launch> read_prose(std::string_view text, const std::filesystem::path &file, const ReadOptions &options) {
  std::vector<Launch> out;
  std::string command;
  std::uint64_t number = 0, since = 0;
  bool no_program = false;
  const auto finish = [&] {
    if (command.empty()) return;
    try {
      for (Launch &launch : read_shell(std::string(since - 1, '\n') + command, file, options)) {
        const bool has_options = std::any_of(launch.words.begin(), launch.words.end(),
                                             [](const LaunchWord &word) { return find_option(word.text) != nullptr; });
        if (no_program) launch.program.clear();
        if (has_options) out.push_back(std::move(launch));
      }
    } catch (const Error &error) {
      if (error.kind() != ErrorKind::malformed) throw;
    }
    command.clear();
  };
  each_line(text, [&](std::string_view line) {
    ++number;
    if (command.empty()) {
      const auto start = command_line(line);
      if (!start) return true;
      since = number;
      command = *start;
      no_program = line.find("qemu-system-") == std::string_view::npos && line.find(command) == std::string_view::npos;
    } else {
      command += "\n" + std::string(line);
    }
    if (!command.ends_with('\\')) finish();
    return out.size() < 100;
  });
  finish();
  return out;
}

// No shell text, and not meant to be: a page that shows a command.
bool is_prose(std::string_view text, const std::filesystem::path &file) {
  if (text.starts_with("#!") || text.find("<<") != std::string_view::npos) return false;
  try {
    (void)shell::parse(text, file);
    return false;
  } catch (const Error &error) {
    if (error.kind() != ErrorKind::malformed) throw;
    // A command that is the whole text and is broken is told so.
    const std::string_view first = without_prompt(first_line(text::trim(text)));
    return !is_qemu_program(first.substr(0, first.find_first_of(" \t")));
  }
}

[[noreturn]] void refuse_program(const std::filesystem::path &file, std::string found) {
  throw Error(
      ErrorKind::unsupported,
      {.where = {.file = file},
       .message = "this is a program that may start QEMU, not a QEMU command",
       .found = std::move(found),
       .expected = "a shell script, a batch file, or a command line",
       .advice =
           "Put the command that it runs into a file of its own and give that, or give pid:N while the machine runs."});
}

}  // namespace

TextKind text_kind(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return is_qemu_program(text.substr(0, text.find('\0'))) ? TextKind::words : TextKind::none;
  }
  const auto control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 && c != '\n' && c != '\t' && c != '\r' && c != '\f' && c != '\x1b';
  };
  if (std::any_of(text.begin(), text.end(), control)) return TextKind::none;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.starts_with("#!")) return is_shell_name(first_line(text)) ? TextKind::shell : TextKind::program;
  if (looks_like_batch(text)) return TextKind::batch;
  if (has_fences(text)) return TextKind::prose;
  if (looks_like_program(text)) return TextKind::program;
  if (looks_pasted(text)) return TextKind::pasted;
  if (looks_like_makefile(text)) return TextKind::makefile;
  return TextKind::shell;
}

void refuse_long(const Launch &launch) {
  if (launch.words.size() <= kMostLaunchWords) return;
  throw Error(
      ErrorKind::unsupported,
      {.where = launch.where, .message = "the command has more than " + std::to_string(kMostLaunchWords) + " words"});
}

std::vector<Launch> read_word_list(std::string_view text, const std::filesystem::path &file) {
  Launch launch;
  launch.where = {.file = file};
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\0'), text.size());
    if (text.substr(0, end).find_first_of(std::string{kOpenBegin, kOpenEnd}) != std::string_view::npos) {
      throw Error(ErrorKind::malformed, {.where = launch.where, .message = "a word holds control characters"});
    }
    if (first) {
      launch.program = std::string(text.substr(0, end));
    } else {
      launch.words.push_back({std::string(text.substr(0, end)), 0, file});
    }
    first = false;
    refuse_long(launch);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {std::move(launch)};
}

std::vector<Launch> read_launches(std::string_view text, const std::filesystem::path &file,
                                  const ReadOptions &options) {
  if (text.size() > shell::kMostText) {
    throw Error(ErrorKind::unsupported, {.where = {.file = file},
                                         .message = "the file is too long to be one that starts a machine",
                                         .found = text::human_bytes(text.size()),
                                         .expected = "at most " + text::human_bytes(shell::kMostText)});
  }
  std::string plain(text);
  if (plain.find('\0') == std::string::npos) {
    if (plain.starts_with("\xEF\xBB\xBF")) plain.erase(0, 3);
    std::erase(plain, '\r');
  }
  std::vector<Launch> out;
  switch (text_kind(plain)) {
    case TextKind::none: break;
    case TextKind::words: out = read_word_list(plain, file); break;
    case TextKind::batch: out = read_batch(plain, file, options); break;
    case TextKind::makefile: refuse_program(file, "a Makefile");
    case TextKind::program:
      // A page that only looks like one may show a command.
      if (!plain.starts_with("#!")) out = read_prose(plain, file, options);
      if (out.empty()) refuse_program(file, std::string(first_line(plain)).substr(0, 60));
      break;
    case TextKind::pasted: out = read_pasted(plain, file, options); break;
    case TextKind::shell:
      out = is_prose(plain, file) ? std::vector<Launch>{} : read_shell(plain, file, options);
      if (out.empty() && !plain.starts_with("#!") && plain.find("<<") == std::string::npos)
        out = read_prose(plain, file, options);
      break;
    case TextKind::prose: out = read_prose(plain, file, options);
  }
  for (const Launch &launch : out) refuse_long(launch);
  if (out.empty() && plain.find("qemu-system-") != std::string::npos) {
    throw Error(ErrorKind::unsupported,
                {.where = {.file = file},
                 .message = "the file starts no QEMU, as far as can be told without running it",
                 .expected = "a script or a command line that runs qemu-system-x86_64, qemu-kvm or the like",
                 .advice = "Put the command that it runs into a file of its own and give that, or give pid:N while the "
                           "machine runs."});
  }
  if (out.empty()) {
    throw Error(ErrorKind::unsupported,
                {.where = {.file = file},
                 .message = "the file starts no QEMU",
                 .expected = "a script or a command line that runs qemu-system-x86_64, qemu-kvm or the like",
                 .advice = "Name the script that starts the machine, or pid:N while it runs."});
  }
  return out;
}

}  // namespace ferry::qemu
