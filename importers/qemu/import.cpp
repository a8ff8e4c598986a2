// SPDX-License-Identifier: Apache-2.0
#include <sys/utsname.h>
#include <thread>

#include "importers/qemu/context.hpp"
#include "importers/qemu/qemu.hpp"
#include "importers/qemu/readconfig.hpp"
#include "importers/qemu/shell_syntax.hpp"

#include "support/file.hpp"
#include "support/folders.hpp"
#include "support/text.hpp"

namespace ferry::qemu {
namespace {

namespace fs = std::filesystem;

ReadOptions read_options(const ImportOptions &options) {
  ReadOptions out;
  out.set = options.set;
  if (const auto home = folders::home()) out.environment["HOME"] = home->string();
  for (const char *name : {"USER", "LOGNAME"}) {
    if (const char *value = std::getenv(name)) out.environment[name] = value;
  }
  out.processors = std::max(1U, std::thread::hardware_concurrency());
  if (utsname names{}; uname(&names) == 0) out.architecture = names.machine;
  return out;
}

// /proc/PID/cmdline: the process's own folder is beside it.
void find_folder(Launch &launch, const fs::path &file) {
  std::error_code error;
  if (file.string().starts_with("/proc/")) {
    const fs::path folder = fs::read_symlink(file.parent_path() / "cwd", error);
    if (!error) launch.folder = folder;
  }
}

constexpr std::size_t kMostConfigs = 50;  // files that -readconfig names; each may have 1 MiB

[[noreturn]] void refuse_configs(const Launch &launch) {
  throw Error(ErrorKind::unsupported,
              {.where = launch.where,
               .message = "the command reads more than " + std::to_string(kMostConfigs) + " configuration files"});
}

// Options of a file that the command names come at its place.
void expand_configs(Launch &launch, const ImportOptions &options, std::vector<Finding> &findings) {
  std::size_t files = 0;
  std::vector<LaunchWord> words;
  for (std::size_t i = 0; i < launch.words.size(); ++i) {
    const LaunchWord &word = launch.words[i];
    words.push_back(word);
    if ((word.text != "-readconfig" && word.text != "--readconfig") || i + 1 == launch.words.size()) continue;
    if (++files > kMostConfigs) refuse_configs(launch);
    words.push_back(launch.words[++i]);
    fs::path path(launch.words[i].text);
    if (path.is_relative()) {
      path = options.base.value_or(launch.folder ? fs::path(*launch.folder) : launch.where.file.parent_path()) / path;
    }
    std::error_code error;
    std::optional<std::vector<LaunchWord>> inside;
    if (fs::is_regular_file(path, error)) inside = read_config(file::read_start(path, shell::kMostText + 1), path);
    if (inside) {
      words.insert(words.end(), inside->begin(), inside->end());
      if (words.size() > kMostLaunchWords) break;  // refused below
    } else {
      findings.push_back(ferry::raise(kReadconfig, {word.file, word.line, {}},
                                      "The options in " + text::printable(path.string()) + " could not be read."));
    }
  }
  launch.words = std::move(words);
  refuse_long(launch);
}

void tell_reading(Context &c) {
  const Launch &launch = c.launch;
  for (const Undecided &condition : launch.undecided) {
    std::string list;
    for (const std::string &option : condition.options) list += (list.empty() ? "" : " ") + option;
    c.raise(kConditionUndecided, condition.where,
            "The condition '" + text::printable(condition.text) +
                "' is not decided; these options depend on it: " + text::printable(list) + ".");
  }
  for (const Undecided &condition : launch.inside) {
    c.raise(kBranchTaken, condition.where,
            "The machine is started only if the condition '" + text::printable(condition.text) + "' holds.");
  }
  for (const fs::path &file : launch.sourced) {
    c.raise(kSourcedFile, {.file = file}, "The script reads " + text::printable(file.filename().string()) + ".");
  }
  for (const Place &place : launch.unread) {
    c.raise(kSourceUnread, {place.file, place.line, {}},
            "'" + text::printable(place.path) + "' was not read; what it sets is not known.");
  }
  for (const Place &place : launch.host_values) {
    c.raise(kHostValue, {place.file, place.line, {}}, "The number of processors is this host's.");
  }
}

ImportedMachine import_launch(Launch launch, const fs::path &file, const ImportOptions &options,
                              const std::string &name) {
  std::vector<Finding> findings;
  expand_configs(launch, options, findings);
  Context c(launch, options);
  c.out.findings.insert(c.out.findings.begin(), findings.begin(), findings.end());
  Machine &machine = c.machine();
  machine.source.kind = SourceKind::qemu;
  machine.source.file = file;
  machine.source.product = "QEMU";
  machine.name = name;
  machine.origin = launch.where;
  read_machine(c);
  machine.source.format_version = c.type.name;
  tell_reading(c);
  read_cpu(c);
  read_identity(c);
  read_firmware(c);
  read_devices(c);
  read_ports(c);
  read_screens(c);
  read_housekeeping(c);
  read_macos_release(c);
  for (Option *option : c.all("readconfig"))
    c.settle(*option, Disposition::irrelevant, "its options are read in its place");
  c.finish();
  if (!c.added.empty()) {
    std::string list;
    for (const std::string &one : c.added) list += (list.empty() ? "" : ", ") + one;
    c.raise(kDefaultsAdded, launch.where, "QEMU adds by itself: " + list + ".");
  }
  return std::move(c.out);
}

}  // namespace

bool starts_qemu(std::string_view text, const fs::path &file) {
  if (text.size() > shell::kMostText) return false;
  if (!speaks_of_qemu(text)) return false;
  const TextKind kind = text_kind(text);
  const bool script = kind == TextKind::words || kind == TextKind::batch || kind == TextKind::pasted ||
                      (kind == TextKind::shell && text.starts_with("#!"));
  try {
    if (script) return !read_launches(text, file, {}).empty();
    if (kind != TextKind::shell) return false;
    // Without a first line that says so: a text whose every line the shell can read.
    std::string plain(text);
    std::erase(plain, '\r');
    return !read_shell(plain, file, {}).empty();
  } catch (const Error &) {
    return false;
  }
}

bool speaks_of_qemu(std::string_view text) {
  for (const std::string_view name : {"qemu", "QEMU", "kvm"}) {
    if (text.find(name) != std::string_view::npos) return true;
  }
  return false;
}

std::vector<ImportedMachine> import_file(const fs::path &given, const ImportOptions &options) {
  const fs::path file = fs::absolute(given).lexically_normal();
  const std::string text = file::read_start(file, shell::kMostText + 1);
  const ReadOptions reading = read_options(options);
  std::vector<Launch> launches = read_launches(text, file, reading);
  if (options.machine && *options.machine > launches.size()) {
    throw Error(ErrorKind::usage, {.where = {.file = file},
                                   .message = "--machine " + std::to_string(*options.machine) +
                                              " names a machine that the file does not start",
                                   .expected = "a number from 1 to " + std::to_string(launches.size())});
  }
  std::vector<ImportedMachine> out;
  for (std::size_t i = 0; i < launches.size(); ++i) {
    if (options.machine && *options.machine != i + 1) continue;
    find_folder(launches[i], file);
    std::string name =
        file.string().starts_with("/proc/") ? "qemu-" + file.parent_path().filename().string() : file.stem().string();
    if (launches.size() > 1) name += "-" + std::to_string(i + 1);
    out.push_back(import_launch(std::move(launches[i]), file, options, name));
  }
  return out;
}

ImportedMachine import_words(const std::vector<std::string> &words, const Place &where, const std::string &name,
                             const ImportOptions &options) {
  Launch launch;
  launch.program = "qemu-system-x86_64";
  launch.where = where;
  for (const std::string &word : words) launch.words.push_back({word, where.line.value_or(0), where.file});
  return import_launch(std::move(launch), where.file, options, name);
}

}  // namespace ferry::qemu
