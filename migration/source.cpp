// SPDX-License-Identifier: Apache-2.0
#include "migration/source.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <regex>
#include <system_error>

#include "importers/ovf/ovf.hpp"
#include "importers/vbox/vbox.hpp"
#include "importers/vmx/vmx.hpp"

#include "support/folders.hpp"
#include "support/nearest.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeadBytes = 65536;  // old OVF descriptors begin with long comments

std::string read_head(const fs::path &file) {
  std::ifstream in(file, std::ios::binary);
  std::string head(kHeadBytes, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  return head;
}

// VirtualBox keeps the settings of before an upgrade as NAME-VERSION-PLATFORM.vbox beside NAME.vbox:
// "web-1.15-linux.vbox", "web-1.15-linux-2.vbox".
bool is_old_settings(const fs::path &file) {
  static const std::regex pattern(
      R"((.+)-1\.[0-9]+-(linux|windows|macosx|solaris|freebsd|os2|unknown)(-[0-9]+)?\.vbox)");
  std::smatch parts;
  const std::string name = file.filename().string();
  return std::regex_match(name, parts, pattern) && fs::exists(file.parent_path() / (parts[1].str() + ".vbox"));
}

// Backups that look like machines but are not what a user means.
bool is_backup(const fs::path &file) {
  const std::string name = text::lower_ascii(file.filename().string());
  return name.ends_with(".vbox-prev") || name.ends_with(".vbox-tmp") || name.ends_with(".bak") || name.ends_with("~") ||
         is_old_settings(file);
}

std::string listing(const std::vector<FoundSource> &sources) {
  std::string out;
  for (const FoundSource &source : sources) out += (out.empty() ? "" : ", ") + source.file.filename().string();
  return out;
}

// A folder that cannot be listed is an error, never an empty one: a machine in it would be overlooked.
std::vector<fs::directory_entry> entries_of(const fs::path &folder) {
  std::error_code error;
  std::vector<fs::directory_entry> out;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) out.push_back(*at);
  if (error) {
    throw Error(ErrorKind::io, {.where = {folder, {}, {}},
                                .message = "the folder cannot be read: " + error.message(),
                                .advice = "Check its permissions."});
  }
  return out;
}

bool is_file(const fs::directory_entry &entry) {
  std::error_code error;
  return entry.is_regular_file(error);
}

FoundSource only_one_in(const fs::path &folder) {
  std::vector<FoundSource> found;
  for (const fs::directory_entry &entry : entries_of(folder)) {
    if (!is_file(entry) || is_backup(entry.path())) continue;
    if (const auto kind = detect_source(entry.path())) found.push_back({*kind, fs::absolute(entry.path())});
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    throw Error(ErrorKind::missing, {.where = {folder, {}, {}},
                                     .message = "the folder holds no virtual machine",
                                     .expected = "one .vbox, .vmx, .ovf or .ova file",
                                     .advice = "Name the file, or use 'virt-ferry batch' for a tree of folders."});
  }
  std::sort(found.begin(), found.end(), [](const auto &a, const auto &b) { return a.file < b.file; });
  throw Error(ErrorKind::usage, {.where = {folder, {}, {}},
                                 .message = "the folder holds several virtual machines",
                                 .found = listing(found),
                                 .expected = "exactly one",
                                 .advice = "Name one of the files, or use 'virt-ferry batch' for all of them."});
}

// Rather a file's name than a machine's.
bool looks_like_path(const std::string &name) {
  const std::string lower = text::lower_ascii(name);
  constexpr std::array<std::string_view, 7> kSuffixes{".vbox", ".vmx", ".ovf", ".ova", ".box", ".xml", ".gz"};
  return name.find('/') != std::string::npos ||
         std::any_of(kSuffixes.begin(), kSuffixes.end(), [&](auto suffix) { return lower.ends_with(suffix); });
}

// A slip on the command line, and said as one: nothing was looked at that could be refused.
[[noreturn]] void no_such_file(const std::string &name) {
  std::vector<std::string> beside;
  std::error_code error;
  const fs::path folder = fs::path(name).parent_path();
  for (fs::directory_iterator at(folder.empty() ? "." : folder, error), end; !error && at != end; at.increment(error))
    beside.push_back(at->path().filename().string());
  const auto meant = text::nearest(fs::path(name).filename().string(), beside);
  throw Error(ErrorKind::usage,
              {.where = {name, {}, {}},
               .message = "there is no such file",
               .expected = "a file, a folder, or the name of a machine that 'virt-ferry list' shows",
               .advice = meant ? "Did you mean '" + (folder / *meant).string() + "'?" : "Check the name."});
}

FoundSource by_registered_name(const std::string &name) {
  std::vector<RegisteredMachine> matches;
  std::string known;
  std::vector<std::string> names;
  const Registered registered = registered_machines();
  for (const RegisteredMachine &machine : registered.machines) {
    if (machine.name == name) matches.push_back(machine);
    known += (known.empty() ? "" : ", ") + machine.name;
    names.push_back(machine.name);
  }
  if (matches.size() == 1) return {matches.front().kind, matches.front().file};
  if (matches.size() > 1) {
    throw Error(ErrorKind::usage,
                {.message = "several registered machines are called \"" + text::printable(name) + "\"",
                 .found = matches[0].file.string() + ", " + matches[1].file.string(),
                 .advice = "Name the file instead."});
  }
  if (looks_like_path(name)) no_such_file(name);
  if (!registered.unreadable.empty()) throw Error(registered.unreadable.front());
  const auto meant = text::nearest(name, names);
  throw Error(
      ErrorKind::missing,
      {.where = {name, {}, {}},
       .message = "there is no such file, and no registered machine has this name",
       .expected = known.empty() ? "a .vbox, .vmx, .ovf or .ova file" : "a file, or one of: " + known,
       .advice = meant ? "Did you mean '" + *meant + "'?" : "'virt-ferry list' shows the machines of this host."});
}

// By its name a machine, and nobody can tell: a batch that says nothing of it would leave it behind.
bool is_unreadable_machine(const fs::path &file) {
  constexpr std::array<std::string_view, 4> kSuffixes{".vbox", ".vmx", ".ovf", ".ova"};
  const std::string suffix = text::lower_ascii(file.extension().string());
  return std::ranges::find(kSuffixes, suffix) != kSuffixes.end() && !std::ifstream(file);
}

void collect_file(const fs::path &file, FoundBelow &out) {
  if (const auto kind = detect_source(file)) {
    out.sources.push_back({*kind, fs::absolute(file)});
  } else if (is_unreadable_machine(file)) {
    out.unreadable.emplace_back(
        ErrorKind::io,
        ErrorDetail{.where = {file, {}, {}}, .message = "the file cannot be read", .advice = "Check its permissions."});
  }
}

void collect(const fs::path &folder, FoundBelow &out) {
  std::vector<fs::path> folders;
  for (const fs::directory_entry &entry : entries_of(folder)) {
    std::error_code error;
    if (entry.is_directory(error) && !entry.is_symlink(error)) {
      if (entry.path().filename() != "lost+found") folders.push_back(entry.path());  // ext4's, for root only
    } else if (is_file(entry) && !is_backup(entry.path())) {
      collect_file(entry.path(), out);
    }
  }
  for (const fs::path &below : folders) {
    try {
      collect(below, out);
    } catch (const Error &error) {
      out.unreadable.push_back(error);
    }
  }
}

}  // namespace

std::optional<SourceKind> detect_source(const fs::path &file) {
  const std::string head = read_head(file);
  if (vbox::looks_like_vbox(head)) return SourceKind::vbox;
  if (ovf::looks_like_ovf(head) || ovf::looks_like_ova(file)) return SourceKind::ovf;
  if (vmx::looks_like_vmx(head)) return SourceKind::vmx;
  return std::nullopt;
}

FoundSource find_source(const std::string &argument) {
  const fs::path path(argument);
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) return only_one_in(path);
  if (!fs::exists(status)) return by_registered_name(argument);
  if (!fs::is_regular_file(status)) {
    throw Error(ErrorKind::unsafe, {.where = {path, {}, {}}, .message = "this is not a regular file"});
  }
  if (std::ifstream probe(path); !probe) {
    throw Error(ErrorKind::io,
                {.where = {path, {}, {}}, .message = "the file cannot be read", .advice = "Check its permissions."});
  }
  const auto kind = detect_source(path);
  if (!kind && read_head(path).find("<!DOCTYPE") != std::string::npos) {
    throw Error(ErrorKind::malformed,
                {.where = {path, {}, {}},
                 .message = "the file has a DOCTYPE declaration, so it is not read",
                 .expected = "plain XML without a document type",
                 .advice = "Neither VirtualBox nor VMware writes one; remove it if you trust the file."});
  }
  if (!kind) {
    throw Error(ErrorKind::malformed,
                {.where = {path, {}, {}},
                 .message = "this is no virtual machine that virt-ferry knows",
                 .expected = "VirtualBox settings (.vbox), VMware configuration (.vmx), or an OVF package (.ovf, .ova)",
                 .advice = "For a disk image without a machine, use 'virt-ferry disk convert'."});
  }
  return {*kind, fs::absolute(path).lexically_normal()};
}

FoundBelow find_sources_below(const fs::path &folder) {
  FoundBelow out;
  collect(folder, out);
  std::sort(out.sources.begin(), out.sources.end(), [](const auto &a, const auto &b) { return a.file < b.file; });
  return out;
}

std::vector<ImportedMachine> import_source(const FoundSource &source, const ImportOptions &options) {
  std::vector<ImportedMachine> out;
  switch (source.kind) {
    case SourceKind::vbox: out.push_back(vbox::import_file(source.file, options)); break;
    case SourceKind::vmx: out.push_back(vmx::import_file(source.file, options)); break;
    case SourceKind::ovf: out = ovf::import_file(source.file, options); break;
  }
  return out;
}

Registered registered_machines() {
  Registered out;
  const auto add = [&out](SourceKind kind, const auto &list) {
    try {
      for (const auto &machine : list()) {
        std::error_code error;
        out.machines.push_back({machine.name, kind, machine.file, fs::exists(machine.file, error)});
      }
    } catch (const Error &error) {
      out.unreadable.push_back(error);
    }
  };
  if (const fs::path registry = vbox::host_registry(); !registry.empty())
    add(SourceKind::vbox, [&registry] { return vbox::registered_machines(registry); });
  if (const auto home = folders::home()) add(SourceKind::vmx, [&home] { return vmx::registered_machines(*home); });
  return out;
}

}  // namespace ferry::migration
